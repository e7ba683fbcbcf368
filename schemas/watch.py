"""A folder beside the inbox whose files a definition takes, by their names."""

from pathlib import PurePosixPath
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Watch(BaseModel):
    """One watched folder.

    Attributes:
        folder: absolute path on the machine of the service; nobody makes it.
        pattern: which names count (`*`, `?` and `[…]` as in a shell, case as it stands).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    folder: Annotated[str, Field(min_length=1, max_length=4_000)]
    pattern: Annotated[str, Field(min_length=1, max_length=200)] = "*"

    @model_validator(mode="after")
    def _says_a_place(self) -> Self:
        if not PurePosixPath(self.folder).is_absolute() or "\0" in self.folder:
            raise ValueError(f"the folder {self.folder!r} is no absolute path")
        if "/" in self.pattern:
            raise ValueError(f"the pattern {self.pattern!r} is one of names, without folders")
        return self
