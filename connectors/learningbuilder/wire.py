"""What goes over the wire between LearningBuilder and its clients, both ways."""

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, BinaryIO, NoReturn, Self
from urllib.parse import parse_qsl, urlencode

from pydantic import AfterValidator, BeforeValidator, Field

from connectors.message import Message
from schemas.mail_address import is_mail_address

CREATION_PATH_PREFIX = "IMPORT_QUEUE_API"
CREATION_PATH = r"^[A-Z0-9_]{1,15}$"
CONTENT_TYPE = "application/x-ndjson; charset=utf-8"
_UTF8_MARK = b"\xef\xbb\xbf"
_CREDENTIALS = re.compile(r"\s*(apikey|basic)\s+(\S+)\s*", re.IGNORECASE)

Scalar = str | int | float | bool | None


def encode_credentials(key: str) -> dict[str, str]:
    """The header that every call carries."""
    return {"Authorization": f"apikey {key}"}


def decode_credentials(authorization: str, *, takes_basic: bool = True) -> str:
    """The key in the value of the header; empty where there is none."""
    found = _CREDENTIALS.fullmatch(authorization)
    if found is None:
        return ""
    scheme, value = found.groups()
    if scheme.lower() == "apikey":
        return value
    try:
        user, _, key = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return key if takes_basic and user.startswith("Member_") else ""


def _address(value: str) -> str:
    if not is_mail_address(value):
        raise ValueError("one e-mail address is needed")
    return value


def _none_if_empty(value: object) -> object:
    return None if value == "" else value


MailAddress = Annotated[str, AfterValidator(_address)]
OptionalAddress = Annotated[MailAddress | None, BeforeValidator(_none_if_empty)]


class BatchQuery(Message):
    """What the query of `CreateBatch` says.

    Attributes:
        file_name: a label for people, no name of a file; None from clients of older versions.
        import_process_id: which import process is to begin.
        creation_path: which system calls, 1 to 15 of `A-Z`, `0-9` and `_`.
        send_success_email_to: told when every record was well.
        send_failure_email_to: told when any failed.
    """

    file_name: Annotated[str | None, BeforeValidator(_none_if_empty)] = None
    import_process_id: int = Field(ge=0, lt=2**63)
    creation_path: str | None = Field(None, pattern=CREATION_PATH)
    send_success_email_to: OptionalAddress = None
    send_failure_email_to: OptionalAddress = None

    @property
    def stored_creation_path(self) -> str:
        """How the batch came, as people search for it."""
        if self.creation_path is None:
            return CREATION_PATH_PREFIX
        return f"{CREATION_PATH_PREFIX}:{self.creation_path}"

    def encode_parameters(self) -> dict[str, str]:
        """The parameters of the query by their names."""
        said = self.model_dump(by_alias=True, exclude_none=True)
        return {name: str(value) for name, value in said.items()}

    def encode_query(self) -> str:
        """The query, without its question mark."""
        return urlencode(self.encode_parameters())

    @classmethod
    def decode_query(cls, query: str) -> Self:
        """What the query says; names in any case, a leading `&` tolerated.

        Raises:
            pydantic.ValidationError: what is wrong with which parameter.
        """
        aliases = {str(field.alias).lower(): str(field.alias) for field in cls.model_fields.values()}
        found = parse_qsl(query.removeprefix("?"), keep_blank_values=True)
        return cls.model_validate({aliases.get(name.strip().lower(), name): value for name, value in found})


def encode_records(records: Iterable[Mapping[str, Scalar]]) -> Iterator[bytes]:
    """The body, one line a record; keys are the headers, those that identify the record with a colon."""
    for record in records:
        yield json.dumps(record, ensure_ascii=False, allow_nan=False).encode() + b"\n"


class LineFault(Message):
    """One entry of a refusal's `errors`.

    Attributes:
        line: 1-based line of the body; None where the query is meant.
        field: name of the parameter; None where a line is meant.
    """

    line: int | None = None
    field: str | None = None
    message: str


def decode_records(body: BinaryIO, longest_line_bytes: int) -> Iterator[LineFault | None]:
    """For each line that is not blank what is wrong with it, None where it is a JSON object; in order.

    A line that is too long ends the lines. No values are kept: the importer reads them.
    """
    number = 0
    while line := body.readline(longest_line_bytes + 2):
        number += 1
        text = line.removeprefix(_UTF8_MARK) if number == 1 else line
        if len(line.rstrip(b"\r\n")) > longest_line_bytes:
            yield LineFault(line=number, message=f"the line has more than {longest_line_bytes:,} bytes")
            return
        if text.strip():
            message = _fault_of(text)
            yield None if message is None else LineFault(line=number, message=message)


def _fault_of(line: bytes) -> str | None:
    try:
        # Numbers stay as they are: the digits of a long one cost time, and nobody needs its value here.
        found = json.loads(line.decode(), parse_int=str, parse_float=str, parse_constant=_refuse_constant)
    except UnicodeDecodeError:
        return "not UTF-8"
    except (ValueError, RecursionError):
        return "not a JSON object on one line"
    if not isinstance(found, dict):
        return "a JSON array, not an object" if isinstance(found, list) else "JSON, but not an object"
    if isinstance(found.get("data"), list) and "importProcessId" in found:
        return "an object of the early draft of this API; each record is a line of its own"
    return None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


class BatchAnswer(Message):
    """The answer to a batch that was accepted.

    Attributes:
        queue_batch_details: a link to the results, with the batch's id as `batchId` in its query.
    """

    queue_batch_id: str
    queue_batch_details: str


class BatchStatus(BatchAnswer):
    """How a batch stands: an extension of Lading, not of the vendor, whose batches have no status endpoint.

    Attributes:
        status: `Queued`, `Processing`, `Completed` or `CompletedWithErrors`.
        rows_total: None until all are read.
        rows_processed: written, or found to be so already; with `rows_failed` all of a batch that is completed,
            but for those that were passed over or not begun.
        message: why the batch as a whole did not end well.
    """

    extension: str = "lading"
    file_name: str
    creation_path: str
    status: str
    rows_total: int | None
    rows_processed: int
    rows_failed: int
    message: str | None


class BatchRefusal(Message):
    """The answer to what is turned away; `errors` is absent where there are none."""

    message: str
    errors: tuple[LineFault, ...] = ()

    def encode(self) -> bytes:
        """The refusal as it goes over the wire."""
        body: dict[str, Any] = self.model_dump(by_alias=True, mode="json")
        return json.dumps(body if self.errors else {"message": self.message}, ensure_ascii=False).encode()
