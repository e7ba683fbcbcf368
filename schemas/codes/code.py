"""What one code of the catalogue says."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Code:
    """One code of the catalogue.

    Attributes:
        code: stable; machines may rely on it.
        message: template of the message; `{…}` are filled in for each error.
        meaning: one sentence for the docs.
        example: what in a file brings it about, for the docs.
    """

    code: str
    message: str
    meaning: str
    example: str

    def says(self, **values: object) -> str:
        """The message with its blanks filled in."""
        return self.message.format(**values)
