"""From records as they came to rows of text that can be checked, field by field; knows no file and no store."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from json.encoder import encode_basestring

import polars as pl

from schemas.casting import BLANKS
from schemas.definition import Definition
from schemas.destination import KEEP
from schemas.headers import known_headers, normalise
from schemas.mapping import Mapper
from schemas.row_error import VALUE_CHARACTERS, RowError
from schemas.text_table import ErrorCell, MalformedRow, TextBlock
from tasks.checking import CheckedBlock, Checker
from tasks.mapped_columns import plain_extracts

_PLAIN_DIGITS = 40
"""A number with more zeros than this stays in the form with an exponent."""
_WORDS = {None: "null", True: "true", False: "false"}


Fault = tuple[str, str, str | None, str | None]


@dataclass(frozen=True)
class Said:
    """What one record says, in the fields of the definition.

    Attributes:
        values: field → value; none of a field that it leaves out.
        left_out: fields that it leaves out: an update keeps what is there.
        faults: code, message, field (None: the record as a whole) and value of what can't be made of it.
    """

    values: Mapping[str, object]
    left_out: frozenset[str] = frozenset()
    faults: Sequence[Fault] = ()


Say = Callable[[Mapping[str, object], int], Said]
"""What a record says; the number is its 0-based place among those that came together."""


def mapped(definition: Definition, settings: Mapping[str, object]) -> Say:
    """What the definition's mapping makes of a record.

    Args:
        settings: what a template sees beside the record.
    """
    mapper = Mapper(definition.mapping, definition.lookups, settings)
    names = {f.target: f.name for f in definition.fields}
    read = plain_extracts(definition)

    def say(record: Mapping[str, object], place: int) -> Said:
        made = mapper.map(record, place)
        values = {names[target]: value for target, value in made.values.items()}
        faults: list[Fault] = []
        for fault in made.faults:
            value = _quoted(record.get(read.get(fault.field, "")))
            faults.append((fault.code, fault.message, names.get(fault.field.split(".")[0]), value))
        return Said(values, frozenset(names[target] for target in made.absent), faults)

    return say


def as_it_came(definition: Definition) -> Say:
    """What a record says where there is no mapping: its keys are headers; what it lacks it leaves out."""
    known, every = known_headers(definition), frozenset(f.name for f in definition.fields)
    is_strict = definition.policies.unknown_columns == "error"
    names: dict[str, str | None] = {}

    def say(record: Mapping[str, object], _place: int) -> Said:
        values: dict[str, object] = {}
        faults: list[Fault] = []
        for key, value in record.items():
            if key not in names:
                names[key] = known.get(normalise(key))
            name = names[key]
            if name is None:
                if is_strict:
                    faults.append(("header.unknown", f"no field claims {key!r}", None, None))
            elif name in values:
                told = f"several keys feed the field {name!r}; keep one of them"
                faults.append(("header.duplicate", told, name, _quoted(value)))
            else:
                values[name] = value
        return Said(values, every - values.keys(), faults)

    return say


@dataclass
class Rows:
    """Consecutive records as text, being collected.

    Attributes:
        fields: whose texts are collected, in the order of the block's columns.
        first_ordinal: of the first of them.
        numbers: row numbers, 1-based, as the user sees them.
        faults: what is wrong with them so far.
        malformed: those among them that have no cells, in order of ordinal.
    """

    fields: Sequence[str]
    first_ordinal: int = 0
    numbers: list[int] = field(default_factory=list)
    faults: list[RowError] = field(default_factory=list)
    malformed: list[MalformedRow] = field(default_factory=list)
    _cells: dict[str, list[str | None]] = field(default_factory=dict)
    _left_out: dict[str, list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Begin with no rows."""
        self._cells = {name: [] for name in self.fields}

    def add(self, said: Said, number: int) -> None:
        """Put what a record says behind the others."""
        place = len(self.numbers)
        for field_name, cells in self._cells.items():
            cells.append(as_text(said.values.get(field_name)))
        for left_out in said.left_out:
            self._left_out.setdefault(left_out, []).append(place)
        ordinal = self.first_ordinal + place
        for code, message, name, value in said.faults:
            self.faults.append(RowError(code, message, ordinal, number, field=name, value=value))
        self.numbers.append(number)

    def check(
        self, checker: Checker, lines: pl.Series | None, error_cells: Iterable[ErrorCell] = ()
    ) -> CheckedBlock:
        """The rows checked; a fault of a field goes before whatever else is wrong with it."""
        cells = pl.DataFrame(
            [pl.Series(str(i), cells, dtype=pl.String) for i, cells in enumerate(self._cells.values())]
        )
        cells = cells.with_columns(pl.when(pl.all().str.strip_chars(BLANKS) != "").then(pl.all()).name.keep())
        numbers = pl.Series("row", self.numbers, dtype=pl.UInt32)
        block = TextBlock(self.first_ordinal, cells, numbers, lines, tuple(self.malformed), tuple(error_cells))
        checked = checker.check(block, self.faults)
        return replace(checked, frame=checked.frame.with_columns(self._keeping(len(self.numbers))))

    def _keeping(self, n_rows: int) -> Iterator[pl.Series]:
        for name, places in self._left_out.items():
            if name in self._cells:
                marks = pl.Series(KEEP + name, [False] * n_rows, dtype=pl.Boolean)
                yield marks.scatter(places, True)


def as_text(value: object) -> str | None:
    """A value as the text of a cell; None where there is none."""
    match value:
        case None | str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return int.__repr__(value)
        case float() | Decimal():
            return _digits(value)
        case _:
            return json_text(value)


def json_text(value: object) -> str:
    """The value as JSON without blanks, its numbers digit by digit.

    Raises:
        RecursionError: it is nested too deeply.
    """
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except TypeError:
        return _exact(value)


def _exact(value: object) -> str:
    """The JSON of a value in which there are decimals."""
    match value:
        case str():
            return encode_basestring(value)
        case bool() | None:
            return _WORDS[value]
        case int() | Decimal():
            return str(value)
        case Mapping():
            return f"{{{','.join([f'{encode_basestring(str(k))}:{_exact(v)}' for k, v in value.items()])}}}"
        case list() | tuple():
            return f"[{','.join([_exact(v) for v in value])}]"
        case _:
            return json.dumps(value)


def _quoted(value: object) -> str | None:
    """How an error quotes a value."""
    text = as_text(value)
    return None if text is None else text[:VALUE_CHARACTERS]


def _digits(number: float | Decimal) -> str:
    text = str(number)
    if "e" not in text and "E" not in text:
        return text
    exact = Decimal(text)
    return f"{exact:f}" if abs(exact.adjusted()) < _PLAIN_DIGITS else text
