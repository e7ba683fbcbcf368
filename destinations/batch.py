"""Decides what becomes of the records of one load, set by set; knows no dialect of SQL."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

import polars as pl

from destinations.outcomes import SEQ, Outcomes
from destinations.poison import Refusals, RefusedError, apply_both
from schemas.chunk import Page
from schemas.definition import Definition, Mode
from schemas.destination import StagedChunk, Verdict


class LoadTable(Protocol):
    """One table during one load, inside its open transaction; what a dialect of SQL provides.

    Records are frames with the column `SEQ` (0-based, the row's place in the load) and the stored
    fields; lists of integers are such sequence numbers.

    Attributes:
        keyed: the definition has a key.
        faithful: what is inserted is what is kept, key and all: no trigger stands between, and the
            column stores the key as it is given and compares it byte by byte.
    """

    keyed: bool
    faithful: bool

    def insert_unseen(self, records: pl.DataFrame) -> bool:
        """Insert all records without a look at the table; False, and nothing done, when one clashes."""
        ...

    def existing(self, keys: pl.DataFrame) -> list[int]:
        """Those whose key is in the table. Forgets what was staged."""
        ...

    def stage(self, records: pl.DataFrame) -> None:
        """Put the records beside the table, instead of those staged before."""
        ...

    def twins(self) -> list[int]:
        """Staged records whose key, as the table compares it, an earlier staged one has."""
        ...

    def compare(self) -> tuple[list[int], list[int]]:
        """Of the staged: those whose key the table lacks, and those that differ from their record."""
        ...

    def insert(self, records: list[int]) -> None:
        """Insert these staged records, all or none; raises `RefusedError`."""
        ...

    def update(self, records: list[int]) -> None:
        """Write these staged records over those of the same key, all or none; raises `RefusedError`."""
        ...

    def savepoint(self) -> AbstractContextManager[None]:
        """Undoes what is done inside it when an exception leaves it."""
        ...

    def orphans(self) -> list[int]:
        """Staged records whose foreign key only the commit would refuse; empty unless one did so."""
        ...

    def stored_keys(self) -> list[tuple[int, tuple[object, ...]]]:
        """(sequence number, key as stored) of each staged record that is in the table."""
        ...


class _OrphansError(Exception):
    def __init__(self, records: list[int]) -> None:
        super().__init__(records)
        self.records = records


def load_pages(
    table: LoadTable, definition: Definition, rows: pl.DataFrame, chunks: Sequence[StagedChunk]
) -> Iterator[Page]:
    """Apply the rows of these chunks (see `load_batch`), then give their pages."""
    outcomes = Outcomes(definition, rows)
    load_batch(table, definition, rows, outcomes)
    return outcomes.pages(chunks, keys_are_stored=table.faithful)


def load_batch(table: LoadTable, definition: Definition, rows: pl.DataFrame, outcomes: Outcomes) -> None:
    """Apply the GOOD rows to the table, and write down what became of every row.

    Args:
        rows: (n_rows, …) all rows of the load with `SEQ`, `_verdict` and the stored fields.
        outcomes: of the same rows; filled in here.
    """
    _note_failed(table, definition, rows, outcomes)
    good = rows.filter(pl.col("_verdict") == Verdict.GOOD)
    distinct = _free_of_twins(table, definition, good)
    if distinct and definition.mode is not Mode.UPDATE and table.insert_unseen(good):
        outcomes.mark("C", good[SEQ].to_list())
        return
    while good.height:
        table.stage(good)
        # Rows of the same key take turns: each acts on what the one before it left behind.
        twins = [] if distinct else table.twins()
        now = good.filter(~pl.col(SEQ).is_in(twins)) if twins else good
        if twins:
            table.stage(now)
        _settle(table, definition, now[SEQ].to_list(), outcomes)
        good = good.filter(pl.col(SEQ).is_in(twins)) if twins else good.clear()


def _note_failed(table: LoadTable, definition: Definition, rows: pl.DataFrame, outcomes: Outcomes) -> None:
    """A row that validation refused would have updated (G) what is there now, or created (F) what is not."""
    if definition.mode not in {Mode.UPSERT, Mode.SYNC}:
        return
    keys = [pl.col(name).is_not_null() for name in definition.key]
    failed = rows.filter((pl.col("_verdict") == Verdict.FAILED) & pl.all_horizontal(keys))
    if failed.height:
        outcomes.mark("G", table.existing(failed))


def _free_of_twins(table: LoadTable, definition: Definition, records: pl.DataFrame) -> bool:
    """True when no two records have the same key for certain, so that the table need not compare them."""
    if not table.faithful:
        return False
    return not table.keyed or not records.select(definition.key).is_duplicated().any()


def _settle(table: LoadTable, definition: Definition, staged: list[int], outcomes: Outcomes) -> None:
    new, changed = table.compare()
    match definition.mode:
        case Mode.INSERT:
            missing = set(new)
            there = [record for record in staged if record not in missing]
            outcomes.note_existing(there, fails=definition.policies.existing == "fail")
            changed = []
        case Mode.UPDATE:
            outcomes.mark("N", staged)
            outcomes.note_missing(new, fails=definition.policies.missing == "fail")
            new = []
        case Mode.UPSERT | Mode.SYNC:
            outcomes.mark("N", staged)
    refused = _write(table, changed, new)
    outcomes.mark("U", changed)
    outcomes.mark("C", new)
    outcomes.note_refused("G", {r: refused[r] for r in changed if r in refused})
    outcomes.note_refused("F", {r: refused[r] for r in new if r in refused})
    if table.keyed and not table.faithful:
        outcomes.note_keys(table.stored_keys())


def _write(table: LoadTable, updates: list[int], inserts: list[int]) -> Refusals:
    """Write what the table takes; a record that only the commit would refuse is refused here."""
    refused: Refusals = {}
    while True:
        try:
            with table.savepoint():
                found = apply_both(
                    table.update,
                    [r for r in updates if r not in refused],
                    table.insert,
                    [r for r in inserts if r not in refused],
                )
                written = (set(updates) | set(inserts)) - refused.keys() - found.keys()
                _refuse_orphans(table, written)
                return refused | found
        except _OrphansError as error:
            refused |= {r: RefusedError("FOREIGN KEY constraint failed") for r in error.records}


def _refuse_orphans(table: LoadTable, written: set[int]) -> None:
    if late := [record for record in table.orphans() if record in written]:
        raise _OrphansError(late)
