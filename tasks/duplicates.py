"""Rows of one file that share a key, or a value that must be unique, found over the whole file."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from schemas.chunk import BLOCK_ROWS
from schemas.codes import CODES
from schemas.definition import Definition
from schemas.destination import Verdict
from schemas.row_error import RowError
from schemas.text_table import Detected
from tasks.staging import LINE, ORDINAL, RAW, ROW, VERDICT, Stage

NAMED_ROWS = 5
"""How many of the other rows a message names."""

_PLACED = (ORDINAL, ROW, LINE, VERDICT, "value")
_MEMBERS = pl.Schema(
    {
        "group": pl.UInt32(),
        ORDINAL: pl.UInt32(),
        ROW: pl.UInt32(),
        LINE: pl.UInt32(),
        VERDICT: pl.UInt8(),
        "value": pl.String(),
        "some": pl.List(pl.UInt32()),
        "size": pl.UInt32(),
    }
)


@dataclass(frozen=True)
class Duplicates:
    """What the whole file says that no row alone can say.

    Attributes:
        verdicts: ordinal → what becomes of the row instead; only rows whose verdict may change.
        errors: in order of ordinal, block by block, made while they are taken.
    """

    verdicts: dict[int, Verdict]
    errors: Iterator[list[RowError]]


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
        at_fault = []
        for number, names in enumerate(self._sets):
            members = self._members(names, stage)
            if names == self._key and self._policy != "error":
                verdicts |= dict.fromkeys(_superfluous(members, last=self._policy == "last"), Verdict.IGNORED)
            else:
                verdicts |= dict.fromkeys(members[ORDINAL], Verdict.FAILED)
                at_fault.append(members.with_columns(pl.lit(number).alias("set")))
        return Duplicates(verdicts, self._errors(at_fault))

    def _members(self, names: tuple[str, ...], stage: Stage) -> pl.DataFrame:
        """(n_rows, …) the rows that share these fields with others, in order of ordinal.

        Columns: those of the stage that place a row, `value` as it stood, `group` (0-based), `size` of the
        group, and `some`: the row numbers of its first members.
        """
        suspects = self._suspects(names)
        raw = [RAW + name for name in names]
        columns = [ORDINAL, ROW, LINE, VERDICT, *names, *raw]
        found = [
            frame.filter(pl.col(ORDINAL).is_in(suspects.implode()))
            for frame in (stage.unfinished_blocks(columns) if len(suspects) else ())
        ]
        if not found:
            return pl.DataFrame(schema=_MEMBERS)
        value = pl.concat_str(raw, separator="; ", ignore_nulls=True).alias("value")
        groups = (
            pl.concat(found)
            .with_columns(value)
            .group_by(*names, maintain_order=True)
            .agg(*_PLACED, pl.col(ROW).head(NAMED_ROWS + 1).alias("some"), pl.len().alias("size"))
            .filter(pl.col("size") > 1)
            .with_row_index("group")
        )
        return groups.select(_MEMBERS.names()).explode(_PLACED).cast(_MEMBERS).sort(ORDINAL)

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

    def _errors(self, at_fault: list[pl.DataFrame]) -> Iterator[list[RowError]]:
        members = pl.concat(at_fault).sort(ORDINAL, maintain_order=True) if at_fault else pl.DataFrame()
        while members.height:
            last = (members.item(0, ORDINAL) // BLOCK_ROWS + 1) * BLOCK_ROWS - 1
            here = members[ORDINAL].search_sorted(last, side="right")
            yield [self._error(member) for member in members.head(here).iter_rows(named=True)]
            members = members.slice(here)

    def _error(self, member: dict[str, Any]) -> RowError:
        names = self._sets[member["set"]]
        code = "key.duplicate" if names == self._key else "unique"
        field = names[0] if len(names) == 1 else None
        return RowError(
            code,
            CODES[code].says(others=_others(member["some"], member[ROW], member["size"])),
            member[ORDINAL],
            member[ROW],
            member[LINE],
            self._sheet,
            self._letters[field] if field else None,
            field,
            member["value"],
        )


def _superfluous(members: pl.DataFrame, *, last: bool) -> pl.Series:
    """The good rows of each group but the first (or last); a row that failed anyway does not count."""
    good = members.filter(pl.col(VERDICT) == Verdict.GOOD)
    stays = pl.col("group").is_last_distinct() if last else pl.col("group").is_first_distinct()
    return good.filter(~stays)[ORDINAL]


def _others(some: list[int], own: int, size: int) -> str:
    numbers = [row for row in some if row != own][:NAMED_ROWS]
    more = size - 1 - len(numbers)
    noun = "row" if size == 2 else "rows"
    return f"{noun} {', '.join(str(n) for n in numbers)}" + (f" and {more} more" if more else "")
