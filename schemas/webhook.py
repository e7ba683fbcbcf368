"""Addresses that a definition tells of what happened, above all of records that an import made or changed."""

import base64
import binascii
from enum import StrEnum
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

MASK = "******"
"""Stands for a secret wherever a definition is shown; brought back, it keeps the secret that is there."""
REFERENCE = "env:"
SEALED = "sealed:"
SECRET_PREFIX = "whsec_"  # noqa: S105 - no secret
SHORTEST_SECRET_BYTES, LONGEST_SECRET_BYTES = 24, 64
MOST_URL_CHARS = 2_000


class RecordEvent(StrEnum):
    """What happened to a record."""

    CREATED = "created"
    UPDATED = "updated"


class WebhookAddress(BaseModel):
    """One address that is told, by the rules of Standard Webhooks (https://www.standardwebhooks.com).

    Attributes:
        url: `https`; the operator's may be `http`.
        secret: signs what is sent: `env:NAME`, which the operator may say, or `whsec_` and base64. It is kept
            sealed, and shown as a mask.
    """

    # An input may hold what nobody should see: the secret.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    url: Annotated[str, Field(max_length=MOST_URL_CHARS, pattern=r"^https?://[^\s#]+$")]
    secret: Annotated[str, Field(max_length=1_000)]

    @property
    def is_secret_kept_safely(self) -> bool:
        """False while the secret can be read here, or is only a mask: such a webhook is not stored."""
        return self.secret.startswith((REFERENCE, SEALED))

    @field_validator("secret")
    @classmethod
    def _is_secret(cls, secret: str) -> str:
        if secret != MASK and not secret.startswith((REFERENCE, SEALED)):
            signing_key(secret)
        return secret

    @model_validator(mode="after")
    def _url_is_whole(self) -> Self:
        parts = urlsplit(self.url)
        if not parts.hostname:
            raise ValueError("the 'url' names no host")
        if parts.username is not None or parts.password is not None:
            raise ValueError("the 'url' holds a user or a password, which do not belong there")
        return self


class Webhook(WebhookAddress):
    """One address that is told of records.

    Attributes:
        events: of which it is told.
    """

    events: Annotated[tuple[RecordEvent, ...], Field(min_length=1)] = tuple(RecordEvent)

    @model_validator(mode="after")
    def _events_differ(self) -> Self:
        if len(set(self.events)) < len(self.events):
            raise ValueError("'events' names one twice")
        return self


def signing_key(secret: str) -> bytes:
    """The bytes with which the secret signs.

    Raises:
        ValueError: it is none; the message does not tell it.
    """
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(_NO_SECRET) from error
    if not SHORTEST_SECRET_BYTES <= len(key) <= LONGEST_SECRET_BYTES:
        raise ValueError(_NO_SECRET)
    return key


_NO_SECRET = (
    f"a 'secret' is {SECRET_PREFIX!r} and {SHORTEST_SECRET_BYTES} to {LONGEST_SECRET_BYTES} random bytes in "
    "base64; `openssl rand -base64 32` prints such bytes"
)
