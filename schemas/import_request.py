"""What somebody asks for when an import starts."""

from dataclasses import dataclass

from schemas.definition import Mode


@dataclass(frozen=True)
class ImportRequest:
    """One wish to import one file.

    Attributes:
        source: path of the file.
        definition: name of a stored definition.
        definition_version: the one that is meant; None takes the newest.
        mode: instead of the definition's.
        validate_only: check every row, write nothing.
    """

    source: str
    definition: str
    mode: Mode | None = None
    validate_only: bool = False
    definition_version: int | None = None
