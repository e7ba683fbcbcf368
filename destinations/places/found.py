"""A file that a place tells of."""

from dataclasses import dataclass


@dataclass(frozen=True)
class FoundFile:
    """A file, as its place lists it.

    Attributes:
        path: as `OpenPlace` takes it.
        size_bytes: None where the place does not tell.
        version: a text that is another one as soon as the file was written again, as far as the place can
            tell: the tag of an object, else when it was changed, and its size. Empty where it tells neither.
    """

    path: str
    size_bytes: int | None
    version: str

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]
