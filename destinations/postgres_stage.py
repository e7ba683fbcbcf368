"""Gets records from polars into PostgreSQL: into a temporary table beside the target, or straight into it."""

from collections.abc import Sequence
from contextlib import suppress

import polars as pl
import psycopg
from psycopg import Connection, sql

from destinations.outcomes import SEQ
from destinations.poison import Refusals, RefusedError, apply_each
from destinations.postgres_errors import refusal
from destinations.postgres_table import PostgresTable
from destinations.postgres_types import own_type
from destinations.written import Written
from schemas.definition import Field

STAGE = sql.Identifier("pg_temp", "lading_stage")
PICKED = sql.SQL("s.seq = ANY(%(records)s::int4[])")
"""The records with these sequence numbers; with numbers of another size PostgreSQL looks them up one by one."""


def copy_in(
    connection: Connection,
    target: sql.Composable,
    columns: Sequence[sql.Identifier],
    records: pl.DataFrame,
    names: Sequence[str],
) -> None:
    """Write the columns `names` of all records into `columns` of the target, in the same order."""
    into = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv, ENCODING 'UTF8')").format(
        target, sql.SQL(", ").join(columns)
    )
    with connection.cursor().copy(into) as copy:
        # Text is always quoted, so that no value is taken for a null or for the end of the data.
        copy.write(records.select(names).write_csv(include_header=False, quote_style="non_numeric").encode())


class PostgresStage:
    """The temporary table of one load: the column `seq`, and `c0`, `c1` … of the types of the target's columns.

    A field that its column may refuse or change has a column `r0`, `r1` … of its own type beside it.
    A record that its columns can't keep stays here with its key alone, or without any.

    Args:
        fields: those written, in the order of the load's columns.
        key: places (0-based) of the key's fields in it.
        written: what records may leave as it is has a column `k0`, `k1` … beside it, true where one does.
    """

    def __init__(
        self,
        connection: Connection,
        table: PostgresTable,
        fields: Sequence[Field],
        key: Sequence[int],
        written: Written,
    ) -> None:
        self._connection = connection
        self._table = table
        self._fields = fields
        self._key = key
        self._written = written
        self._types = [table.types[f.name.lower()] for f in fields]
        self._doubtful = [i for i, f in enumerate(fields) if not self._types[i].holds(f)]
        self.records: list[int] = []
        self.unfit: Refusals = {}

    def fill(self, records: pl.DataFrame) -> None:
        """Put the records here, instead of those before; what does not fit goes to `unfit`."""
        self._make()
        columns = [raw(i) if i in self._doubtful else kept(i) for i in range(len(self._fields))]
        names = [SEQ, *(f.name for f in self._fields)]
        copy_in(self._connection, STAGE, [sql.Identifier("seq"), *columns], records, names)
        self._note_kept(records)
        self.records, self.unfit = records[SEQ].to_list(), {}
        if self._doubtful and self.records:
            self._convert_all()

    def _make(self) -> None:
        parts: list[sql.Composable] = [sql.SQL("0::int4 AS seq")]
        for i, each in enumerate(self._fields):
            theirs: sql.Composable = sql.Identifier("t", self._table.column(each.name).name)
            if self._types[i].domain is not None:
                theirs = sql.SQL("{}::{}").format(theirs, self._types[i].base)
            parts.append(sql.SQL("{} AS {}").format(theirs, kept(i)))
            if i in self._doubtful:
                own = sql.Identifier("pg_catalog", own_type(each.type))
                parts.append(sql.SQL("NULL::{} AS {}").format(own, raw(i)))
        parts += [sql.SQL("NULL::bool AS {}").format(as_it_is(i)) for i in self._written.kept]
        self._connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(STAGE))
        self._connection.execute(
            sql.SQL(
                "CREATE TEMP TABLE lading_stage ON COMMIT DROP AS SELECT {} FROM {} AS t WITH NO DATA"
            ).format(sql.SQL(", ").join(parts), self._table.alone)
        )

    def _note_kept(self, records: pl.DataFrame) -> None:
        """Write beside what is staged which columns of the target these records leave as they are."""
        self._written.stage(records)
        for place, some in self._written.marks(records, [f.name for f in self._fields]):
            update = sql.SQL("UPDATE {} AS s SET {} = true WHERE {}").format(STAGE, as_it_is(place), PICKED)
            self._connection.execute(update, {"records": some})

    def _convert_all(self) -> None:
        self.unfit = apply_each(lambda some: self._convert(some, self._doubtful), self.records)
        self.unfit = {record: self._blamed(record, error) for record, error in self.unfit.items()}
        self.unfit |= self._changed()
        doubtful_key = [i for i in self._key if i in self._doubtful]
        for record in self.unfit:
            self._forget(record)
            with suppress(RefusedError):
                if doubtful_key:
                    self._convert([record], doubtful_key)

    def _convert(self, records: list[int], places: Sequence[int]) -> None:
        """Give these columns the values that the records bring, all or none; raises `RefusedError`."""
        values = sql.SQL(", ").join(
            sql.SQL("{} = {}").format(kept(i), self._types[i].converted(raw(i), self._fields[i]))
            for i in places
        )
        picked = {} if len(records) == len(self.records) else {"records": records}
        update = sql.SQL("UPDATE {} AS s SET {}").format(STAGE, values)
        if picked:
            update = sql.SQL("{} WHERE {}").format(update, PICKED)
        try:
            with self._connection.transaction():
                self._connection.execute(update, picked or None)
        except psycopg.Error as error:
            refused = refusal(error, {}, orderly=False, row_secured=False)
            if refused is None:
                raise
            raise refused from error

    def _blamed(self, record: int, error: RefusedError) -> RefusedError:
        """The same refusal with the field whose column alone refuses this record."""
        for i in self._doubtful:
            try:
                self._convert([record], [i])
            except RefusedError as again:
                return RefusedError(again.detail, self._fields[i].name)
        return error

    def _changed(self) -> Refusals:
        """Records of which a column would keep another value than the file has."""
        backs = {i: self._types[i].returned(kept(i), self._fields[i]) for i in self._doubtful}
        differs = [
            sql.SQL("WHEN {} IS DISTINCT FROM {} THEN {}").format(back, raw(i), sql.Literal(i))
            for i, back in backs.items()
            if back is not None
        ]
        if not differs:
            return {}
        place = sql.SQL("CASE {} END").format(sql.SQL(" ").join(differs))
        found = self._connection.execute(
            sql.SQL(
                "SELECT seq, place FROM (SELECT s.seq, {} AS place FROM {} AS s "
                "WHERE s.seq <> ALL(%s::int4[])) AS s "
                "WHERE place IS NOT NULL"
            ).format(place, STAGE),
            (list(self.unfit),),
        )
        return {seq: self._change(place) for seq, place in found}

    def _change(self, place: int) -> RefusedError:
        column = self._table.column(self._fields[place].name)
        return RefusedError(f"the column {column.name!r} ({column.kind}) would change the value", column.name)

    def _forget(self, record: int) -> None:
        values = sql.SQL(", ").join(sql.SQL("{} = NULL").format(kept(i)) for i in self._doubtful)
        self._connection.execute(
            sql.SQL("UPDATE {} AS s SET {} WHERE s.seq = %s").format(STAGE, values), (record,)
        )


def kept(place: int) -> sql.Identifier:
    """The stage's column with values as the target keeps them."""
    return sql.Identifier(f"c{place}")


def as_it_is(place: int) -> sql.Identifier:
    """The stage's column that says whether a record leaves the target's as it is."""
    return sql.Identifier(f"k{place}")


def raw(place: int) -> sql.Identifier:
    """The stage's column with values as the file brings them."""
    return sql.Identifier(f"r{place}")
