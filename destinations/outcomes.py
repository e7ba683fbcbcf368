"""Keeps the letter, the id and the error of every row of a load, and makes the chunks' pages of them."""

import json
from collections.abc import Iterable, Iterator, Sequence

import polars as pl

from destinations.poison import Refusals
from schemas.chunk import Page
from schemas.codes import CODES
from schemas.definition import Definition, Mode
from schemas.destination import StagedChunk, Verdict
from schemas.row_error import RowError

SEQ = "#seq"
"""Column with a row's place (0-based) in the load; no field can be named so."""

_EXISTING = "E"
"""A row ignored because its key is there already: an I with an id."""

_HAVE_IDS = "CUN" + _EXISTING


class Outcomes:
    """What becomes of each row of one load; a record is named by its sequence number (0-based).

    Args:
        rows: (n_rows, …) all rows of the load, in order, with `SEQ`, `_ordinal`, `_row` and `_verdict`.
    """

    def __init__(self, definition: Definition, rows: pl.DataFrame) -> None:
        failed = b"G" if definition.mode is Mode.UPDATE else b"F"
        letters = bytes.maketrans(bytes([Verdict.GOOD, Verdict.FAILED, Verdict.IGNORED]), b"P" + failed + b"I")
        self._letters = bytearray(rows["_verdict"].cast(pl.UInt8).to_numpy().tobytes().translate(letters))
        self._rows = rows
        self._definition = definition
        self._fields = {f.name.lower(): f.name for f in definition.fields}
        self._errors: dict[int, RowError] = {}
        self._ids: dict[int, str] = {}

    def mark(self, letter: str, records: Iterable[int]) -> None:
        """This letter for each of the records."""
        code, letters = ord(letter), self._letters
        for record in records:
            letters[record] = code

    def note_existing(self, records: list[int], *, fails: bool) -> None:
        """Mode insert met these keys at the destination."""
        self.mark("F" if fails else _EXISTING, records)
        if fails:
            self._blame_key("load.exists", records)

    def note_missing(self, records: list[int], *, fails: bool) -> None:
        """Mode update did not find these keys."""
        self.mark("G" if fails else "I", records)
        if fails:
            self._blame_key("load.missing", records)

    def note_refused(self, letter: str, refused: Refusals) -> None:
        """The destination refused these records."""
        self.mark(letter, refused)
        for record, refusal in refused.items():
            field = self._fields.get(refusal.column.lower()) if refusal.column else None
            self._blame(record, "load.constraint", field, detail=refusal.detail)

    def note_keys(self, stored: Iterable[tuple[int, tuple[object, ...]]]) -> None:
        """The keys of these records as the destination keeps them, where the file's may differ."""
        self._ids.update((record, _json_list(key)) for record, key in stored)

    def pages(self, chunks: Sequence[StagedChunk], *, keys_are_stored: bool) -> Iterator[Page]:
        """One page for each of the chunks, which are those of the load, in the same order.

        Args:
            keys_are_stored: the file's keys are those at the destination, letter by letter; else only
                what `note_keys` told makes an id.
        """
        letters = self._letters.decode()
        ids = self._ids_by_row(letters, keys_are_stored=keys_are_stored)
        numbers = self._rows["_row"].to_list()
        first = 0
        for chunk in chunks:
            end = first + chunk.frame.height
            errors = (
                tuple(self._errors[r] for r in range(first, end) if r in self._errors) if self._errors else ()
            )
            shown = letters[first:end].replace(_EXISTING, "I")
            yield Page(chunk.chunk, shown, tuple(numbers[first:end]), tuple(ids[first:end]), errors)
            first = end

    def _ids_by_row(self, letters: str, *, keys_are_stored: bool) -> list[str | None]:
        if not self._definition.key:
            return [None] * len(letters)
        if not keys_are_stored:
            known = [self._ids.get(record) for record in range(len(letters))]
        else:
            known = self._rows.select(_key_as_json(self._definition.key)).to_series().to_list()
        return [found if letter in _HAVE_IDS else None for found, letter in zip(known, letters, strict=True)]

    def _blame_key(self, code: str, records: list[int]) -> None:
        key = self._definition.key
        for record in records:
            self._blame(record, code, key[0] if len(key) == 1 else None)

    def _blame(self, record: int, code: str, field: str | None, **values: str) -> None:
        ordinal, row = self._rows["_ordinal"][record], self._rows["_row"][record]
        self._errors[record] = RowError(code, CODES[code].says(**values), ordinal, row, field=field)


def _key_as_json(key: tuple[str, ...]) -> pl.Expr:
    """The stored key, of texts and integers, as the JSON list that `json.dumps` would write."""
    values = [pl.struct(name).struct.json_encode().str.slice(len(name) + 4).str.head(-1) for name in key]
    return pl.concat_str([pl.lit("["), *_joined(values), pl.lit("]")])


def _joined(values: list[pl.Expr]) -> Iterator[pl.Expr]:
    for place, value in enumerate(values):
        if place:
            yield pl.lit(",")
        yield value


def _json_list(key: tuple[object, ...]) -> str:
    return json.dumps(key, ensure_ascii=False, separators=(",", ":"), default=repr)
