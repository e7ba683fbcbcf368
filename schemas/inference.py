"""From a table of text to the definition that accepts every row of it."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field as default

import polars as pl

from schemas.casting import BLANKS, cast_column
from schemas.date_order import DateOrder, swapped_format
from schemas.definition import MOST_FIELDS, Definition, Field, Mode
from schemas.destination_document import TableDestination
from schemas.errors import FileRefusedError
from schemas.field_types import FieldType
from schemas.headers import FAILED_ROWS_COLUMN, normalise
from schemas.text_table import Cells, Detected, TextBlock

CANDIDATES: tuple[Field, ...] = (
    Field(name="f", type=FieldType.INTEGER),
    Field(name="f", type=FieldType.NUMBER),
    Field(name="f", type=FieldType.DECIMAL),
    Field(name="f", type=FieldType.BOOLEAN),
    Field(name="f", type=FieldType.DATE),
    Field(name="f", type=FieldType.DATE, format="%m/%d/%Y"),
    Field(name="f", type=FieldType.DATE, format="%d/%m/%Y"),
    Field(name="f", type=FieldType.DATE, format="%m-%d-%Y"),
    Field(name="f", type=FieldType.DATE, format="%d-%m-%Y"),
    Field(name="f", type=FieldType.DATE, format="%d.%m.%Y"),
    Field(name="f", type=FieldType.DATE, format="%Y/%m/%d"),
    Field(name="f", type=FieldType.TIME),
    Field(name="f", type=FieldType.DATETIME),
    Field(name="f", type=FieldType.DATETIME, format="%m/%d/%Y %H:%M"),
    Field(name="f", type=FieldType.DATETIME, format="%d/%m/%Y %H:%M"),
    Field(name="f", type=FieldType.DATETIME, format="%m/%d/%Y %H:%M:%S"),
    Field(name="f", type=FieldType.DATETIME, format="%d/%m/%Y %H:%M:%S"),
    Field(name="f", type=FieldType.DATETIME, format="%d.%m.%Y %H:%M"),
    Field(name="f", type=FieldType.DATETIME, format="%d.%m.%Y %H:%M:%S"),
    Field(name="f", type=FieldType.UUID),
)
"""What a column may be, the first that takes every value wins; text takes everything."""

_INDEX = {candidate.format: index for index, candidate in enumerate(CANDIDATES) if candidate.format}
_OTHER_ORDER = {
    index: _INDEX[other]
    for form, index in _INDEX.items()
    if (other := swapped_format(form)) in _INDEX and index < _INDEX[other]
}
"""Month-first candidate → the one that differs from it by the order of day and month alone."""

_TEXT = len(CANDIDATES)
"""Stands for no candidate at all, where the candidates stand by their index."""

FLOAT_DIGITS = 15
"""Every number of so many digits comes out of a float as it went in; one written with more is a decimal."""

NEARLY = 0.95
"""A column of text whose values are nearly all of another type is pointed out."""


@dataclass
class _Guess:
    """What is known of one column so far.

    Attributes:
        misfits: by candidate.
        hashes: of the values as each candidate reads them, 8 bytes a value and block; a candidate goes once a
            value does not fit it or stood twice in a block. `1.0` and `1.00` are two texts and one number.
        orders: month-first candidate → what the order of the rows says, as long as all dates read both ways.
    """

    values: int = 0
    blanks: int = 0
    misfits: dict[int, int] = default(default_factory=lambda: dict.fromkeys(range(_TEXT), 0))
    hashes: dict[int, list[pl.Series]] = default(default_factory=lambda: {i: [] for i in range(_TEXT + 1)})
    orders: dict[int, DateOrder] = default(
        default_factory=lambda: {
            first: DateOrder(CANDIDATES[first], CANDIDATES[second].format or "")
            for first, second in _OTHER_ORDER.items()
        }
    )

    def add(self, text: pl.Series, cells: Cells) -> None:
        present = text.drop_nulls()
        self.values += present.len()
        self.blanks += text.len() - present.len()
        for index, candidate in enumerate(CANDIDATES):
            if self.misfits[index] <= (1 - NEARLY) * self.values:
                self._add_as(index, present, candidate, cells)
        self._add_hashes(_TEXT, present.str.strip_chars(BLANKS))

    def _add_as(self, index: int, present: pl.Series, candidate: Field, cells: Cells) -> None:
        values, misfits = _read_as(present, candidate, cells)
        self.misfits[index] += misfits
        self._add_hashes(index, values)
        if index in self.orders:
            if misfits:
                del self.orders[index]
            else:
                self.orders[index].add(present, values, cells)

    def _add_hashes(self, index: int, values: pl.Series) -> None:
        if self.blanks or self.misfits.get(index) or values.n_unique() < values.len():
            self.hashes.pop(index, None)
        elif index in self.hashes:
            self.hashes[index].append(values.hash(seed=0))

    @property
    def may_be_key(self) -> bool:
        """All there and all different, as values of the type that the column has."""
        hashes = self.hashes.get(CANDIDATES.index(self.fitting) if self.fitting else _TEXT)
        return bool(self.values and hashes and pl.concat(hashes).n_unique() == self.values)

    @property
    def fitting(self) -> Field | None:
        first = self._first
        if first is None:
            return None
        return CANDIDATES[_OTHER_ORDER[first] if self.order and self.order.speaks_otherwise else first]

    @property
    def order(self) -> DateOrder | None:
        """What the order of the rows says where every date reads both ways; None elsewhere."""
        first = self._first
        if first not in _OTHER_ORDER or self.misfits[_OTHER_ORDER[first]]:
            return None
        return self.orders[first]

    @property
    def _first(self) -> int | None:
        return next((i for i in range(_TEXT) if self.values and not self.misfits[i]), None)

    @property
    def nearly_fitting(self) -> tuple[Field, int] | None:
        """The candidate that all but a few values fit, and how many don't."""
        near = [(m, i) for i, m in self.misfits.items() if 0 < m <= (1 - NEARLY) * self.values]
        return (CANDIDATES[min(near)[1]], min(near)[0]) if near else None


def _read_as(present: pl.Series, candidate: Field, cells: Cells) -> tuple[pl.Series, int]:
    """The values as the candidate reads them, and how many of them are none of its."""
    if candidate.type in _MORE_THAN_CASTING:
        fits = present.str.strip_chars().str.contains(_MORE_THAN_CASTING[candidate.type])
        if not fits.all():
            return present, int((~fits).sum())
    if candidate.type is FieldType.NUMBER and cells is Cells.TEXT:
        too_long = _digits(present) > FLOAT_DIGITS
        if too_long.any():
            return present, int(too_long.sum())
    column = cast_column(present, candidate, cells)
    return column.values, sum(int(mask.sum()) for mask in column.failures.values())


def _digits(numbers: pl.Series) -> pl.Series:
    """How many digits of each number say something."""
    mantissas = numbers.str.replace(r"[eE].*$", "").str.replace_all(r"\D", "")
    return mantissas.str.strip_chars_start("0").str.len_chars()


_MORE_THAN_CASTING = {
    # A leading zero or plus is part of an identifier or a telephone number, not of a number.
    FieldType.INTEGER: r"^(0|-?[1-9]\d*)$",
    FieldType.NUMBER: r"^-?(0|[1-9]\d*)(\.\d+([eE][+-]?\d+)?)?$",
    FieldType.DECIMAL: r"^-?(0|[1-9]\d*)(\.\d+)?$",
    FieldType.BOOLEAN: r"^(?i:true|false|yes|no|wahr|falsch|ja|nein|vrai|faux|oui|non|verdadero|falso|vero)$",
}


@dataclass(frozen=True)
class Inference:
    """A definition that accepts the file, and what a person may want to change in it.

    Attributes:
        notes: sentences for people.
    """

    definition: Definition
    notes: tuple[str, ...]


def infer_definition(name: str, detected: Detected, blocks: Iterable[TextBlock]) -> Inference:
    """The definition named `name` that takes every row which is well formed.

    The key is the first column whose values are all there and all different; without one, mode is insert.
    """
    if len(detected.columns) > MOST_FIELDS:
        count = f"{len(detected.columns):,} columns"
        raise FileRefusedError(
            "file.header", f"the header has {count}, and a definition takes {MOST_FIELDS:,} fields at most"
        )
    _refuse_duplicates([column.header for column in detected.columns])
    guesses = [_Guess() for _ in detected.columns]
    for block in blocks:
        sound = pl.Series([True] * block.cells.height, dtype=pl.Boolean)
        if block.malformed:
            sound = sound.scatter([m.ordinal - block.first_ordinal for m in block.malformed], values=False)
        for guess, column in zip(guesses, block.cells.filter(sound).get_columns(), strict=True):
            guess.add(column, detected.cells)
    return _compose(name, detected, guesses)


def _refuse_duplicates(headers: list[str]) -> None:
    seen: dict[str, str] = {}
    for header in filter(normalise, headers):
        if normalise(header) in seen:
            raise FileRefusedError(
                "header.duplicate",
                f"two columns are called {header!r}; rename one of them, or declare which is meant",
            )
        seen[normalise(header)] = header


def _compose(name: str, detected: Detected, guesses: list[_Guess]) -> Inference:
    fields: list[Field] = []
    key: tuple[str, ...] = ()
    notes: list[str] = []
    taken: set[str] = set()
    for column, guess in zip(detected.columns, guesses, strict=True):
        if normalise(column.header) == FAILED_ROWS_COLUMN:
            continue
        if not column.header.strip():
            notes.append(f"column {column.letter} has no header; it is left out")
            continue
        field_name = _field_name(column.header, taken)
        base = guess.fitting or Field(name="f")
        key = (field_name,) if not key and guess.may_be_key else key
        required = bool(guess.values) and not guess.blanks
        fields.append(
            base.model_copy(update={"name": field_name, "header": (column.header,), "required": required})
        )
        notes += _near_note(column.header, guess) + _order_note(column.header, guess)
    definition = Definition(
        name=name,
        key=key,
        mode=Mode.UPSERT if key else Mode.INSERT,
        fields=tuple(fields),
        destination=TableDestination(table=name.replace("-", "_")),
    )
    return Inference(definition, (_key_note(definition), *notes))


def _key_note(definition: Definition) -> str:
    if not definition.key:
        return "no column tells the rows apart: each row is a new record, also when the file is brought again"
    header = definition.field(definition.key[0]).headers[0]
    return f"{header!r} tells the records apart: a row with a known {header!r} updates its record"


def _near_note(header: str, guess: _Guess) -> list[str]:
    near = None if guess.fitting else guess.nearly_fitting
    if near is None:
        return []
    candidate, misfits = near
    form = f" of the form {candidate.format}" if candidate.format else ""
    count = (
        f"{guess.values - misfits:,} of its {guess.values:,} values are of type {candidate.type.value}{form}"
    )
    return [f"{header!r} is taken as text: {count}; declare that type to have the other {misfits:,} refused"]


def _order_note(header: str, guess: _Guess) -> list[str]:
    order = guess.order
    if order is None:
        return []
    first = "day" if order.speaks_otherwise else "month"
    said = f"every date of {header!r} reads both ways; the {first} is taken to come first"
    declared, swapped = order.steps
    if declared == swapped:
        return [f"{said}, and the order of the rows does not tell: look at it"]
    way = "back" if order.is_rising else "forward"
    fewer, more = sorted((declared, swapped))
    return [f"{said}: the rows then go {way} in time {fewer:,} times, not {more:,}"]


def _field_name(header: str, taken: set[str]) -> str:
    base = re.sub(r"[^a-z0-9]+", "_", _ascii(header)).strip("_")[:50] or "column"
    base = base if base[0].isalpha() and not base.startswith("lading_") else f"c_{base}"
    name, number = base, 2
    while name in taken:
        name, number = f"{base}_{number}", number + 1
    taken.add(name)
    return name


def definition_name(file_name: str) -> str:
    """The name that an inferred definition is kept under: `Q1 Report.csv.gz` becomes `q1_report`."""
    stem = re.sub(r"[^a-z0-9-]+", "_", _ascii(file_name.partition(".")[0])).strip("_-")[:50]
    stem = stem or "import"
    return stem if stem[0].isalpha() and not stem.startswith(("lading_", "sqlite_")) else f"import_{stem}"


def _ascii(text: str) -> str:
    """The text in lower-case ASCII letters: `Größe` becomes `grosse`."""
    return unicodedata.normalize("NFKD", text.casefold()).encode("ascii", "ignore").decode()
