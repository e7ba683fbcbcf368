"""What a connection to TeamTracks may say."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

_Text = Annotated[str, Field(pattern=r"\S")]


class TeamTracksOptions(BaseModel):
    """Options of a connection.

    Attributes:
        tenant: the header by that name.
        client_id, email: for a token, with the secret `password`.
        file_kind: of the files.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    tenant: _Text
    client_id: _Text | None = None
    email: _Text | None = None
    file_kind: Literal["csv", "xlsx"] = "csv"
