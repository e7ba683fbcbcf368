"""Chunks of up to 1,000 rows, and the page that says what became of each of them."""

import json
import zlib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from schemas.job import Counts, Outcome
from schemas.row_error import RowError

CHUNK_ROWS = 1_000
BLOCK_CHUNKS = 20
BLOCK_ROWS = CHUNK_ROWS * BLOCK_CHUNKS
"""Rows that a format yields at once: enough for polars and pandera to be quick, few enough for memory."""

LETTERS: dict[str, tuple[Outcome, str | None]] = {
    "C": (Outcome.CREATED, None),
    "U": (Outcome.UPDATED, None),
    "N": (Outcome.UNCHANGED, None),
    "I": (Outcome.IGNORED, None),
    "F": (Outcome.FAILED, "create"),
    "G": (Outcome.FAILED, "update"),
    "Q": (Outcome.UNCONFIRMED, None),
    "P": (Outcome.UNPROCESSED, None),
}
"""One letter a row: its outcome and, for a failed row, the action that was intended."""


def chunk_of(ordinal: int) -> int:
    """The chunk (0-based) in which the data row `ordinal` (0-based) stands."""
    return ordinal // CHUNK_ROWS


def chunk_total(rows: int) -> int:
    """How many chunks `rows` data rows make."""
    return -(-rows // CHUNK_ROWS)


_NO_ERRORS = ", []]"
"""How the JSON of a page without errors ends, and no other's."""


@dataclass(frozen=True)
class Page:
    """What became of one chunk: written in the transaction of its effect, copied to the job store later.

    The i-th element of each sequence belongs to the row with ordinal `chunk * 1000 + i`.

    Attributes:
        chunk: 0-based.
        letters: one letter of `LETTERS` a row.
        row_numbers: 1-based, as the user sees them in the file.
        target_ids: the record's id at the destination (its key as JSON), None where there is none.
        errors: what the destination said of failed rows; errors of validation stand in the job store.
    """

    chunk: int
    letters: str
    row_numbers: tuple[int, ...]
    target_ids: tuple[str | None, ...]
    errors: tuple[RowError, ...] = ()
    _stored: bytes | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def counts(self) -> Counts:
        """Rows per outcome in this chunk."""
        counts: Counter[str] = Counter()
        for letter, rows in Counter(self.letters).items():
            counts[LETTERS[letter][0].value] += rows
        return Counts(**counts)

    def to_bytes(self) -> bytes:
        """The page as stored: compressed JSON, without the chunk number, which is the row's key."""
        if self._stored is not None:
            return self._stored
        body = [self.letters, self.row_numbers, self.target_ids, [vars(e) for e in self.errors]]
        return zlib.compress(json.dumps(body, ensure_ascii=False).encode(), 1)

    @classmethod
    def from_bytes(cls, chunk: int, stored: bytes) -> "Page":
        """The page that `to_bytes` gave for this chunk."""
        body = zlib.decompress(stored).decode()
        errors = () if body.endswith(_NO_ERRORS) else tuple(RowError(**e) for e in json.loads(body)[-1])
        page = cls.__new__(cls)
        known = {"chunk": chunk, "letters": body[2 : body.index('"', 2)], "errors": errors, "_stored": stored}
        for name, value in known.items():
            object.__setattr__(page, name, value)
        return page

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> object:
            # Most pages are counted and copied as they are, and nobody asks for what is long in them.
            if name not in {"row_numbers", "target_ids"}:
                raise AttributeError(name)
            _, row_numbers, target_ids, _ = json.loads(zlib.decompress(self._stored))
            object.__setattr__(self, "row_numbers", tuple(row_numbers))
            object.__setattr__(self, "target_ids", tuple(target_ids))
            return object.__getattribute__(self, name)
