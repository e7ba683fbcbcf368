"""What a connection to Starmind may say."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class StarmindOptions(BaseModel):
    """Options of a connection.

    Attributes:
        email: of the account that logs in; it may be a secret, too.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    email: Annotated[str, Field(pattern=r"\S")] | None = None
