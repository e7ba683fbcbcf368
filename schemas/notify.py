"""Whom a definition tells of the ends of its jobs."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from schemas.job import JobState
from schemas.mail_address import is_mail_address
from schemas.webhook import WebhookAddress

MOST_ADDRESSES = 10


class NoticeOn(StrEnum):
    """An end of a job that somebody may want to know of."""

    FINISHED = JobState.FINISHED.value
    FAILED = JobState.FAILED.value
    INVALID = JobState.INVALID.value


class Notify(BaseModel):
    """Who is told, and of which ends.

    Attributes:
        mail: addresses; each gets a mail of its own.
        webhook: is told by one `POST`, signed as Standard Webhooks says.
    """

    # An input may hold what nobody should see: the secret.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    mail: Annotated[
        tuple[str, ...],
        BeforeValidator(
            lambda value: (value,) if isinstance(value, str) else value,
            json_schema_input_type=str | tuple[str, ...],
        ),
        Field(max_length=MOST_ADDRESSES),
    ] = ()
    webhook: WebhookAddress | None = None
    on: Annotated[tuple[NoticeOn, ...], Field(min_length=1)] = tuple(NoticeOn)

    @model_validator(mode="after")
    def _tells_somebody(self) -> Self:
        if not self.mail and self.webhook is None:
            raise ValueError("nobody is told: say 'mail', 'webhook' or both")
        for address in self.mail:
            if not is_mail_address(address):
                raise ValueError(f"{address!r} is no address that mail can be sent to")
        if len(set(self.mail)) < len(self.mail):
            raise ValueError("'mail' names an address twice")
        return self
