"""What somebody asks for when an import starts."""

from dataclasses import dataclass

from schemas.definition import Mode


@dataclass(frozen=True)
class ImportRequest:
    """One wish to import one file.

    Attributes:
        source: path of the file.
        definition: name of a stored definition; its newest version is taken.
        mode: instead of the definition's.
        validate_only: check every row, write nothing.
    """

    source: str
    definition: str
    mode: Mode | None = None
    validate_only: bool = False
