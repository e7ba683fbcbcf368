"""How PostgreSQL declares a table and tells of it; decides nothing about whether it fits."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from psycopg import Connection, sql

from destinations import postgres_catalog as catalog
from destinations.postgres_address import TableName
from destinations.postgres_catalog import ColumnRow, Relation
from destinations.postgres_types import ColumnType, declared_type
from destinations.table import Column, Table, UniqueKey
from destinations.values import stored_default
from schemas.definition import Definition, Field
from schemas.errors import DestinationError
from schemas.field_types import FieldType

_KINDS = {
    "v": "a view",
    "m": "a materialized view",
    "f": "a foreign table",
    "S": "a sequence",
    "i": "an index",
    "I": "an index",
    "c": "a type",
}


@dataclass(frozen=True)
class PostgresTable(Table):
    """A table of PostgreSQL.

    Attributes:
        types: by name of the column in lower case.
        deterministic: names of the unique indexes that compare byte by byte.
        blamed: the column that alone is meant, by name of the constraint.
        row_secured: policies let us see and write only some of its rows.
        partitioned: its rows are kept in other tables, which may have triggers of their own.
    """

    schema: str = ""
    oid: int = 0
    types: Mapping[str, ColumnType] = field(default_factory=dict)
    deterministic: frozenset[str] = frozenset()
    blamed: Mapping[str, str] = field(default_factory=dict)
    row_secured: bool = False
    partitioned: bool = False

    @property
    def identifier(self) -> sql.Identifier:
        """The table in SQL."""
        return sql.Identifier(self.schema, self.name)

    @property
    def alone(self) -> sql.Composable:
        """The table in SQL, to look at and to update: without tables that inherit from it."""
        return self.identifier if self.partitioned else sql.SQL("ONLY {}").format(self.identifier)


def create_table(connection: Connection, definition: Definition, name: TableName) -> None:
    """Make the table that the definition declares.

    Raises:
        DestinationError: a default does not fit its type.
    """
    parts = [_column_clause(f, unique=definition.key != (f.name,)) for f in definition.fields]
    parts = [
        sql.SQL("{} NOT NULL").format(part) if definition.is_required(f) else part
        for f, part in zip(definition.fields, parts, strict=True)
    ]
    if definition.key:
        parts.append(
            sql.SQL("PRIMARY KEY ({})").format(sql.SQL(", ").join(map(sql.Identifier, definition.key)))
        )
    connection.execute(
        sql.SQL("CREATE TABLE {} ({})").format(
            sql.Identifier(name.schema, name.table), sql.SQL(", ").join(parts)
        )
    )


def add_columns(connection: Connection, table: PostgresTable, fields: Iterable[Field]) -> None:
    """Add a nullable column for each of the fields; the records there have its default or null."""
    for each in fields:
        clause = _column_clause(each, unique=True)
        connection.execute(sql.SQL("ALTER TABLE {} ADD COLUMN {}").format(table.identifier, clause))


def read_table(connection: Connection, name: TableName) -> PostgresTable | None:
    """What is there under this name, or under one that differs only in case; None where nothing is.

    Raises:
        DestinationError: several are there in other cases, and none as it is written.
    """
    found = catalog.relations(connection, name)
    if not found:
        return None
    relation = found[0]
    if len(found) > 1 and relation.name != name.table:
        names = ", ".join(repr(each.name) for each in found)
        raise DestinationError(
            f"the table {name} could be any of {names}; write its name as the database has it"
        )
    if relation.kind in _KINDS:
        fault = f"it is {_KINDS[relation.kind]}, and Lading loads only into tables"
        return PostgresTable(relation.name, {}, faults=(fault,))
    columns, guards = catalog.columns(connection, relation.oid), catalog.guards(connection, relation.oid)
    return PostgresTable(
        relation.name,
        {c.name.lower(): _column(c) for c in columns},
        tuple(UniqueKey(tuple(g.columns), tuple(c or "" for c in g.collations), g.name) for g in guards),
        faults=tuple(_faults(relation, [c.name for c in columns])),
        triggered=relation.triggered,
        self_referencing=relation.self_referencing,
        schema=relation.schema,
        oid=relation.oid,
        types={c.name.lower(): _type(c) for c in columns},
        deterministic=frozenset(g.name for g in guards if g.deterministic),
        blamed=catalog.blamed(connection, relation.oid),
        row_secured=relation.row_secured,
        partitioned=relation.kind == "p",
    )


def _column_clause(each: Field, *, unique: bool) -> sql.Composable:
    clause = sql.SQL("{} {}").format(sql.Identifier(each.name), declared_type(each))
    default = stored_default(each)
    if default is not None:
        clause = sql.SQL("{} DEFAULT {}").format(clause, sql.Literal(str(default)))
    return sql.SQL("{} UNIQUE").format(clause) if each.unique and unique else clause


def _column(row: ColumnRow) -> Column:
    own_number = row.identity != ""
    generated = row.generated != "" or row.identity == "a"
    demanding = row.not_null and not (row.defaulted or own_number or generated)
    kind = _type(row)
    reason = f"is of the type {row.shown}, which can't keep a field of the type "
    unfit = {t: reason + t.value for t in FieldType if not kind.takes(t)}
    return Column(row.name, row.shown, demanding, generated, unfit, kind.meant_for)


def _type(row: ColumnRow) -> ColumnType:
    domain = (row.domain_schema, row.domain) if row.is_domain else None
    return ColumnType(row.schema, row.type, row.modifier, domain, row.enum)


def _faults(relation: Relation, columns: list[str]) -> Iterator[str]:
    if relation.ruled:
        yield "it has a RULE, which may make something else of what is written"
    lower = [name.lower() for name in columns]
    twins = sorted(name for name in columns if lower.count(name.lower()) > 1)
    if twins:
        yield f"its columns {', '.join(map(repr, twins))} differ by no more than case"
