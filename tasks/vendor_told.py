"""What a vendor told of a part at last, as it is kept until the rows of the job are accounted for."""

import json
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Self

from connectors.client import Look, Refused
from schemas.chunk import LETTERS
from schemas.job import Outcome

FIRST_RECORD_ROW = 2
"""The vendor counts the header as row 1."""
_LETTER: Mapping[str, str] = {outcome.value: letter for letter, (outcome, _) in reversed(LETTERS.items())}
"""Outcome → the letter of a row; a failed one was to be created, as far as we know."""
_TAKEN = (Outcome.CREATED, Outcome.UPDATED, Outcome.UNCHANGED, Outcome.IGNORED)


@dataclass(frozen=True)
class RefusedRecord:
    """A record that the vendor did not take.

    Attributes:
        place: 0-based among the records of the part; None where the vendor does not tell.
        field: of the definition; None where the record as a whole is meant.
        message: the vendor's own words.
    """

    place: int | None
    field: str | None
    message: str


@dataclass(frozen=True)
class Told:
    """All that is known of a settled part.

    Attributes:
        failed: why the vendor gave the part up as a whole; None where it did not.
        counts: as the vendor told them; None where it told none.
        letters: one of `schemas.chunk.LETTERS` for each record; None where the vendor does not tell each one.
    """

    failed: str | None = None
    counts: Mapping[str, int] | None = None
    refused: Sequence[RefusedRecord] = ()
    letters: str | None = None

    @classmethod
    def of(cls, look: Look, fields: Mapping[str, str]) -> Self:
        """What is kept of the last look.

        Args:
            fields: what the vendor calls a field → its name in the definition.
        """
        letters = None if look.outcomes is None else "".join(_LETTER[outcome] for outcome in look.outcomes)
        refused = tuple(refused_record(refused, fields) for refused in look.refused)
        return cls(look.failed, look.counts, refused, letters)

    def to_bytes(self) -> bytes:
        """As it is stored."""
        return zlib.compress(json.dumps(asdict(self), ensure_ascii=False).encode())

    @classmethod
    def from_bytes(cls, stored: bytes) -> Self:
        """What `to_bytes` gave."""
        kept = json.loads(zlib.decompress(stored))
        return cls(**kept | {"refused": tuple(RefusedRecord(**refused) for refused in kept["refused"])})


def refused_record(refused: Refused, fields: Mapping[str, str]) -> RefusedRecord:
    """What the vendor says of a record, in our words where it names a field that we know."""
    place = None if refused.row is None or refused.row < FIRST_RECORD_ROW else refused.row - FIRST_RECORD_ROW
    field = None if refused.field is None else fields.get(refused.field)
    unknown = refused.field if field is None else None
    message = refused.message if not unknown else f"{unknown}: {refused.message}"
    return RefusedRecord(place, field, message)


def letters_of(told: Told, records: int) -> str:
    """One letter for each of the part's records: what the vendor told of it, and nothing that is guessed.

    Records that are named as refused are failed. The others are what the vendor told of each, else what its
    totals leave as the only possibility for all of them, else unconfirmed.
    """
    failed = {refused.place for refused in told.refused if refused.place is not None}
    if told.letters is not None and len(told.letters) == records:
        letters = told.letters
    else:
        letters = _the_rest(told, records, sum(place < records for place in failed)) * records
    return "".join("F" if place in failed else letter for place, letter in enumerate(letters))


def _the_rest(told: Told, records: int, failed: int) -> str:
    """The letter of all records that are not named."""
    known = told.counts or {}
    counts = Counter({outcome: known.get(outcome.value, 0) for outcome in (*_TAKEN, Outcome.FAILED)})
    if told.failed is not None:
        taken = known.get("total", 0) or any(counts[outcome] for outcome in _TAKEN)
        return _LETTER[Outcome.UNCONFIRMED if taken or not known else Outcome.UNPROCESSED]
    rest = records - failed
    counts[Outcome.FAILED] -= failed
    (likely, number), *_ = counts.most_common(1)
    is_certain = counts.total() == number == rest and min(counts.values()) >= 0
    return _LETTER[likely if is_certain else Outcome.UNCONFIRMED]
