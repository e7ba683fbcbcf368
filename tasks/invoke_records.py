"""The records of an invoke, checked in memory: what of each goes to the destination, and what is wrong."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl
from polars import selectors as cs

from schemas.chunk import BLOCK_ROWS, CHUNK_ROWS
from schemas.definition import Definition
from schemas.destination import KEEP, StagedChunk
from schemas.errors import BodyError
from schemas.headers import Binding
from schemas.row_error import VALUE_CHARACTERS, RowError
from schemas.text_table import Column, Detected, MalformedRow
from tasks.checking import CheckedBlock, Checker
from tasks.mapped_rows import Rows, Said, as_it_came, json_text, mapped
from tasks.staging import LINE, RAW

MOST_CHARS = 128_000_000
"""That the records of one call may come to, once mapped: a text counts as often as it is taken."""
_NO_RECORD = Said({})


@dataclass(frozen=True)
class CheckedRecords:
    """All records of an invoke, each a row: the first is row 1, and line 1 of `lines`.

    Attributes:
        lines: the records as they came, as JSON Lines.
        detected: what that is as a file.
        frame: as a stage has it.
        errors: in order of ordinal.
    """

    lines: bytes
    detected: Detected
    frame: pl.DataFrame
    errors: list[RowError]

    def chunks(self) -> Iterator[StagedChunk]:
        """The records as a destination takes them."""
        frame = self.frame.select(~(cs.by_name(LINE) | cs.starts_with(RAW)))
        for chunk, first in enumerate(range(0, frame.height, CHUNK_ROWS)):
            yield StagedChunk(chunk, frame.slice(first, CHUNK_ROWS))


@dataclass(frozen=True)
class _Seen:
    """One record, with its line; `fault` says why it is none."""

    line: bytes
    record: Mapping[str, object]
    fault: MalformedRow | None = None


def check_records(
    definition: Definition, records: Sequence[object], settings: Mapping[str, object], most_columns: int
) -> CheckedRecords:
    """Map the records, where the definition says how, and check each; none of them costs another.

    Args:
        settings: what a mapping sees beside the record.
        most_columns: keys that are told of the records as a file; those beyond are in its lines alone.

    Raises:
        BodyError: they come to more text than is taken at once.
    """
    say = as_it_came(definition) if definition.mapping is None else mapped(definition, settings)
    seen = [_seen(record, ordinal) for ordinal, record in enumerate(records)]
    said = [_NO_RECORD if s.fault else say(s.record, ordinal) for ordinal, s in enumerate(seen)]
    if sum(len(v) for one in said for v in one.values.values() if isinstance(v, str)) > MOST_CHARS:
        raise BodyError(
            413, f"mapped, the records have more than {MOST_CHARS:,} characters; send fewer at once"
        )
    checker, fields = _checker(definition, said)
    blocks = [_checked(checker, fields, seen, said, first) for first in range(0, len(said), BLOCK_ROWS)]
    keys = list(dict.fromkeys(key for s in seen for key in s.record))[:most_columns]
    return CheckedRecords(
        b"".join(b"%b\n" % s.line for s in seen),
        Detected("jsonl", tuple(Column(key, None) for key in keys), encoding="utf-8"),
        _together([block.frame for block in blocks]),
        [error for block in blocks for error in block.errors],
    )


def _checker(definition: Definition, said: Sequence[Said]) -> tuple[Checker, list[str]]:
    """A checker of the fields that some record has, or has to have; what none has is not written."""
    has = frozenset().union(*(one.values for one in said))
    there = [f for f in definition.fields if f.name in has or definition.is_required(f)] or definition.fields
    columns = tuple(Column(field.headers[0], None) for field in there)
    names = [field.name for field in there]
    binding = Binding({name: place for place, name in enumerate(names)}, ())
    return Checker(definition, Detected("jsonl", columns), binding), names


def _checked(
    checker: Checker, fields: Sequence[str], seen: Sequence[_Seen], said: Sequence[Said], first: int
) -> CheckedBlock:
    """The block of records that begins with the ordinal `first`."""
    rows = Rows(fields, first)
    pairs = zip(seen[first : first + BLOCK_ROWS], said[first : first + BLOCK_ROWS], strict=True)
    for number, (record, says) in enumerate(pairs, start=first + 1):
        if record.fault is not None:
            rows.malformed.append(record.fault)
        rows.add(says, number)
    return rows.check(checker, pl.Series("line", rows.numbers, dtype=pl.UInt32))


def _together(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    if len(frames) == 1:
        return frames[0]
    return pl.concat(frames, how="diagonal").with_columns(cs.starts_with(KEEP).fill_null(value=False))


def _seen(record: object, ordinal: int) -> _Seen:
    try:
        text = json_text(record)
        line = text.encode()
    except UnicodeEncodeError:
        fault = "half of a surrogate pair (\\uD800 to \\uDFFF) is no character"
        # What can't be encoded is written as the escape by which it came.
        return _faulty(text.encode(errors="backslashreplace"), ordinal, "row.json", fault)
    except RecursionError:
        return _faulty(b"null", ordinal, "row.json", "objects and arrays are nested too deeply")
    if not isinstance(record, Mapping):
        return _faulty(line, ordinal, "row.not_object", "not an object, which a record is")
    return _Seen(line, record)


def _faulty(line: bytes, ordinal: int, code: str, detail: str) -> _Seen:
    text = line[:VALUE_CHARACTERS].decode(errors="replace")
    return _Seen(line, {}, MalformedRow(ordinal, code, text, detail))
