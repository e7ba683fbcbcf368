"""How SQLite declares a table and tells of it; decides nothing about whether it fits."""

import re
import sqlite3
from collections.abc import Iterable

from destinations.table import Column, Table, UniqueKey, refuse_misfit
from destinations.values import stored_default
from schemas.definition import Definition, Field
from schemas.errors import DestinationError
from schemas.field_types import FieldType

_DECLARED = {
    FieldType.INTEGER: "INTEGER",
    FieldType.NUMBER: "REAL",
    FieldType.BOOLEAN: "BOOLEAN",
    FieldType.DATE: "DATE",
    FieldType.TIME: "TIME",
    FieldType.DATETIME: "DATETIME",
    FieldType.DURATION: "REAL",
}
"""What is not named here is TEXT, decimals among them: text alone keeps their digits."""

_ALTERS_TEXT = "is declared for numbers and would change text such as '007'"
_UNFIT = {
    FieldType.STRING: _ALTERS_TEXT,
    FieldType.CHOICE: _ALTERS_TEXT,
    FieldType.DECIMAL: "would keep decimals as floats; declare the field a number",
}
"""What a column for numbers can't keep; other types that are stored as text never look like a number."""

_MEANT_FOR = (
    ("BOOL", FieldType.BOOLEAN),
    ("DATETIME", FieldType.DATETIME),
    ("TIMESTAMP", FieldType.DATETIME),
    ("DATE", FieldType.DATE),
    ("TIME", FieldType.TIME),
    ("JSON", FieldType.JSON),
    ("UUID", FieldType.UUID),
)
"""Part of the declared type of a column of affinity NUMERIC → what people keep there; all else are numbers."""

_ROLLS_BACK = re.compile(r"RAISE\s*\(\s*ROLLBACK\b", re.IGNORECASE)
_OVERRULES = re.compile(r"\bON\s+CONFLICT\b", re.IGNORECASE)

_AFFINITIES = (
    (("INT",), "INTEGER"),
    (("CHAR", "CLOB", "TEXT"), "TEXT"),
    (("BLOB",), "BLOB"),
    (("REAL", "FLOA", "DOUB"), "REAL"),
)


def quoted(name: str) -> str:
    """The name as an identifier of SQL, whatever it contains."""
    return '"' + name.replace('"', '""') + '"'


def affinity(declared: str, *, strict: bool = False) -> str:
    """What SQLite makes of values in a column declared so (https://sqlite.org/datatype3.html, 3.1)."""
    upper = declared.upper()
    if not upper or (strict and upper == "ANY"):
        return "BLOB"
    return next((kind for parts, kind in _AFFINITIES if any(part in upper for part in parts)), "NUMERIC")


def meant_for(declared: str, kind: str) -> FieldType:
    """The type of field that comes nearest to what a column of this affinity is declared for."""
    match kind:
        case "INTEGER":
            return FieldType.INTEGER
        case "REAL":
            return FieldType.NUMBER
        case "NUMERIC":
            upper = declared.upper()
            return next((type_ for part, type_ in _MEANT_FOR if part in upper), FieldType.NUMBER)
        case _:
            return FieldType.STRING


def create_table(connection: sqlite3.Connection, definition: Definition) -> None:
    """Make the table that the definition declares.

    Raises:
        DestinationError: SQLite can't hold so many columns, or a default does not fit its type.
    """
    limit = connection.getlimit(sqlite3.SQLITE_LIMIT_COLUMN) - 1  # the stage has one more
    if len(definition.fields) > limit:
        raise DestinationError(
            f"the definition {definition.name!r} has {len(definition.fields):,} fields, "
            f"and SQLite takes {limit:,}; the first too many is {definition.fields[limit].name!r}"
        )
    connection.execute(f"CREATE TABLE main.{declaration(definition, definition.fields)}")


def declaration(definition: Definition, fields: Iterable[Field]) -> str:
    """What follows `CREATE TABLE` in the making of a table with these of the definition's fields."""
    parts = [_column_clause(definition, field) for field in fields]
    if definition.key:
        parts.append(f"PRIMARY KEY ({', '.join(quoted(name) for name in definition.key)})")
    return f"{quoted(definition.table.table)} ({', '.join(parts)})"


def add_columns(connection: sqlite3.Connection, table: str, fields: Iterable[Field]) -> None:
    """Add a nullable column for each of the fields; the records there have its default or null."""
    for field in fields:
        connection.execute(f"ALTER TABLE main.{quoted(table)} ADD COLUMN {_nullable_clause(field)}")
        if field.unique:
            index = quoted(f"{table}_{field.name}_unique")
            connection.execute(f"CREATE UNIQUE INDEX main.{index} ON {quoted(table)} ({quoted(field.name)})")


def read_table(connection: sqlite3.Connection, name: str) -> Table | None:
    """What is there under this name, in any case; None where nothing is."""
    found = connection.execute(
        "SELECT l.name, l.type, l.wr, l.strict, m.sql FROM pragma_table_list AS l "
        "JOIN main.sqlite_schema AS m ON m.name = l.name AND m.type IN ('table', 'view') "
        "WHERE l.schema = 'main' AND l.name = ? COLLATE NOCASE",
        (name,),
    ).fetchone()
    if found is None:
        return None
    actual, kind, without_rowid, strict, sql = found
    if kind != "table":
        return Table(actual, {}, faults=(f"it is a {kind}, and Lading loads only into tables",))
    indexes = connection.execute(
        "SELECT name, origin FROM pragma_index_list(?, 'main') WHERE \"unique\" AND NOT partial", (actual,)
    ).fetchall()
    info = connection.execute(
        "SELECT name, type, \"notnull\", dflt_value, pk, hidden FROM pragma_table_xinfo(?, 'main')", (actual,)
    ).fetchall()
    keys = [_unique_key(connection, index) for index, _ in indexes]
    alias = None if without_rowid or any(o == "pk" for _, o in indexes) else _rowid_alias(info)
    if alias:
        keys.append(UniqueKey((alias,), ("BINARY",), None))
    triggers = _triggers(connection, actual)
    return Table(
        actual,
        {c.name.lower(): c for c in _columns(info, alias, strict=strict, without_rowid=without_rowid)},
        tuple(key for key in keys if key is not None),
        faults=tuple(_faults(triggers)),
        triggered=bool(triggers),
        overruling=bool(_OVERRULES.search(sql)),
        self_referencing=_refers_to_itself(connection, actual),
    )


def fitting_table(connection: sqlite3.Connection, definition: Definition) -> Table:
    """The definition's table as it is at this moment: it may have changed since it was prepared.

    Raises:
        DestinationError: it is not there, or does not fit any more.
    """
    table = read_table(connection, definition.table.table)
    if table is None:
        raise DestinationError(f"the table {definition.table.table!r} is not in the database")
    refuse_misfit(definition, table)
    return table


def _column_clause(definition: Definition, field: Field) -> str:
    clause = _nullable_clause(field, " NOT NULL" if definition.is_required(field) else "")
    return f"{clause} UNIQUE" if field.unique and definition.key != (field.name,) else clause


def _nullable_clause(field: Field, not_null: str = "") -> str:
    clause = f"{quoted(field.name)} {_DECLARED.get(field.type, 'TEXT')}{not_null}"
    default = stored_default(field)
    return clause if default is None else f"{clause} DEFAULT {_literal(default)}"


def _literal(value: str | float) -> str:
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else repr(value)


def _columns(
    info: list[tuple[str, str, int, str | None, int, int]],
    alias: str | None,
    *,
    strict: bool,
    without_rowid: bool,
) -> Iterable[Column]:
    for name, declared, not_null, default, pk, hidden in info:
        needed = bool(not_null or (pk and without_rowid)) and default is None
        generated = hidden in {2, 3}
        demanding = needed and not generated and name != alias
        kind = affinity(declared, strict=strict)
        unfit = {} if kind in {"TEXT", "BLOB"} else _UNFIT
        yield Column(name, kind, demanding, generated, unfit, meant_for(declared, kind))


def _rowid_alias(info: list[tuple[str, str, int, str | None, int, int]]) -> str | None:
    """The column that is another name of the rowid: its uniqueness needs no index."""
    primary = [(name, declared) for name, declared, _, _, pk, _ in info if pk]
    return primary[0][0] if len(primary) == 1 and primary[0][1].upper() == "INTEGER" else None


def _unique_key(connection: sqlite3.Connection, index: str) -> UniqueKey | None:
    """The columns of a unique index; None when it is over an expression."""
    parts = connection.execute(
        "SELECT name, coll FROM pragma_index_xinfo(?, 'main') WHERE key", (index,)
    ).fetchall()
    if any(name is None for name, _ in parts):
        return None
    return UniqueKey(tuple(name for name, _ in parts), tuple(collation for _, collation in parts), index)


def _triggers(connection: sqlite3.Connection, table: str) -> list[tuple[str, str]]:
    return connection.execute(
        "SELECT name, sql FROM main.sqlite_schema WHERE type = 'trigger' AND tbl_name = ? COLLATE NOCASE",
        (table,),
    ).fetchall()


def _faults(triggers: list[tuple[str, str]]) -> Iterable[str]:
    for name, sql in triggers:
        if _ROLLS_BACK.search(sql):
            yield (
                f"its trigger {name!r} says RAISE(ROLLBACK, …), which undoes the rows of others too; "
                "let it say RAISE(ABORT, …)"
            )


def _refers_to_itself(connection: sqlite3.Connection, table: str) -> bool:
    return bool(
        connection.execute(
            "SELECT 1 FROM pragma_foreign_key_list(?, 'main') WHERE \"table\" = ? COLLATE NOCASE",
            (table, table),
        ).fetchone()
    )


def parents(connection: sqlite3.Connection, table: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """The table's foreign keys: the parent table, and pairs of (column here, column there)."""
    rows = connection.execute(
        'SELECT id, "table", "from", "to", seq FROM pragma_foreign_key_list(?, \'main\') ORDER BY id, seq',
        (table,),
    ).fetchall()
    found: dict[int, tuple[str, list[tuple[str, str]]]] = {}
    for number, parent, child, to, seq in rows:
        _, pairs = found.setdefault(number, (parent, []))
        pairs.append((child, to if to is not None else _primary_key(connection, parent)[seq]))
    return list(found.values())


def _primary_key(connection: sqlite3.Connection, table: str) -> list[str]:
    rows = connection.execute("SELECT name FROM pragma_table_info(?, 'main') WHERE pk ORDER BY pk", (table,))
    return [name for (name,) in rows]
