"""One load into one table of PostgreSQL: stages records beside it, compares them set by set, writes them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

import polars as pl
import psycopg
from psycopg import Connection, errors, sql

from destinations.poison import RefusedError
from destinations.postgres_errors import OvertakenError, refusal
from destinations.postgres_stage import PICKED, STAGE, PostgresStage, as_it_is, copy_in, kept
from destinations.postgres_table import PostgresTable
from destinations.table import UniqueKey
from destinations.written import Written
from schemas.definition import Definition

_COMMA, _AND, _OR = sql.SQL(", "), sql.SQL(" AND "), sql.SQL(" OR ")


class PostgresLoad:
    """A `LoadTable` on a connection with an open transaction.

    Args:
        table: fits the definition.
        columns: of the load's rows; those of them that are fields are written.
        hopeful: nothing speaks against the records being new, so that an insert without a look is worth it.
        commit_refused: an earlier try of this load was refused by its commit.

    Attributes:
        all_new: no key of the load was in the table; None before that is known.
    """

    def __init__(
        self,
        connection: Connection,
        definition: Definition,
        table: PostgresTable,
        columns: Sequence[str],
        *,
        hopeful: bool,
        commit_refused: bool,
    ) -> None:
        self._connection = connection
        self._table = table
        self._fields = [f for f in definition.fields if f.name in columns]
        self._columns = [sql.Identifier(table.column(f.name).name) for f in self._fields]
        self._types = [table.types[f.name.lower()] for f in self._fields]
        self._commit_refused = commit_refused
        names = [f.name for f in self._fields]
        self._key = [names.index(name) for name in definition.key]
        self._guard = table.unique_key(definition.key) or UniqueKey((), (), None)
        self._written = Written(definition, names, columns)
        self._stage = PostgresStage(connection, table, self._fields, self._key, self._written)
        self.all_new: bool | None = None
        self.keyed = bool(definition.key)
        altered = table.triggered or table.partitioned or table.row_secured
        self.faithful = not (altered or commit_refused) and all(
            self._types[i].holds(self._fields[i]) for i in self._key
        )
        if self.keyed:
            self.faithful = self.faithful and self._guard.index in table.deterministic
        pairs = zip(self._types, self._fields, strict=True)
        self._straight = hopeful and not table.row_secured and all(t.refuses_or_keeps(f) for t, f in pairs)

    def insert_unseen(self, records: pl.DataFrame) -> bool:
        """Insert all records without a look at the table; False, and nothing done, when one clashes."""
        if not self._straight:
            return False
        try:
            with self.savepoint():
                for places, part in self._written.parts(records):
                    columns, names = zip(
                        *((self._columns[i], self._fields[i].name) for i in places), strict=True
                    )
                    copy_in(self._connection, self._table.identifier, columns, part, names)
        except psycopg.Error as error:
            if self._refusal(error) is None:
                raise
            return False
        self.all_new = True
        return True

    def existing(self, keys: pl.DataFrame) -> list[int]:
        """Those whose key is in the table. Forgets what was staged."""
        self.stage(keys)
        return [seq for seq, _ in self.stored_keys()]

    def stage(self, records: pl.DataFrame) -> None:
        """Put the records beside the table, converted as its columns would, instead of those before."""
        self._stage.fill(records)

    def twins(self) -> list[int]:
        """Staged records whose key, as the table compares it, an earlier staged one has."""
        if not self.keyed:
            return []
        return self._numbers(
            sql.SQL(
                "SELECT seq FROM (SELECT s.seq, row_number() OVER (PARTITION BY {} ORDER BY s.seq) AS n "
                "FROM {} AS s WHERE {}) AS s WHERE n > 1"
            ).format(_COMMA.join(self._collated("s", i) for i in range(len(self._key))), STAGE, self._has_key())
        )

    def compare(self) -> tuple[list[int], list[int]]:
        """Of the staged: those whose key the table lacks, and those that differ from their record."""
        if not self.keyed:
            return list(self._stage.records), []
        differs = [
            sql.SQL("{} IS DISTINCT FROM {}").format(
                self._types[i].compared(self._theirs(i)), self._types[i].compared(self._value(i))
            )
            for i in self._written.updated
        ]
        found = self._connection.execute(
            sql.SQL(
                "SELECT s.seq, t.tableoid IS NULL FROM {} AS s LEFT JOIN {} AS t ON {} "
                "WHERE t.tableoid IS NULL OR s.seq = ANY(%s::int4[]) OR {} ORDER BY s.seq"
            ).format(STAGE, self._table.alone, self._same_key(), _OR.join([sql.SQL("false"), *differs])),
            (list(self._stage.unfit),),
        ).fetchall()
        new = [seq for seq, is_new in found if is_new]
        self.all_new = len(new) == len(self._stage.records)
        return new, [seq for seq, is_new in found if not is_new]

    def insert(self, records: list[int]) -> None:
        """Insert these staged records, all or none; raises `RefusedError`."""
        self._write(self._insert_staged, records)

    def update(self, records: list[int]) -> None:
        """Write these staged records over those of the same key, all or none; raises `RefusedError`."""
        pairs = [sql.SQL("{} = {}").format(self._columns[i], self._value(i)) for i in self._written.updated]
        statement = sql.SQL("UPDATE {} AS t SET {} FROM {} AS s WHERE {} AND {}").format(
            self._table.alone, _COMMA.join(pairs), STAGE, PICKED, self._same_key()
        )
        self._write(lambda some: self._connection.execute(statement, {"records": some}).rowcount, records)

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undoes what is done inside it when an exception leaves it."""
        with self._connection.transaction():
            yield

    def orphans(self) -> list[int]:
        """None: where a commit was refused, each write already asked the constraints that wait for it."""
        return []

    def stored_keys(self) -> list[tuple[int, tuple[object, ...]]]:
        """(sequence number, key as stored) of each staged record that is in the table."""
        # as text, a `char(n)` is without the blanks that fill it up
        key = _COMMA.join(
            sql.SQL("{}::text" if self._types[i].is_text else "{}").format(self._theirs(i)) for i in self._key
        )
        found = self._connection.execute(
            sql.SQL("SELECT s.seq, {} FROM {} AS s JOIN {} AS t ON {}").format(
                key, STAGE, self._table.alone, self._same_key()
            )
        )
        return [(seq, tuple(map(_as_stored, values))) for seq, *values in found]

    def _insert_staged(self, records: list[int]) -> int:
        written = 0
        for places, some in self._written.groups(records):
            statement = sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {} AS s WHERE {} ORDER BY s.seq").format(
                self._table.identifier,
                _COMMA.join(self._columns[i] for i in places),
                _COMMA.join(self._ours(i) for i in places),
                STAGE,
                PICKED,
            )
            written += self._connection.execute(statement, {"records": some}).rowcount
        return written

    def _write(self, write: Callable[[list[int]], int], records: list[int]) -> None:
        """Call what writes these records and gives how many it wrote."""
        for record in records:
            if record in self._stage.unfit:
                raise self._stage.unfit[record]
        try:
            with self.savepoint():
                if write(records) != len(records):
                    self._refuse_or_come_again()
                if self._commit_refused:
                    self._connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
                    self._connection.execute("SET CONSTRAINTS ALL DEFERRED")
        except psycopg.Error as error:
            refused = self._refusal(error)
            if refused is None:
                raise
            if self._is_overtaken(error):
                raise OvertakenError(refused.detail) from error
            raise refused from error

    def _refuse_or_come_again(self) -> None:
        if self._table.triggered or self._table.partitioned or self._table.row_secured:
            raise RefusedError("a trigger or a policy of the table passed the record over")
        raise OvertakenError("a record was deleted meanwhile")

    def _is_overtaken(self, error: psycopg.Error) -> bool:
        """True when the key that was missing a moment ago is there: somebody else was quicker."""
        hidden = self._table.triggered or self._table.row_secured
        of_key = isinstance(error, errors.UniqueViolation) and error.diag.constraint_name == self._guard.index
        return of_key and not hidden

    def _refusal(self, error: psycopg.Error) -> RefusedError | None:
        table = self._table
        return refusal(error, table.blamed, orderly=table.self_referencing, row_secured=table.row_secured)

    def _has_key(self) -> sql.Composable:
        return _AND.join(sql.SQL("{} IS NOT NULL").format(self._ours(i)) for i in self._key)

    def _same_key(self) -> sql.Composable:
        return _AND.join(
            sql.SQL("{} = {}").format(self._collated("t", i), self._collated("s", i))
            for i in range(len(self._key))
        )

    def _collated(self, side: str, part: int) -> sql.Composable:
        """A part of the key as the guard compares it."""
        place, collation = self._key[part], self._guard.collations[part]
        value = self._ours(place) if side == "s" else self._theirs(place)
        if not collation:
            return value
        return sql.SQL("{} COLLATE {}").format(value, sql.SQL(collation))  # quoted by the server

    def _ours(self, place: int) -> sql.Composable:
        return sql.SQL("s.{}").format(kept(place))

    def _value(self, place: int) -> sql.Composable:
        """What an update makes of the column."""
        if place not in self._written.kept:
            return self._ours(place)
        return sql.SQL("CASE WHEN s.{} THEN {} ELSE {} END").format(
            as_it_is(place), self._theirs(place), self._ours(place)
        )

    def _theirs(self, place: int) -> sql.Composable:
        return sql.SQL("t.{}").format(self._columns[place])

    def _numbers(self, query: sql.Composed) -> list[int]:
        return [number for (number,) in self._connection.execute(query)]


def _as_stored(value: object) -> object:
    """A value of a key as pages show it, whatever type the column gives it."""
    match value:
        case bool():
            return int(value)
        case Decimal():
            text = f"{value:f}"
            return text.rstrip("0").rstrip(".") if "." in text else text
        case datetime():
            return value.replace(tzinfo=None).isoformat(" ")
        case date() | time() | UUID():
            return str(value)
        case timedelta():
            return value.total_seconds()
        case _:
            return value
