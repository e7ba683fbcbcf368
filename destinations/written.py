"""Which fields of a record are written when it is created, and which when it is updated."""

from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from destinations.outcomes import SEQ
from schemas.definition import Definition
from schemas.destination import KEEP


class Written:
    """What one load writes; a field is named by its place (0-based) among those of the load.

    Args:
        fields: of the load, in the order of the definition.
        columns: of the load's rows.

    Attributes:
        created: what a new record gets.
        updated: what a record that is there gets; the key is not among it.
        kept: of which some record may say that what is there stays.
    """

    def __init__(self, definition: Definition, fields: Sequence[str], columns: Sequence[str]) -> None:
        known = [definition.field(name) for name in fields]
        self.created = [i for i, field in enumerate(known) if field.written != "on_update"]
        self.updated = [
            i for i, f in enumerate(known) if f.written != "on_create" and f.name not in definition.key
        ]
        self.kept = [i for i, name in enumerate(fields) if KEEP + name in columns]
        # What the definition has a default for is never left out of a new record.
        self._left_out = {KEEP + fields[i]: i for i in self.kept if known[i].default is None}
        self._places: Mapping[int, tuple[int, ...]] = {}

    def stage(self, records: pl.DataFrame) -> None:
        """From now on `groups` speaks of these records."""
        self._places = {}
        if self._left_out:
            parts = self.parts(records)
            self._places = {seq: tuple(places) for places, part in parts for seq in part[SEQ]}

    def parts(self, records: pl.DataFrame) -> Iterator[tuple[list[int], pl.DataFrame]]:
        """The records, apart by what a new one gets: what it leaves out is the table's to fill."""
        if not self._left_out:
            yield self.created, records
            return
        by = list(self._left_out)
        for pattern, part in records.partition_by(by, as_dict=True, maintain_order=True).items():
            left_out = {self._left_out[name] for name, is_kept in zip(by, pattern, strict=True) if is_kept}
            yield [i for i in self.created if i not in left_out] or self.created, part

    def groups(self, records: list[int]) -> Iterator[tuple[Sequence[int], list[int]]]:
        """These staged records, by sequence number, apart likewise; one group, empty, of none."""
        groups: dict[tuple[int, ...], list[int]] = {}
        for record in records if self._places else ():
            groups.setdefault(self._places[record], []).append(record)
        yield from groups.items() if groups else [(self.created, records)]

    def marks(self, records: pl.DataFrame, fields: Sequence[str]) -> Iterator[tuple[int, list[int]]]:
        """Place of a field → the records, by sequence number, that leave it as it is."""
        for place in self.kept:
            if kept := records.filter(pl.col(KEEP + fields[place]))[SEQ].to_list():
                yield place, kept
