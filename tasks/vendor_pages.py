"""What became of the rows of a job whose records went to a vendor, by what the vendor told; asks nobody."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from schemas.chunk import Page, chunk_total
from schemas.definition import Mode
from schemas.destination import Verdict
from schemas.row_error import RowError
from store.database import Store
from store.deliveries import list_deliveries
from store.delivery_tables import Delivery, DeliveryState
from store.tables import Job
from tasks.locating import Locator
from tasks.staging import ORDINAL, ROW, VERDICT, Stage
from tasks.vendor_told import Told, letters_of

SHOWN_REMARKS = 20
_FAILED = "F"
_UNTOLD = "the vendor refused the record and does not say why"


@dataclass(frozen=True)
class Accounted:
    """All that is known of the good rows of a job, in their order.

    Attributes:
        letters: one of `schemas.chunk.LETTERS` for each good row.
        messages: 0-based place among the good rows → (field, the vendor's words) of each thing it said.
        remarks: what the vendor said of records without telling which.
        counts: what it counted, over all parts; None where it told none.
    """

    letters: str
    messages: Mapping[int, Sequence[tuple[str | None, str]]]
    remarks: Sequence[str]
    counts: Mapping[str, int] | None


def accounted(store: Store, job: Job) -> Accounted:
    """What the vendor told of the job, as it is kept; rows that were never handed over are unprocessed."""
    with store.read() as session:
        deliveries = list_deliveries(session, job.id)
    letters: list[str] = []
    messages: dict[int, list[tuple[str | None, str]]] = {}
    remarks: list[str] = []
    counts: dict[str, int] = {}
    for delivery in deliveries:
        told = Told() if delivery.result is None else Told.from_bytes(delivery.result)
        letters.append(_letters(delivery, told))
        for refused in told.refused:
            if refused.place is None or refused.place >= delivery.records:
                remarks.append(refused.message)
            else:
                place = delivery.first_record + refused.place
                messages.setdefault(place, []).append((refused.field, refused.message))
        for outcome, number in (told.counts or {}).items():
            counts[outcome] = counts.get(outcome, 0) + number
    return Accounted("".join(letters), messages, remarks, counts or None)


def vendor_pages(known: Accounted, staged: Stage, job: Job, locator: Locator) -> Iterator[Page]:
    """The page of each chunk."""
    first_record = 0
    for chunk in staged.chunks(0, chunk_total(job.rows or 0) - 1):
        rows = list(zip(*(chunk.frame[name] for name in (ORDINAL, ROW, VERDICT)), strict=True))
        places = accumulate((verdict == Verdict.GOOD for *_, verdict in rows), initial=first_record)
        placed = [(*row, place) for row, place in zip(rows, places, strict=False)]
        letters = [_letter(known, verdict, place) for *_, verdict, place in placed]
        first_record += sum(verdict == Verdict.GOOD for *_, verdict in rows)
        errors = [
            RowError("vendor.refused", message, ordinal, row, field=field)
            for (ordinal, row, verdict, place), letter in zip(placed, letters, strict=True)
            if verdict == Verdict.GOOD and letter == _FAILED
            for field, message in known.messages.get(place, [(None, _UNTOLD)])
        ]
        said = "".join(letters).replace(_FAILED, "G" if job.mode is Mode.UPDATE else _FAILED)
        numbers = tuple(row for _, row, _ in rows)
        yield Page(chunk.chunk, said, numbers, (None,) * len(rows), tuple(locator.locate(errors)))


def remarks_text(known: Accounted) -> list[str]:
    """Sentences for people on what the vendor said of records that it does not tell from others."""
    more = len(known.remarks) - SHOWN_REMARKS
    said = [f"the vendor says: {remark}" for remark in known.remarks[:SHOWN_REMARKS]]
    return [*said, f"the vendor says {more:,} things more of rows that it does not name"] if more > 0 else said


def _letter(known: Accounted, verdict: int, place: int) -> str:
    """Of a row; a good one stands at this 0-based place among the good rows."""
    if verdict != Verdict.GOOD:
        return "I" if verdict == Verdict.IGNORED else _FAILED
    return known.letters[place] if place < len(known.letters) else "P"


def _letters(delivery: Delivery, told: Told) -> str:
    match delivery.state:
        case DeliveryState.DONE:
            return letters_of(told, delivery.records)
        case DeliveryState.REFUSED:
            failed = {refused.place for refused in told.refused}
            return "".join("F" if place in failed else "P" for place in range(delivery.records))
        case DeliveryState.PENDING:
            return "P" * delivery.records
        case _:
            return "Q" * delivery.records
