"""A connection: a vendor's system that somebody gave a name, and what Lading needs to come in there."""

from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.patterns import NAME_PATTERN
from schemas.principal import TENANT_PATTERN

MOST_URL_CHARS = 2_000
MOST_VALUE_CHARS = 4_000
MOST_ENTRIES = 20

Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
Value = Annotated[str, Field(max_length=MOST_VALUE_CHARS, pattern=r"^[^\x00-\x1f\x7f]+$")]
"""Without control characters: most values go into headers."""


class ConnectionDocument(BaseModel):
    """What somebody says of a connection.

    Attributes:
        connector: name of the vendor.
        url: where its API is; `https`, the operator's may be `http`.
        options: what is no secret, by the vendor's names.
        secrets: by the vendor's names: `env:NAME`, which the operator may say; the value itself, which is
            kept sealed; or the mask, for the one that is kept.
        tenants: who may use it, beside its owner; only the operator may say it.
    """

    # An input may hold what nobody should see: a secret.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    name: Annotated[str, Field(pattern=NAME_PATTERN)]
    connector: Annotated[str, Field(pattern=NAME_PATTERN)]
    url: Annotated[str, Field(max_length=MOST_URL_CHARS, pattern=r"^https?://[!-~]+$")]
    options: Annotated[dict[Key, Value], Field(max_length=MOST_ENTRIES)] = {}
    secrets: Annotated[dict[Key, Value], Field(max_length=MOST_ENTRIES)] = {}
    tenants: Annotated[tuple[Annotated[str, Field(pattern=TENANT_PATTERN)], ...], Field(max_length=1_000)] = ()

    @model_validator(mode="after")
    def _url_is_whole(self) -> Self:
        parts = urlsplit(self.url)
        if not parts.hostname:
            raise ValueError("the 'url' names no host")
        if parts.query or parts.fragment:
            raise ValueError(
                "the 'url' has a query or fragment; it is what the paths of the API are appended to"
            )
        if parts.username is not None or parts.password is not None:
            raise ValueError("the 'url' holds a user or a password, which belong to the secrets")
        return self
