"""A table as a destination sees it, and where it does not fit a definition; knows no dialect of SQL."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from schemas.definition import Definition, Field, Mode
from schemas.errors import DestinationError
from schemas.field_types import FieldType


@dataclass(frozen=True)
class Column:
    """One column of the table.

    Attributes:
        name: as the table spells it.
        kind: what the dialect needs to know to hold the same values elsewhere; SQLite's affinity.
        demanding: an insert without this column is refused: NOT NULL with no default of any sort.
        generated: computed by the table, and not to be written.
        unfit: the types of field that can't be kept here, each with the reason, which follows "its column 'x'".
        meant_for: the type of field that comes nearest to what the column is declared for.
    """

    name: str
    kind: str
    demanding: bool = False
    generated: bool = False
    unfit: Mapping[FieldType, str] = field(default_factory=dict)
    meant_for: FieldType = FieldType.STRING


@dataclass(frozen=True)
class UniqueKey:
    """Columns that the table itself keeps unique, over all its rows.

    Attributes:
        columns: as the table spells them.
        collations: one for each column; what the table takes for the same.
        index: what keeps them so; None where the table itself is sorted by them (SQLite's rowid).
    """

    columns: tuple[str, ...]
    collations: tuple[str, ...]
    index: str | None


@dataclass(frozen=True)
class Table:
    """What the destination says of a table.

    Attributes:
        columns: by name in lower case.
        faults: sentences on why no load can be kept honest here (a view, for one).
        triggered: a trigger stands on the table, so that an insert may do more or less than it says.
        overruling: a constraint has its own conflict clause, which would hide clashes.
        self_referencing: a foreign key points to the table itself, so that the order of rows matters.
    """

    name: str
    columns: Mapping[str, Column]
    unique_keys: tuple[UniqueKey, ...] = ()
    faults: tuple[str, ...] = ()
    triggered: bool = False
    overruling: bool = False
    self_referencing: bool = False

    def column(self, field: str) -> Column:
        """The column that takes this field, which must be there."""
        return self.columns[field.lower()]

    def unique_key(self, key: tuple[str, ...]) -> UniqueKey | None:
        """The table's guard over exactly these fields, in their order; None where it has none."""
        wanted = [name.lower() for name in key]
        for guard in self.unique_keys:
            collations = {c.lower(): x for c, x in zip(guard.columns, guard.collations, strict=True)}
            if wanted and set(collations) == set(wanted):
                columns = tuple(self.columns[name].name for name in wanted)
                return UniqueKey(columns, tuple(collations[name] for name in wanted), guard.index)
        return None


def field_types(table: Table | None) -> dict[str, FieldType] | None:
    """Column that can be written, in lower case → the type of field that it is meant for; None: no table."""
    if table is None:
        return None
    return {name: column.meant_for for name, column in table.columns.items() if not column.generated}


def lacking(definition: Definition, table: Table) -> list[Field]:
    """The fields that have no column yet."""
    return [f for f in definition.fields if f.name.lower() not in table.columns]


def refuse_misfit(definition: Definition, table: Table) -> None:
    """Pass a table that fits the definition.

    Raises:
        DestinationError: it does not; every difference is named.
    """
    misfits = [*table.faults, *_misfits(definition, table)] if table.columns else list(table.faults)
    if misfits:
        raise DestinationError(
            f"the table {table.name!r} does not fit the definition {definition.name!r}: " + "; ".join(misfits)
        )


def untold(definition: Definition, said: str) -> DestinationError:
    """What to tell when only the commit refused records, and nothing tells which."""
    return DestinationError(
        f"the table {definition.table.table!r} refuses the records only when all are there, "
        f"and does not tell which ({said}); a constraint that is not DEFERRABLE would"
    )


def _misfits(definition: Definition, table: Table) -> Iterator[str]:
    fields = [f.name for f in definition.fields]
    for name in fields:
        if name.lower() not in table.columns:
            yield f"it has no column {name!r}"
        elif table.column(name).generated:
            yield f"its column {name!r} is generated and can't be written"
        elif reason := table.column(name).unfit.get(definition.field(name).type):
            yield f"its column {name!r} {reason}"
    if definition.key and table.unique_key(definition.key) is None:
        names = ", ".join(repr(name) for name in definition.key)
        yield f"no PRIMARY KEY or UNIQUE index covers exactly the key ({names})"
    if definition.mode is not Mode.UPDATE:
        unfed = table.columns.keys() - {name.lower() for name in fields}
        for column in (c for name, c in table.columns.items() if name in unfed and c.demanding):
            yield f"its column {column.name!r} is NOT NULL without a default, and no field feeds it"
