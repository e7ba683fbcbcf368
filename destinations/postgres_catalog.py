"""What PostgreSQL's catalogue says of a table: the questions, and the shape of their answers."""

from collections.abc import Iterable
from dataclasses import dataclass

from psycopg import Connection
from psycopg.rows import class_row

from destinations.postgres_address import TableName

_RELATIONS = """
SELECT c.oid, n.nspname AS schema, c.relname AS name, c.relkind::text AS kind,
       pg_catalog.row_security_active(c.oid) AS row_secured,
       EXISTS (SELECT 1 FROM pg_catalog.pg_rewrite r
               WHERE r.ev_class = c.oid AND r.rulename <> '_RETURN') AS ruled,
       EXISTS (SELECT 1 FROM pg_catalog.pg_trigger t
               WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgenabled <> 'D') AS triggered,
       EXISTS (SELECT 1 FROM pg_catalog.pg_constraint f
               WHERE f.conrelid = c.oid AND f.contype = 'f' AND f.confrelid = c.oid) AS self_referencing
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND lower(c.relname) = lower(%(table)s)
ORDER BY c.relname <> %(table)s, c.relname"""

_COLUMNS = """
WITH RECURSIVE below AS (
    SELECT a.attnum, a.atttypid AS type, a.atttypmod AS modifier, t.typtype, t.typbasetype, t.typtypmod,
           t.typnotnull, t.typdefault IS NOT NULL AS defaulted, 0 AS depth
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    WHERE a.attrelid = %(oid)s AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT b.attnum, t.oid, b.typtypmod, t.typtype, t.typbasetype, t.typtypmod,
           b.typnotnull OR t.typnotnull, b.defaulted OR t.typdefault IS NOT NULL, b.depth + 1
    FROM below b JOIN pg_catalog.pg_type t ON t.oid = b.typbasetype WHERE b.typtype = 'd')
SELECT a.attname AS name, a.attnotnull OR b.typnotnull AS not_null, a.atthasdef OR b.defaulted AS defaulted,
       a.attidentity::text AS identity, a.attgenerated::text AS generated,
       pg_catalog.format_type(a.atttypid, a.atttypmod) AS shown,
       n.nspname AS schema, t.typname AS type,
       b.modifier, b.typtype::text = 'e' AS enum, b.depth > 0 AS is_domain, dn.nspname AS domain_schema,
       d.typname AS domain
FROM below b
JOIN pg_catalog.pg_attribute a ON a.attrelid = %(oid)s AND a.attnum = b.attnum
JOIN pg_catalog.pg_type t ON t.oid = b.type JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
JOIN pg_catalog.pg_type d ON d.oid = a.atttypid JOIN pg_catalog.pg_namespace dn ON dn.oid = d.typnamespace
WHERE b.typtype <> 'd' ORDER BY a.attnum"""

_GUARDS = """
SELECT x.relname AS name,
       array_agg(a.attname::text ORDER BY k.place) AS columns,
       array_agg(CASE WHEN c.oid IS NOT NULL THEN quote_ident(cn.nspname) || '.' || quote_ident(c.collname) END
                 ORDER BY k.place) AS collations,
       bool_and(coalesce(c.collisdeterministic, true)) AS deterministic
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
CROSS JOIN LATERAL generate_series(0, i.indnkeyatts - 1) AS k (place)
JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k.place]
LEFT JOIN pg_catalog.pg_collation c ON c.oid = i.indcollation[k.place]
LEFT JOIN pg_catalog.pg_namespace cn ON cn.oid = c.collnamespace
WHERE i.indrelid = %(oid)s AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
GROUP BY i.indexrelid, x.relname ORDER BY i.indexrelid"""

_BLAMED = """
SELECT c.conname AS name, a.attname AS column FROM pg_catalog.pg_constraint c
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
WHERE c.conrelid = %(oid)s AND array_length(c.conkey, 1) = 1
UNION ALL
SELECT x.relname, a.attname FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
WHERE i.indrelid = %(oid)s AND i.indisunique AND i.indnkeyatts = 1"""


@dataclass(frozen=True)
class Relation:
    """Something that has a name of its own in a schema.

    Attributes:
        kind: `pg_class.relkind`.
        row_secured: policies let us see and write only some of its rows.
        ruled: a RULE rewrites what is written.
        triggered: a trigger of a user stands on it.
        self_referencing: a foreign key points to itself.
    """

    oid: int
    schema: str
    name: str
    kind: str
    row_secured: bool
    ruled: bool
    triggered: bool
    self_referencing: bool


@dataclass(frozen=True)
class ColumnRow:
    """One column, its type told twice: as it is declared, and below all domains.

    Attributes:
        identity, generated: as in `pg_attribute`; empty where it is an ordinary column.
        shown: the declared type with its length.
        schema, type, modifier, enum: of the type below all domains.
        domain_schema, domain: of the declared type, which is a domain where `is_domain`.
    """

    name: str
    not_null: bool
    defaulted: bool
    identity: str
    generated: str
    shown: str
    schema: str
    type: str
    modifier: int
    enum: bool
    is_domain: bool
    domain_schema: str
    domain: str


@dataclass(frozen=True)
class Guard:
    """A unique index over whole columns and all rows.

    Attributes:
        collations: quoted; None for a type that has none.
        deterministic: texts are the same only when they are so byte by byte.
    """

    name: str
    columns: list[str]
    collations: list[str | None]
    deterministic: bool


def relations(connection: Connection, name: TableName) -> list[Relation]:
    """What has this name in any case; first what is spelled exactly so."""
    return connection.cursor(row_factory=class_row(Relation)).execute(_RELATIONS, vars(name)).fetchall()


def columns(connection: Connection, oid: int) -> list[ColumnRow]:
    """The table's columns in their order."""
    return connection.cursor(row_factory=class_row(ColumnRow)).execute(_COLUMNS, {"oid": oid}).fetchall()


def guards(connection: Connection, oid: int) -> list[Guard]:
    """The table's unique indexes that can stand for a key."""
    return connection.cursor(row_factory=class_row(Guard)).execute(_GUARDS, {"oid": oid}).fetchall()


def blamed(connection: Connection, oid: int) -> dict[str, str]:
    """The column of each constraint and unique index that has one only, by its name."""
    found: Iterable[tuple[str, str]] = connection.execute(_BLAMED, {"oid": oid})
    return dict(found)
