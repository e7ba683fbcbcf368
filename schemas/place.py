"""Where a file lies, on whatever filesystem: how a definition names it."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.patterns import PASSWORD_IN_URL, REFERENCE_PATTERN

PlaceOption = str | int | bool


class Place(BaseModel):
    """A file, or files, of a filesystem that fsspec knows.

    Attributes:
        url: such as `sftp://host/folder/file.csv`; a path is a file of this machine.
        options: of fsspec's filesystem, as it names them.
        secrets: options whose value nobody should see: `env:NAME`, an environment variable of whoever imports.
    """

    # An input may hold what nobody should see: a password in a URL.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    url: Annotated[str, Field(min_length=1, max_length=2_000)]
    options: dict[str, PlaceOption] = {}
    secrets: dict[str, Annotated[str, Field(pattern=REFERENCE_PATTERN)]] = {}

    @model_validator(mode="after")
    def _holds_no_secret(self) -> Self:
        if PASSWORD_IN_URL.match(self.url):
            raise ValueError(
                "the URL has a password in it; take it out, put it into an environment variable and name that: "
                "`secrets: {password: env:NAME}`"
            )
        return self
