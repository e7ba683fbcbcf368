"""What somebody asks for when an import starts."""

from dataclasses import dataclass

from schemas.definition import Mode


@dataclass(frozen=True)
class ImportRequest:
    """One wish to import one file, or all files of a pattern.

    Attributes:
        source: a path, a URL, or a pattern; None takes the source that the definition names.
        definition: name of a stored definition.
        definition_version: the one that is meant; None takes the newest.
        mode: instead of the definition's.
        validate_only: check every row, write nothing.
        tenant: whose definition it is, and by whose rules it is done; None: the one of the settings.
        only_changed: leave a file alone whose content is what was imported last.
    """

    source: str | None
    definition: str
    mode: Mode | None = None
    validate_only: bool = False
    definition_version: int | None = None
    tenant: str | None = None
    only_changed: bool = False
