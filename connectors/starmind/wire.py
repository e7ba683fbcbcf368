"""What goes over the wire to and from Starmind's import API, both ways; used by the face and by the client."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from itertools import islice
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    model_serializer,
)

from connectors.message import Message

FILE_PART = "file"
"""Name of the one part of an upload's form."""

_PART_ENTRIES = 1_000
"""So many errors go into one part of a long answer."""


class Entity(StrEnum):
    """What is imported, as paths say it."""

    TAGS = "tags"
    USERS = "users"

    @property
    def singular(self) -> str:
        """As the names of stored files begin."""
        return self.value.removesuffix("s")


class Address(BaseModel):
    """Where Starmind's clients say that records go."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    entity: Entity


class ProcessType(StrEnum):
    """What a process does; an import of a workbook takes one of each."""

    VALIDATION = "validation"
    IMPORT = "import"


class ProcessStatus(StrEnum):
    """Where a process stands."""

    SUCCESS = "success"
    PROCESSING = "processing"
    ERROR = "error"


class UserMode(StrEnum):
    """What a list of users does: create and update, or at the end also delete every other user."""

    IMPORT = "import"
    SYNC = "sync"


def moment_text(moment: datetime) -> str:
    """The moment as Starmind writes it: UTC, with milliseconds and a Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def stored_name(entity: Entity, moment: datetime, suffix: str) -> str:
    """What Starmind calls the file of a process, such as `tag_2015-12-11T07:15:50.192Z.xlsx`."""
    return f"{entity.singular}_{moment_text(moment)}.{suffix}"


def _aware(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


Moment = Annotated[datetime, AfterValidator(_aware), PlainSerializer(moment_text, return_type=str)]


class _Message(Message):
    """A message whose keys are the names of its fields."""

    model_config = ConfigDict(alias_generator=None)


class Login(_Message):
    """Who logs in; the header `Api-Key` belongs to it."""

    email: str
    password: str


class Session(_Message):
    """What a login gives: the token of `Authorization: Bearer`."""

    token: str


class Accepted(_Message):
    """What an upload, a PUT or a list of users gives at once.

    Attributes:
        import_id: of the process that was begun.
        user_id: whoever began it.
        file_name: as the client called the file.
    """

    import_id: int
    user_id: int
    file_name: str


class ErrorEntry(_Message):
    """What is wrong with one cell.

    Attributes:
        metadata: letter of the column; empty where there is none.
        row: as Excel counts, the header being row 1 (in a list of users its place, 1-based); 0 for the file
            as a whole.
        field: text of the header; empty for the row as a whole.
    """

    msg: str
    metadata: str
    row: int
    field: str


class Result(_Message):
    """What a process did.

    Attributes:
        file_name: of the stored file, not as the client called it.
        created_records, updated_records: 0 for a validation.
        user_id: missing in one documented sample; always written by the face.
        import_id: of the process that brought the file.
    """

    file_name: str
    created_records: int
    errors: tuple[ErrorEntry, ...]
    updated_records: int
    user_id: int | None = None
    import_id: int

    @model_serializer(mode="wrap")
    def _without_nobody(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        written: dict[str, Any] = handler(self)
        return {name: value for name, value in written.items() if name != "user_id" or value is not None}


class Process(_Message):
    """The state of a process.

    Attributes:
        result, end_date: None while it is processing.
        message: what is wrong with the process as a whole, None where nothing is.
        import_id: the one that was asked for.
    """

    start_date: Moment
    result: Result | None
    end_date: Moment | None
    status: ProcessStatus
    message: str | None
    import_id: int
    type: ProcessType

    def encode_parts(self, errors: Iterable[ErrorEntry]) -> Iterator[bytes]:
        """The message with these errors as those of its result, which has none, in parts of a few kilobytes."""
        # No text can hold the mark: a quote inside of one has a backslash before it.
        before, mark, after = self.encode().partition(b'"errors":[]')
        yield before + mark[:-1]
        separator, remaining = b"", iter(errors if mark else ())
        while entries := list(islice(remaining, _PART_ENTRIES)):
            yield separator + b",".join(entry.encode() for entry in entries)
            separator = b","
        yield mark[-1:] + after


class Users(BaseModel):
    """A list of users, in the order in which they are counted.

    Attributes:
        rows: objects with properties of users; whatever else stands in the list is an error of its row.
    """

    model_config = ConfigDict(frozen=True)

    rows: tuple[Any, ...] = Field(min_length=1)

    def encode(self) -> bytes:
        """The list as it goes over the wire."""
        return json.dumps(self.rows, separators=(",", ":")).encode()

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """The users of a bare list, or of `{"users": […]}`; numbers are the text of their digits.

        Raises:
            ValueError: the body is neither, or names nobody.
        """
        try:
            found = json.loads(body, parse_int=str, parse_float=str, parse_constant=_refused)
        except RecursionError as error:
            raise ValueError("lists in lists without end") from error
        rows = found.get("users") if isinstance(found, Mapping) else found
        if not isinstance(rows, list) or not rows:
            raise ValueError('a list of at least one user is needed, or an object {"users": [...]} with one')
        return cls(rows=tuple(rows))

    def lines(self) -> Iterator[bytes]:
        """The users as JSON Lines: the line of each, 1-based, is its place in the list."""
        for row in self.rows:
            yield json.dumps(row, separators=(",", ":")).encode() + b"\n"


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} is no value")
