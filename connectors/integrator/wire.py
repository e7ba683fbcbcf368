"""What goes over the wire between integrator.io and its clients beside the documents themselves, both ways."""

import json
import math
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, PlainSerializer, TypeAdapter

from connectors.message import Message

MOST_DEPTH = 64
"""Objects and arrays in each other; no import has a tenth of that."""
ID_PATTERN = r"^[0-9a-f]{24}$"


def moment_text(moment: datetime) -> str:
    """The moment as integrator.io writes it: UTC, with milliseconds and a Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Moment = Annotated[datetime, PlainSerializer(moment_text, return_type=str)]
Id = Annotated[str, Field(pattern=ID_PATTERN)]
Told = Annotated[str, BeforeValidator(lambda value: "" if value is None else str(value))]
"""A text of the vendor's, which may come as a number or not at all."""


def encoded(value: object) -> bytes:
    """The JSON of the value; any text can be said in it."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()


def decoded(body: bytes, *, exact: bool = False) -> object:
    """What the JSON says.

    Args:
        exact: a number that is none of the whole ones keeps its digits, as a Decimal.

    Raises:
        ValueError: it is no JSON, too deep, or has a number that is too large to be kept.
    """
    try:
        found = json.loads(body, parse_constant=_refused, parse_float=_exact if exact else _finite)
    except RecursionError as error:
        raise ValueError("objects and arrays in each other without end") from error
    _refuse_deep(found)
    return found


class _Answer(Message):
    """A message without the fields that have nothing to say."""

    def encode(self) -> bytes:
        """The message as it goes over the wire."""
        return encoded(self.model_dump(by_alias=True, exclude_none=True))


class ApiError(_Answer):
    """One thing that is wrong.

    Attributes:
        code: what clients branch on.
        field: where in the document; None where it is no field's.
    """

    code: str
    message: str
    field: str | None = None


class ErrorEnvelope(_Answer):
    """The body of every refusal."""

    errors: tuple[ApiError, ...] = Field(min_length=1)


OUTCOME_UNKNOWN = "outcome_unknown"
"""Code of ours: of a record that may have been taken."""


class RecordError(_Answer):
    """One thing that is wrong with a record.

    Attributes:
        source: which step found it, such as `mapping`, `lookup` or `application`.
        field: as the import calls it; None for the record as a whole.
    """

    code: Told = ""
    message: Told = ""
    source: str | None = None
    field: str | None = None


class RecordResult(_Answer):
    """What became of one record of an invoke.

    Attributes:
        status_code: 200, 401 where the connection is offline, or 422.
        id: of the record in the system where it went.
        ignored: it was skipped, because it was there already or was not.
    """

    status_code: int
    raw: Any = Field(default_factory=dict, alias="_json")
    id: Told | None = None
    ignored: bool | None = None
    errors: tuple[RecordError, ...] | None = None


_RESULTS = TypeAdapter(tuple[RecordResult, ...])


def encode_results(results: tuple[RecordResult, ...]) -> bytes:
    """The answer to an invoke."""
    return encoded([result.model_dump(by_alias=True, exclude_none=True) for result in results])


def decode_results(body: bytes) -> tuple[RecordResult, ...]:
    """What an answer to an invoke says.

    Raises:
        ValueError: it is none.
    """
    return _RESULTS.validate_json(body)


class InvokeRequest(Message):
    """Records for an import, and what its mapping sees beside them."""

    data: tuple[dict[str, Any], ...]
    settings: dict[str, Any] | None = None

    def encode(self) -> bytes:
        """The request as it goes over the wire: an array, or an object where there are settings."""
        records = list(self.data)
        return encoded(records if self.settings is None else {"data": records, "settings": self.settings})

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """What an array, an object with `data`, or one record alone says.

        Raises:
            ValueError: it is none of these.
        """
        found = decoded(body, exact=True)
        if isinstance(found, list):
            return cls.model_validate({"data": found})
        if isinstance(found, dict) and "data" not in found:
            return cls(data=(found,))
        return cls.model_validate(found)


class CloneRequest(_Answer):
    """How a clone differs.

    Attributes:
        connection_map: id of a connection → that of the one to use instead.
    """

    name: str | None = None
    connection_map: dict[str, str] | None = None
    sandbox: bool | None = None


class ReplaceConnection(Message):
    """The connection that an import is to use from now on."""

    new_connection_id: str = Field(alias="_newConnectionId")


class PatchOperation(Message):
    """One operation of a JSON Patch (RFC 6902)."""

    op: str
    path: str
    value: Any = None


class User(_Answer):
    """Who did something."""

    id: str = Field(alias="_id")
    name: str
    email: str | None = None


class FieldChanged(Message):
    """One field that says something else."""

    field_path: str
    old_value: Any = None
    new_value: Any = None


class AuditEntry(Message):
    """One change; `field_change` is missing where the import as a whole was made or removed."""

    id: str = Field(alias="_id")
    resource_type: str = "import"
    resource_id: str = Field(alias="_resourceId")
    event: str
    source: str
    time: Moment
    by_user: User
    field_change: FieldChanged | None = None

    def plain(self) -> dict[str, Any]:
        """The entry as plain JSON values."""
        said = self.model_dump(by_alias=True)
        if self.by_user.email is None:
            del said["byUser"]["email"]
        if self.field_change is None:
            del said["fieldChange"]
        return said


class TokenInfo(_Answer):
    """Whose a token is."""

    user_id: str = Field(alias="_userId")
    scope: str


def _exact(digits: str) -> Decimal:
    try:
        return Decimal(digits)
    except InvalidOperation as error:
        raise _out_of_range(digits) from error


def _finite(digits: str) -> float:
    # An infinite one could be kept, and never be said again: JSON has none.
    if not math.isfinite(number := float(digits)):
        raise _out_of_range(digits)
    return number


def _out_of_range(digits: str) -> ValueError:
    return ValueError(f"the number {digits[:40]} is out of range")


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _refuse_deep(value: object) -> None:
    """Walks level by level, so that no depth is too much for it."""
    level = [value]
    for _ in range(MOST_DEPTH):
        level = [part for found in level for part in _parts(found)]
        if not level:
            return
    raise ValueError(f"objects and arrays lie more than {MOST_DEPTH} deep in each other")


def _parts(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
