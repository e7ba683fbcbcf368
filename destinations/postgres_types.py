"""Which columns of PostgreSQL take which type of field, and how a value gets there unchanged or not at all."""

from dataclasses import dataclass

from psycopg import sql

from schemas.definition import Field
from schemas.field_types import DECIMAL_DIGITS, DECIMAL_SCALE, FieldType

_TEXTS = frozenset({"text", "varchar", "bpchar", "citext"})
_INTEGERS = frozenset({"int2", "int4", "int8"})
_NUMBERS = frozenset({FieldType.INTEGER, FieldType.NUMBER, FieldType.DECIMAL})
_WHOLE = frozenset({FieldType.INTEGER})
_DAYS = frozenset({FieldType.DATE, FieldType.DATETIME})
_DOCUMENTS = frozenset({FieldType.JSON, FieldType.MULTICHOICE})

_TAKES: dict[str, frozenset[FieldType]] = (
    dict.fromkeys(_TEXTS, frozenset(FieldType))
    | dict.fromkeys(_INTEGERS, _NUMBERS | {FieldType.BOOLEAN})
    | dict.fromkeys(("timestamp", "timestamptz"), _DAYS)
    | dict.fromkeys(("time", "timetz"), frozenset({FieldType.TIME}))
    | dict.fromkeys(("json", "jsonb"), _DOCUMENTS)
    | {
        "numeric": _NUMBERS | {FieldType.BOOLEAN, FieldType.DURATION},
        "float4": _WHOLE,
        "float8": _WHOLE | {FieldType.NUMBER, FieldType.DURATION},
        "interval": frozenset({FieldType.DURATION}),
        "bool": frozenset({FieldType.BOOLEAN}),
        "date": _DAYS,
        "uuid": frozenset({FieldType.UUID, FieldType.STRING}),
    }
)
_ENUM_TAKES = frozenset({FieldType.STRING, FieldType.CHOICE})

_MEANT_FOR = (
    dict.fromkeys(_INTEGERS, FieldType.INTEGER)
    | dict.fromkeys(("timestamp", "timestamptz"), FieldType.DATETIME)
    | dict.fromkeys(("time", "timetz"), FieldType.TIME)
    | dict.fromkeys(("json", "jsonb"), FieldType.JSON)
    | {
        "numeric": FieldType.DECIMAL,
        "float4": FieldType.INTEGER,  # it can't keep a number of a file, which has more digits
        "float8": FieldType.NUMBER,
        "interval": FieldType.DURATION,
        "bool": FieldType.BOOLEAN,
        "date": FieldType.DATE,
        "uuid": FieldType.UUID,
    }
)

_OWN = {
    FieldType.INTEGER: "int8",
    FieldType.NUMBER: "float8",
    FieldType.DECIMAL: "numeric",
    FieldType.BOOLEAN: "bool",
    FieldType.DATE: "date",
    FieldType.TIME: "time",
    FieldType.DATETIME: "timestamp",
    FieldType.DURATION: "float8",
}
"""The type that holds every value of a field; `text` for those not named. Durations are seconds."""

_ALIKE = frozenset({("text", "varchar"), ("timestamp", "timestamptz")})
"""Pairs of own type and column that hold the same values; our sessions are in UTC."""


@dataclass(frozen=True)
class ColumnType:
    """The type of one column.

    Attributes:
        schema, name: of the type below all domains, as `pg_type` has them.
        modifier: the column's or the domain's length, precision or scale, as PostgreSQL encodes it; -1: none.
        domain: schema and name of the domain, None where it is none.
        enum: its values are a list of the type's own.
    """

    schema: str
    name: str
    modifier: int
    domain: tuple[str, str] | None = None
    enum: bool = False

    def takes(self, kind: FieldType) -> bool:
        """True when values of such a field can be put here, each unchanged or refused."""
        return kind in (_ENUM_TAKES if self.enum else self._takes_built_in())

    @property
    def meant_for(self) -> FieldType:
        """The type of field that comes nearest to this one."""
        return FieldType.STRING if self.enum else _MEANT_FOR.get(self.name, FieldType.STRING)

    def holds(self, field: Field) -> bool:
        """True when every value of the field is kept here as it is, and never refused for its type."""
        own = own_type(field.type)
        same = own == self.name or (own, self.name) in _ALIKE
        is_uuid = field.type is FieldType.UUID and self.name == "uuid"
        return (same or is_uuid) and not self.enum and self.domain is None and self._is_whole()

    def refuses_or_keeps(self, field: Field) -> bool:
        """True when text written straight into the column arrives unchanged or is refused."""
        if self.enum or (own_type(field.type) == "text" and self.name == "citext"):
            return True
        if self.name in {"int2", "int4"}:
            return field.type is FieldType.INTEGER
        if self.name in {"json", "jsonb"}:
            return True
        return ColumnType(self.schema, self.name, self.modifier).holds(field)

    @property
    def base(self) -> sql.Identifier:
        """The type below all domains, without length."""
        return sql.Identifier(self.schema, self.name)

    @property
    def is_text(self) -> bool:
        """True when its values are text that it may compare in a way of its own."""
        return self.name in _TEXTS

    def converted(self, value: sql.Composable, field: Field) -> sql.Composable:
        """The expression that makes of a value in the field's own type one of this type; it may round."""
        if field.type is FieldType.BOOLEAN and self.name in {*_INTEGERS, "numeric"}:
            value = sql.SQL("{}::int4").format(value)
        if self.name == "interval":
            return self._in_domain(sql.SQL("make_interval(secs => {})").format(value))
        if own_type(field.type) == "float8" and self.name == "numeric":
            value = sql.SQL("{}::text").format(value)  # the cast itself keeps fifteen digits
        return self._in_domain(sql.SQL("{}::{}").format(value, self.base))

    def returned(self, value: sql.Composable, field: Field) -> sql.Composable | None:
        """The expression that makes of a value of this type the field's own again; None where none can."""
        if self.name in {"json", "jsonb"}:
            return None
        if field.type is FieldType.BOOLEAN and self.name in {*_INTEGERS, "numeric"}:
            return sql.SQL("{}::int4::bool").format(value)
        if self.name == "interval":
            return sql.SQL("extract(epoch FROM {})::float8").format(value)
        if field.type is FieldType.INTEGER and self.name in {"float4", "float8"}:
            # 2^63, to which 2^63 - 1 is rounded, can't be cast to an integer
            return sql.SQL("CASE WHEN {0} < 9223372036854775808 THEN {0}::int8 END").format(value)
        return sql.SQL("{}::{}").format(value, _named(own_type(field.type)))

    def compared(self, value: sql.Composable) -> sql.Composable:
        """The expression by which two values are told apart, letter by letter where they are text."""
        if self.is_text or self.name == "json":
            return sql.SQL('{}::text COLLATE "C"').format(value)
        return value

    def _in_domain(self, value: sql.Composable) -> sql.Composable:
        return value if self.domain is None else sql.SQL("{}::{}").format(value, sql.Identifier(*self.domain))

    def _takes_built_in(self) -> frozenset[FieldType]:
        built_in = self.schema == "pg_catalog" or self.name == "citext"
        return _TAKES.get(self.name, frozenset()) if built_in else frozenset()

    def _is_whole(self) -> bool:
        """True when no length or precision cuts a value."""
        if self.name == "numeric" and self.modifier >= 0:
            precision, scale = (self.modifier - 4 >> 16) & 0xFFFF, self.modifier - 4 & 0x7FF
            return scale >= DECIMAL_SCALE and precision - scale >= DECIMAL_DIGITS - DECIMAL_SCALE
        return self.modifier == -1 or (self.name in {"time", "timestamp", "timestamptz"} and self.modifier == 6)


def own_type(kind: FieldType) -> str:
    """The type of PostgreSQL that holds every value of such a field."""
    return _OWN.get(kind, "text")


def declared_type(field: Field) -> sql.Composable:
    """The type of the column that Lading makes for the field."""
    if field.type is FieldType.DECIMAL:
        return sql.SQL("numeric({}, {})").format(DECIMAL_DIGITS, DECIMAL_SCALE)
    if field.type is FieldType.DATETIME and field.timezone is not None:
        return sql.SQL("timestamptz")
    if field.type in _DOCUMENTS:
        return sql.SQL("jsonb")
    return sql.SQL("uuid") if field.type is FieldType.UUID else _named(own_type(field.type))


def _named(name: str) -> sql.Identifier:
    return sql.Identifier("pg_catalog", name)
