"""What goes over the wire between TeamTracks and its clients, both ways."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Self
from uuid import UUID

from pydantic import Field, field_validator

from connectors.message import Message

TENANT_HEADER = "tenant"
SUBSCRIPTION_HEADER = "Ocp-Apim-Subscription-Key"
FILE_PART = "file"
FILE_KINDS = (".xlsx", ".xls", ".csv")
_BEARER = "Bearer "
_TRAILING_COMMA = re.compile(rb",(\s*[\]}])")
_PART_ITEMS = 1_000
"""So many ids or errors go into one part of a long answer."""


@dataclass(frozen=True)
class Credentials:
    """What every call carries in its headers.

    Attributes:
        tenant, subscription_key: empty where they are missing.
        token: without the word `Bearer`; empty where it is missing, as in the call that asks for one.
    """

    tenant: str
    subscription_key: str
    token: str = ""

    def encode(self) -> dict[str, str]:
        """The headers."""
        headers = {TENANT_HEADER: self.tenant, SUBSCRIPTION_HEADER: self.subscription_key}
        return headers | ({"Authorization": _BEARER + self.token} if self.token else {})

    @classmethod
    def decode(cls, headers: Mapping[str, str]) -> Self:
        """What the headers, whose names have any case, say; quotes around the bearer value are tolerated."""
        found = {name.lower(): value.strip() for name, value in headers.items()}
        bearer = found.get("authorization", "").strip('"').strip()
        token = bearer[len(_BEARER) :].strip() if bearer[: len(_BEARER)].lower() == _BEARER.lower() else ""
        return cls(found.get(TENANT_HEADER, ""), found.get(SUBSCRIPTION_HEADER.lower(), ""), token)


class TokenRequest(Message):
    """The question for a token; Lading takes a key's id as `clientId` and its token as `password`."""

    client_id: str
    email: str
    password: str


class TokenAnswer(Message):
    """The answer to it; `token` begins with `Bearer ` and goes into `Authorization` as it is."""

    token: str

    @classmethod
    def of(cls, token: str) -> Self:
        """The answer that hands out this bare token."""
        return cls(token=_BEARER + token)

    @property
    def authorization(self) -> str:
        """The value of the header `Authorization`, with the word `Bearer` once."""
        return self.token if self.token.startswith(_BEARER) else _BEARER + self.token

    @property
    def bare(self) -> str:
        """The token without the word `Bearer`."""
        return self.token.removeprefix(_BEARER).strip()


class ImportAnswer(Message):
    """The answer to a file that was accepted."""

    job_id: str


class ObjectFault(Message):
    """One entry of `errors`, whose shape the documents do not show.

    Attributes:
        row: 1-based row of the sheet, its header counted; None for the file or job as a whole.
        field: name of the field; None for the row as a whole.
    """

    row: int | None = None
    field: str | None = None
    message: str


class JobAnswer(Message):
    """How a job stands: `finished` is its only state.

    Attributes:
        date_finished: Unix epoch in milliseconds; 0 while it runs.
        successfully_created … failed_to_update: 0 while it runs.
        objects_created: ids of the created objects; None, and absent on the wire, while it runs.
        errors: likewise.
    """

    finished: bool
    date_finished: int = 0
    successfully_created: int = 0
    failed_to_create: int = 0
    successfully_updated: int = 0
    unchanged: int = 0
    failed_to_update: int = 0
    objects_created: tuple[UUID, ...] | None = Field(None)
    errors: tuple[ObjectFault, ...] | None = Field(None)

    @field_validator("errors", mode="before")
    @classmethod
    def _entries_may_be_plain_text(cls, errors: object) -> object:
        if not isinstance(errors, list | tuple):
            return errors
        return [_entry(error) for error in errors]

    def encode(self) -> bytes:
        """The answer as it goes over the wire; the last two keys only where they are not None."""
        if self.objects_created is None and self.errors is None:
            return self._counts()
        return b"".join(self.encode_parts(self.objects_created or (), self.errors or ()))

    def encode_parts(self, created: Iterable[UUID], errors: Iterable[ObjectFault]) -> Iterator[bytes]:
        """The finished answer with these ids and errors, in parts of a few kilobytes."""
        yield self._counts().removesuffix(b"}") + b',"objectsCreated":['
        yield from _joined(b'"%b"' % str(object_id).encode() for object_id in created)
        yield b'],"errors":['
        yield from _joined(error.encode() for error in errors)
        yield b"]}"

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """The answer; a comma behind the last of a list, as in the documents' sample, is tolerated.

        Raises:
            ValueError: it is no such answer.
        """
        try:
            json.loads(body)
        except ValueError:
            body = _TRAILING_COMMA.sub(rb"\1", body)
        return super().decode(body)

    def _counts(self) -> bytes:
        return self.model_dump_json(by_alias=True, exclude={"objects_created", "errors"}).encode()


def _entry(error: object) -> object:
    """An entry of `errors` in our shape, whatever shape it has: a vendor's job must not stay unread for it."""
    if isinstance(error, str):
        return {"message": error}
    if not isinstance(error, dict) or isinstance(error.get("message"), str):
        return error
    return {"message": json.dumps(error, ensure_ascii=False)}


def _joined(items: Iterator[bytes]) -> Iterator[bytes]:
    """The items with commas between them, many in one part."""
    separator = b""
    while batch := list(islice(items, _PART_ITEMS)):
        yield separator + b",".join(batch)
        separator = b","
