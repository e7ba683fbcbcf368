"""Judges a file that was read whole: may anything of it be written, with so many failed rows, in this mode?"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import polars as pl

from schemas.definition import Definition, Mode
from schemas.destination import Verdict
from tasks.staging import RAW, VERDICT


@dataclass(frozen=True)
class Objection:
    """Why nothing of the file may be written.

    Attributes:
        code: a file-level code of `schemas.codes`.
    """

    code: str
    message: str


@dataclass(frozen=True)
class _Tally:
    """Rows of the whole file.

    Attributes:
        unkeyed: those that do not tell their key.
    """

    rows: int
    good: int
    failed: int
    unkeyed: int


Blocks = Callable[[list[str]], Iterable[pl.DataFrame]]
"""Gives these columns, with the verdicts, of all rows that were checked."""


def objection_to(definition: Definition, blocks: Blocks, rows: int) -> Objection | None:
    """What the definition's mode and policies have against a checked file of so many data rows, if anything."""
    if not definition.judges_files:
        return None
    tally = _tally(definition, blocks, rows)
    found = _against_sync(tally) if definition.mode is Mode.SYNC else None
    return found or _against_atomic(definition, tally) or _over_budget(definition, tally)


def _tally(definition: Definition, blocks: Blocks, rows: int) -> _Tally:
    key = list(definition.key)
    good = failed = unkeyed = 0
    for block in blocks([*key, *(RAW + name for name in key)]):
        bad = pl.col(VERDICT) == Verdict.FAILED
        good += block.filter(pl.col(VERDICT) == Verdict.GOOD).height
        failed += block.filter(bad).height
        if key:
            unread = pl.any_horizontal(pl.col(key).is_null())
            # Where the key has a default, a malformed row has it too, although no cell says so.
            unsaid = bad & pl.any_horizontal(pl.col(RAW + name).is_null() for name in key)
            unkeyed += block.filter(unread | unsaid).height
    return _Tally(rows, good, failed, unkeyed)


def _against_sync(tally: _Tally) -> Objection | None:
    if tally.unkeyed:
        return Objection(
            "sync.key_unreadable",
            f"{_of_rows(tally.unkeyed, tally.rows)} without a key that can be read: mode 'sync' can't know "
            "which records to keep; mend the key, or import in mode 'upsert'",
        )
    if not tally.good:
        return Objection(
            "sync.no_valid_row",
            f"none of {tally.rows:,} rows is valid, and mode 'sync' would delete every record that no failed "
            "row names; mend the file, or import in mode 'upsert'",
        )
    return None


def _against_atomic(definition: Definition, tally: _Tally) -> Objection | None:
    if not (definition.policies.atomic and tally.failed):
        return None
    return Objection(
        "atomic.failed_rows", f"{_of_rows(tally.failed, tally.rows)} failed, and 'atomic' allows none"
    )


def _over_budget(definition: Definition, tally: _Tally) -> Objection | None:
    most, percent = definition.policies.max_errors, definition.policies.max_error_percent
    said = f"{_of_rows(tally.failed, tally.rows)} failed"
    if most is not None and tally.failed > most:
        return Objection("budget.exceeded", f"{said}, and 'max_errors' allows {most:,}")
    if percent is not None and tally.failed * 100 > percent * tally.rows:
        share = 100 * tally.failed / tally.rows
        return Objection(
            "budget.exceeded", f"{said} ({share:.4g} %), and 'max_error_percent' allows {percent:g} %"
        )
    return None


def _of_rows(some: int, rows: int) -> str:
    return f"{some:,} of {rows:,} {'row' if rows == 1 else 'rows'}"
