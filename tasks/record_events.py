"""What a webhook is told of one record, its stable id and its signature, as Standard Webhooks says."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

import polars as pl

from schemas.chunk import CHUNK_ROWS, LETTERS, Page
from schemas.definition import Definition, Field
from schemas.destination import KEEP
from schemas.field_types import FieldType
from schemas.job import Outcome
from schemas.webhook import RecordEvent

_NAMESPACE = UUID("a4b6d0a6-4c1b-5f4a-9d27-3f7f6b1c2e90")
_EVENTS = {Outcome.CREATED: RecordEvent.CREATED, Outcome.UPDATED: RecordEvent.UPDATED}
EVENT_OF_LETTER: Mapping[str, RecordEvent] = {
    letter: _EVENTS[outcome] for letter, (outcome, _) in LETTERS.items() if outcome in _EVENTS
}
"""The letters of a page whose rows became or changed a record."""
_DOCUMENTS = frozenset({FieldType.JSON, FieldType.MULTICHOICE})
"""Types whose typed value is the text of a JSON document."""


@dataclass(frozen=True)
class RecordTold:
    """One record, to be told of.

    Attributes:
        place: 0-based place of its row in the chunk.
        ordinal: of its row, 0-based among the data rows of the file.
        data: plain JSON.
    """

    place: int
    ordinal: int
    event: RecordEvent
    data: Mapping[str, Any]


def told_records(job_id: str, definition: Definition, page: Page, frame: pl.DataFrame) -> Iterator[RecordTold]:
    """The records that the chunk created or updated, in the order of the file.

    Args:
        frame: (n_rows, …) of the same chunk, as it was staged.
    """
    fields = [field for field in definition.fields if field.name in frame.columns]
    for place, letter in enumerate(page.letters):
        event = EVENT_OF_LETTER.get(letter)
        if event is None:
            continue
        row = frame.row(place, named=True)
        key = page.target_ids[place]
        data = {
            "job": job_id,
            "definition": definition.name,
            "row": page.row_numbers[place],
            "key": None if key is None else json.loads(key),
            "record": {f.name: _plain(f, row[f.name]) for f in fields if not row.get(KEEP + f.name)},
        }
        yield RecordTold(place, page.chunk * CHUNK_ROWS + place, event, data)


def message_id(job_id: str, ordinal: int, webhook: int) -> str:
    """The id of the event of this row for this webhook (0-based place): the same whenever it is sent."""
    return f"msg_{uuid5(_NAMESPACE, f'{job_id}/{ordinal}/{webhook}').hex}"


def message_body(record: RecordTold, now: datetime) -> bytes:
    """What is sent."""
    told = {"type": f"record.{record.event}", "timestamp": _moment(now), "data": record.data}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def signed_headers(key: bytes, message: str, body: bytes, now: datetime) -> dict[str, str]:
    """The headers by which the receiver knows that the message is ours and fresh."""
    timestamp = str(int(now.timestamp()))
    signed = hmac.new(key, b".".join([message.encode(), timestamp.encode(), body]), hashlib.sha256).digest()
    return {
        "content-type": "application/json",
        "webhook-id": message,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
    }


def _plain(field: Field, value: Any) -> Any:  # noqa: ANN401
    """The typed value as JSON has it: decimals, dates and times as text, durations as seconds."""
    if field.type in _DOCUMENTS and value is not None:
        return json.loads(value)
    match value:
        case datetime():
            return _moment(value.replace(tzinfo=UTC)) if field.timezone else value.isoformat()
        case date() | time():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case Decimal():
            return f"{value.normalize():f}"
        case _:
            return value


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
