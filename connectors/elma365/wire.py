"""What goes over the wire between ELMA365 and its clients, both ways."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Self
from uuid import UUID

from pydantic import AliasChoices, Field, TypeAdapter, field_validator

from connectors.message import Message

BLOCKED = "blocked"
FILE_KINDS = ("xlsx", "csv")
FILE_FORM_PART = "File"
"""Name of the one part of an upload's form, as the reference has it."""
FILE_PARTS = ("file", FILE_FORM_PART)
HASH_PARAMETER = "hash"
TOKEN_HEADER = "X-Token"  # noqa: S105 - the name of a header
RANGE_HEADER = "Content-Range"
_AROUND = ("result", "item")
_OBJECT = TypeAdapter(dict[str, Any])
_BEARER = "bearer "
_RANGE = re.compile(r"(?:bytes[ =])?\s*(\d{1,15})-(\d{1,15})/(\d{1,15})", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True)
class Credentials:
    """What every call carries in its headers.

    Attributes:
        token: empty where it is missing.
        is_x_token: sent in a header of its own instead of as a bearer's.
    """

    token: str
    is_x_token: bool = False

    def encode(self) -> dict[str, str]:
        """The header."""
        return {TOKEN_HEADER: self.token} if self.is_x_token else {"Authorization": f"Bearer {self.token}"}

    @classmethod
    def decode(cls, headers: Mapping[str, str]) -> Self:
        """What the headers, whose names have any case, say."""
        found = {name.lower(): value.strip() for name, value in headers.items()}
        if token := found.get(TOKEN_HEADER.lower(), ""):
            return cls(token, is_x_token=True)
        bearer = found.get("authorization", "")
        return cls(bearer[len(_BEARER) :].strip() if bearer.lower().startswith(_BEARER) else "")


@dataclass(frozen=True)
class ContentRange:
    """Where a part stands in its file.

    Attributes:
        start: 0-based place of its first byte.
        end: the place behind its last byte, as the documents' examples have it; or, as RFC 9110 has it, the
            last one.
        total_bytes: of the file.
    """

    start: int
    end: int
    total_bytes: int

    def encode(self) -> str:
        """The value of the header."""
        return f"bytes {self.start}-{self.end}/{self.total_bytes}"

    @classmethod
    def decode(cls, header: str) -> Self:
        """What the value of the header says.

        Raises:
            ValueError: it says no such range.
        """
        found = _RANGE.fullmatch(header.strip())
        if found is None or int(found[1]) > int(found[2]):
            raise ValueError(f"{RANGE_HEADER} is `bytes [start]-[end]/[size]`, not {header[:100]!r}")
        return cls(*map(int, found.groups()))

    def fits(self, size_bytes: int) -> bool:
        """True when a part of so many bytes is what it means, in one way or the other."""
        return self.end - self.start in {size_bytes, size_bytes - 1}


class ImportRequest(Message):
    """The question for an import.

    Attributes:
        file_hash: the UUID under which the client uploaded the file.
        format: `xlsx` or `csv`, with a dot on the wire; None: what the file turns out to be.
        with_event_handlers: tell of every record.
    """

    file_hash: UUID | None = None
    format: str | None = None
    with_event_handlers: bool = False

    @field_validator("format")
    @classmethod
    def _without_dot(cls, said: str | None) -> str | None:
        return file_kind(said) if said else None

    def encode(self) -> bytes:
        """The question as it goes over the wire."""
        said = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        return json.dumps(said | ({"format": f".{self.format}"} if self.format else {})).encode()


class ImportAnswer(Message):
    """How an import stands; the answer to the question for it, too.

    Attributes:
        success: it runs or is done; false where it failed or was not begun.
        error: in plain words why; empty where `success`.
        import_id: None where another's import, of which nothing is told, has the app; or where there is none.
        status: empty where no import began.
        count: records imported so far.
    """

    success: bool
    error: str = ""
    import_id: UUID | None = Field(None, validation_alias=AliasChoices("import_id", "importId", "id", "__id"))
    status: str = ""
    count: int = Field(
        0, validation_alias=AliasChoices("count", "imported", "importedCount", "imported_count", "total")
    )

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """What `encode` made; names that the documents leave open, or an object around it, are tolerated.

        Raises:
            ValueError: it is no such answer.
        """
        said: dict[str, Any] = _OBJECT.validate_json(body)
        inner: list[dict[str, Any]] = [said[name] for name in _AROUND if isinstance(said.get(name), dict)]
        return cls.model_validate(said | (inner[0] if inner else {}))


class StoredFile(Message):
    """A file that was uploaded whole."""

    id: UUID = Field(alias="__id")
    name: str
    size: int


class UploadAnswer(Message):
    """The answer to a part; `file` only when nothing is missing any more."""

    success: bool = True
    error: str = ""
    file: StoredFile | None = None

    def encode(self) -> bytes:
        """The answer as it goes over the wire."""
        return self.model_dump_json(by_alias=True, exclude_none=True).encode()


class Refusal(Message):
    """The answer to what is refused."""

    success: bool = False
    error: str


def file_kind(said: str) -> str:
    """`xlsx` or `csv`, said with or without a dot, in any case.

    Raises:
        ValueError: it is neither.
    """
    kind = said.strip().lower().removeprefix(".")
    if kind not in FILE_KINDS:
        raise ValueError(f"the format is {' or '.join(f'.{known}' for known in FILE_KINDS)}")
    return kind


def named(file_name: str, kind: str | None) -> str:
    """The name of the file with the suffix of what it is said to be."""
    if kind is None or PurePosixPath(file_name.lower()).suffix == f".{kind}":
        return file_name
    return f"{file_name}.{kind}"
