"""Rows of one file that share a key, or a value that must be unique, found over the whole file."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from schemas.codes import CODES
from schemas.definition import Definition
from schemas.destination import Verdict
from schemas.row_error import RowError
from schemas.text_table import Detected
from tasks.staging import LINE, ORDINAL, RAW, ROW, VERDICT, Stage

NAMED_ROWS = 5
"""How many of the other rows a message names."""


@dataclass(frozen=True)
class Duplicates:
    """What the whole file says that no row alone can say.

    Attributes:
        verdicts: ordinal → what becomes of the row instead; only rows whose verdict may change.
        errors: in order of ordinal.
    """

    verdicts: dict[int, Verdict]
    errors: list[RowError]


@dataclass(frozen=True)
class _Group:
    """Rows with equal values; the i-th of each list belongs to the same row, in order of ordinal."""

    ordinals: list[int]
    rows: list[int]
    lines: list[int | None]
    verdicts: list[int]
    values: list[str | None]


class KeyIndex:
    """Collects 12 bytes a row and set of fields, and finds who shares what when the file is read."""

    def __init__(self, definition: Definition, detected: Detected, columns: Mapping[str, int]) -> None:
        unique = [(f.name,) for f in definition.fields if f.unique and (f.name,) != definition.key]
        self._key = definition.key
        self._sets = [names for names in (definition.key, *unique) if names and columns.keys() >= set(names)]
        self._policy = definition.policies.duplicates
        self._sheet = detected.sheet
        self._letters = {name: detected.columns[index].letter for name, index in columns.items()}
        self._hashes: dict[tuple[str, ...], list[pl.DataFrame]] = {names: [] for names in self._sets}

    def add(self, frame: pl.DataFrame) -> None:
        """Take note of a staged block; a row with a null among the fields of a set shares with nobody."""
        for names in self._sets:
            whole = frame.drop_nulls(list(names))
            self._hashes[names].append(whole.select(ORDINAL, pl.struct(*names).hash(seed=0).alias("hash")))

    def find(self, stage: Stage) -> Duplicates:
        """Who shares what, after the last block."""
        verdicts: dict[int, Verdict] = {}
        errors: list[RowError] = []
        for names in self._sets:
            for group in self._groups(names, stage):
                if names == self._key and self._policy != "error":
                    verdicts |= _ignored(group, last=self._policy == "last")
                else:
                    errors += self._errors(group, names)
                    verdicts |= dict.fromkeys(group.ordinals, Verdict.FAILED)
        return Duplicates(verdicts, sorted(errors, key=lambda e: e.ordinal or 0))

    def _groups(self, names: tuple[str, ...], stage: Stage) -> Iterator[_Group]:
        suspects = self._suspects(names)
        if suspects.is_empty():
            return
        raw = [RAW + name for name in names]
        rows = pl.concat(
            frame.filter(pl.col(ORDINAL).is_in(suspects.implode()))
            for frame in stage.unfinished_blocks([ORDINAL, ROW, LINE, VERDICT, *names, *raw])
        )
        rows = rows.with_columns(pl.concat_str(raw, separator="; ", ignore_nulls=True).alias("value"))
        groups = rows.group_by(*names, maintain_order=True).agg(ORDINAL, ROW, LINE, VERDICT, "value")
        for row in groups.filter(pl.col(ORDINAL).list.len() > 1).iter_rows():
            yield _Group(*row[len(names) :])

    def _suspects(self, names: tuple[str, ...]) -> pl.Series:
        """Ordinals of the rows whose hash stands more than once; equal hashes need not be equal values."""
        if not self._hashes[names]:
            return pl.Series(dtype=pl.UInt32)
        # Sorted in place this takes 8 bytes a row; polars' own ways take sixty.
        ordered = np.concatenate([part["hash"].to_numpy() for part in self._hashes[names]])
        ordered.sort()
        shared = pl.Series(np.unique(ordered[1:][ordered[1:] == ordered[:-1]]), dtype=pl.UInt64)
        if shared.is_empty():
            return pl.Series(dtype=pl.UInt32)
        return pl.concat(
            part.filter(pl.col("hash").is_in(shared.implode()))[ORDINAL] for part in self._hashes[names]
        )

    def _errors(self, group: _Group, names: tuple[str, ...]) -> Iterator[RowError]:
        code = "key.duplicate" if names == self._key else "unique"
        field = names[0] if len(names) == 1 else None
        letter = self._letters[field] if field else None
        for index, ordinal in enumerate(group.ordinals):
            yield RowError(
                code,
                CODES[code].says(others=_others(group.rows, index)),
                ordinal,
                group.rows[index],
                group.lines[index],
                self._sheet,
                letter,
                field,
                group.values[index],
            )


def _ignored(group: _Group, *, last: bool) -> dict[int, Verdict]:
    """All good rows of the group but the first (or last); a row that failed anyway does not count."""
    good = [o for o, verdict in zip(group.ordinals, group.verdicts, strict=True) if verdict == Verdict.GOOD]
    return dict.fromkeys(good[:-1] if last else good[1:], Verdict.IGNORED)


def _others(rows: list[int], index: int) -> str:
    nearby: Iterable[int] = rows[: NAMED_ROWS + 1]
    numbers = [row for row in nearby if row != rows[index]][:NAMED_ROWS]
    more = len(rows) - 1 - len(numbers)
    noun = "row" if len(rows) == 2 else "rows"
    return f"{noun} {', '.join(str(n) for n in numbers)}" + (f" and {more} more" if more else "")
