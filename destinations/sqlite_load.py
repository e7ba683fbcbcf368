"""One load into one table of SQLite: stages records beside it, compares them set by set, and writes them."""

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import polars as pl

from destinations.outcomes import SEQ
from destinations.poison import RefusedError
from destinations.sqlite_errors import primary_code, refusal
from destinations.sqlite_stage import STAGE, insert_values, make_stage, stage_head
from destinations.sqlite_table import parents, quoted
from destinations.table import Table, UniqueKey
from destinations.written import Written
from schemas.definition import Definition
from schemas.errors import DestinationError
from schemas.field_types import TEMPORAL

_KEPT_BY = {pl.String(): {"TEXT", "BLOB"}, pl.Int64(): {"INTEGER", "NUMERIC", "BLOB"}}
"""Affinities that leave every value of this type as it is."""

_PICKED = f"FROM {STAGE} AS s WHERE s.seq IN (SELECT value FROM json_each(?))"
"""The records named in a JSON list."""


class SqliteLoad:
    """A `LoadTable` on a connection with an open transaction.

    Args:
        table: fits the definition.
        fields: what is written, in the order of the definition.
        types: of the load's rows as they are stored.
        commit_refused: an earlier try of this load was refused by its commit.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        definition: Definition,
        table: Table,
        fields: Sequence[str],
        types: Mapping[str, pl.DataType],
        *,
        commit_refused: bool,
    ) -> None:
        self._connection = connection
        self._table = table
        self._name = f"main.{quoted(table.name)}"
        self._fields = list(fields)
        self._columns = [table.column(name) for name in self._fields]
        self._commit_refused = commit_refused
        self._written = Written(definition, self._fields, list(types))
        self._key = [f"c{self._fields.index(name)}" for name in definition.key]
        self._guard = table.unique_key(definition.key) or UniqueKey((), (), None)
        self.keyed = bool(definition.key)
        self.faithful = not (table.triggered or commit_refused) and all(
            self._keeps(definition, name, types[name]) for name in definition.key
        )

    def insert_unseen(self, records: pl.DataFrame) -> bool:
        """Insert all records without a look at the table; False, and nothing done, when one clashes."""
        try:
            with self.savepoint():
                self._insert_all(records)
        except sqlite3.Error as error:
            if refusal(error, orderly=False) is None:
                raise
            return False
        return True

    def existing(self, keys: pl.DataFrame) -> list[int]:
        """Those whose key is in the table. Forgets what was staged."""
        self.stage(keys)
        return [seq for seq, *_ in self.stored_keys()]

    def stage(self, records: pl.DataFrame) -> None:
        """Put the records beside the table, converted as its columns would, instead of those before."""
        self._make_stage()
        insert_values(self._connection, stage_head(len(self._fields)), records, [SEQ, *self._fields])
        self._note_kept(records)

    def twins(self) -> list[int]:
        """Staged records whose key, as the table compares it, an earlier staged one has."""
        if not self.keyed:
            return []
        pairs = zip(self._key, self._guard.collations, strict=True)
        key = ", ".join(f"{staged} COLLATE {quoted(collation)}" for staged, collation in pairs)
        return self._numbers(
            f"SELECT seq FROM (SELECT seq, row_number() OVER (PARTITION BY {key} ORDER BY seq) AS n "
            f"FROM {STAGE}) WHERE n > 1"
        )

    def compare(self) -> tuple[list[int], list[int]]:
        """Of the staged: those whose key the table lacks, and those that differ from their record."""
        if not self.keyed:
            return self._numbers(f"SELECT seq FROM {STAGE} ORDER BY seq"), []
        values = self._value_columns()
        theirs = ", ".join(f't.{quoted(name)} COLLATE "BINARY"' for name, _ in values)
        ours = ", ".join(value for _, value in values)
        differs = self._theirs(f"({theirs}) IS NOT ({ours})" if values else "0")
        found = self._connection.execute(
            # LIMIT keeps SQLite from merging the two, which would ask the table twice for each record.
            f"SELECT seq, differs FROM (SELECT s.seq, {differs} AS differs FROM {STAGE} AS s "
            "ORDER BY s.seq LIMIT -1) WHERE differs IS NOT 0"
        ).fetchall()
        return [seq for seq, known in found if known is None], [seq for seq, known in found if known]

    def insert(self, records: list[int]) -> None:
        """Insert these staged records, all or none; raises `RefusedError`."""
        self._write(self._insert_staged, records)

    def update(self, records: list[int]) -> None:
        """Write these staged records over those of the same key, all or none; raises `RefusedError`.

        SQLite's planner, misled by statistics of a day when the table was small, would scan the table for
        every record; an index can be forced on it, but not the rowid: there it is told one record at a time.
        """
        columns = self._value_columns()
        update = f"{self._verb('UPDATE')} {self._name} AS t"
        if self._guard.index is None:
            one = f"FROM {STAGE} AS s WHERE s.seq = :seq"
            names = ", ".join(quoted(name) for name, _ in columns)
            values = ", ".join(value for _, value in columns)
            same = self._same_key(f"(SELECT s.%s {one})")
            sql = f"{update} SET ({names}) = (SELECT {values} {one}) WHERE {same}"
            self._write(
                lambda some: self._connection.executemany(sql, [{"seq": r} for r in some]).rowcount, records
            )
        else:
            pairs = ", ".join(f"{quoted(name)} = {value}" for name, value in columns)
            sql = (
                f"{update} INDEXED BY {quoted(self._guard.index)} SET {pairs} {_PICKED} AND {self._same_key()}"
            )
            self._write(lambda some: self._connection.execute(sql, (json.dumps(some),)).rowcount, records)

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undoes what is done inside it when an exception leaves it."""
        self._connection.execute("SAVEPOINT lading")
        try:
            yield
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK TO lading")
                self._connection.execute("RELEASE lading")
            raise
        self._connection.execute("RELEASE lading")

    def orphans(self) -> list[int]:
        """Staged records whose foreign key only the commit would refuse; empty unless one did so."""
        found: list[int] = []
        for parent, pairs in parents(self._connection, self._table.name) if self._commit_refused else ():
            staged = {c.name.lower(): f"c{i}" for i, c in enumerate(self._columns)}
            if all(child.lower() in staged for child, _ in pairs):
                links = [(staged[child.lower()], quoted(to)) for child, to in pairs]
                given = " AND ".join(f"s.{ours} IS NOT NULL" for ours, _ in links)
                same = " AND ".join(f"p.{theirs} = s.{ours}" for ours, theirs in links)
                found += self._numbers(
                    f"SELECT s.seq FROM {STAGE} AS s WHERE {given} AND NOT EXISTS "
                    f"(SELECT 1 FROM main.{quoted(parent)} AS p WHERE {same})"
                )
        return found

    def stored_keys(self) -> list[tuple[int, tuple[object, ...]]]:
        """(sequence number, key as stored) of each staged record that is in the table."""
        key = ", ".join(self._theirs(f"t.{quoted(name)}") for name in self._guard.columns)
        found = self._connection.execute(f"SELECT s.seq, {key} FROM {STAGE} AS s").fetchall()
        return [(seq, tuple(key)) for seq, *key in found if key[0] is not None]

    def _insert_all(self, records: pl.DataFrame) -> None:
        for places, part in self._written.parts(records):
            self._insert_part(part, places)

    def _insert_part(self, records: pl.DataFrame, places: Sequence[int]) -> None:
        names = [self._fields[i] for i in places]
        insert_values(self._connection, self._insert_head(places), records, names)

    def _insert_staged(self, records: list[int]) -> int:
        written = 0
        for places, some in self._written.groups(records):
            staged = ", ".join(f"s.c{i}" for i in places)
            sql = f"{self._insert_head(places)} SELECT {staged} {_PICKED}"
            written += self._connection.execute(sql, (json.dumps(some),)).rowcount
        return written

    def _make_stage(self) -> None:
        make_stage(self._connection, [column.kind for column in self._columns], self._written.kept)

    def _note_kept(self, records: pl.DataFrame) -> None:
        """Write beside what is staged which columns of the table these records leave as they are."""
        self._written.stage(records)
        for place, kept in self._written.marks(records, self._fields):
            sql = f"UPDATE {STAGE} SET k{place} = 1 WHERE seq IN (SELECT value FROM json_each(?))"
            self._connection.execute(sql, (json.dumps(kept),))

    def _keeps(self, definition: Definition, name: str, dtype: pl.DataType) -> bool:
        """True when the column holds this key field as the file gives it, and compares it byte by byte."""
        temporal = definition.field(name).type in TEMPORAL
        kept = temporal or self._table.column(name).kind in _KEPT_BY.get(dtype, ())
        return kept and {collation.upper() for collation in self._guard.collations} == {"BINARY"}

    def _value_columns(self) -> list[tuple[str, str]]:
        """(column, what it is to hold) of what an update writes: this alone is compared."""
        return [(self._columns[i].name, self._value(i)) for i in self._written.updated]

    def _value(self, place: int) -> str:
        if place not in self._written.kept:
            return f"s.c{place}"
        return f"CASE WHEN s.k{place} THEN t.{quoted(self._columns[place].name)} ELSE s.c{place} END"

    def _theirs(self, expression: str) -> str:
        """The expression over the record (t) of a staged record's key (s), null where there is none.

        A subquery of one table is the one shape that SQLite always answers through the key.
        """
        return f"(SELECT {expression} FROM {self._name} AS t WHERE {self._same_key()})"

    def _same_key(self, ours: str = "s.%s") -> str:
        parts = zip(self._guard.columns, self._key, self._guard.collations, strict=True)
        return " AND ".join(f"t.{quoted(c)} = {ours % staged} COLLATE {quoted(x)}" for c, staged, x in parts)

    def _insert_head(self, places: Sequence[int]) -> str:
        names = ", ".join(quoted(self._columns[i].name) for i in places)
        return f"{self._verb('INSERT')} INTO {self._name} ({names})"

    def _verb(self, verb: str) -> str:
        """An explicit OR ABORT goes before a constraint's own conflict clause; it binds triggers as well."""
        return f"{verb} OR ABORT" if self._table.overruling else verb

    def _numbers(self, sql: str) -> list[int]:
        return [number for (number,) in self._connection.execute(sql)]

    def _write(self, write: Callable[[list[int]], int], records: list[int]) -> None:
        """Call what writes these records, or some of them, and gives how many it wrote."""
        try:
            with self.savepoint():
                if write(records) != len(records):
                    raise RefusedError("a trigger of the table passed the record over")
        except sqlite3.Error as error:
            if not self._connection.in_transaction:
                raise DestinationError(
                    f"the table {self._table.name!r} ended the whole transaction instead of one row: {error}"
                ) from error
            refused = refusal(error, orderly=self._table.self_referencing)
            if refused is None:
                raise
            if primary_code(error) == sqlite3.SQLITE_ERROR:
                write([])  # fails again when it is the statement that is wrong
            raise refused from error
