"""Reads the rows of a file for a definition with a mapping: which columns its rules read, where they stand."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from formats import OpenFile
from schemas.codes import CODES
from schemas.definition import Definition
from schemas.headers import FAILED_ROWS_COLUMN, Binding, normalise
from schemas.row_error import RowError
from schemas.text_table import Column, Detected, ErrorCell, TextBlock
from tasks.checking import CheckedBlock, Checker, with_unmended
from tasks.mapped_columns import lacking, mapped_columns, read_names, refuse_lacking, refuse_twice, unread
from tasks.mapped_rows import Rows, Said, mapped

_NOTHING = Said({})

Record = Mapping[str, object] | None
"""A row as its mapping sees it; None for a malformed one."""


@dataclass(frozen=True)
class SeenBlock:
    """One block as it stands in the file, and its rows as a mapping sees them, if there is one."""

    block: TextBlock
    records: Sequence[Record] = ()


class MappedFile:
    """The rows of one file, mapped before they are checked.

    Attributes:
        detected, binding: of the table that the mapping makes; each field stands in the column of the file that
            its rule reads, where that is one.
        lacking: what rules read, and the file does not have.
    """

    def __init__(self, definition: Definition, detected: Detected) -> None:
        """Look at the headers.

        Raises:
            FileRefusedError: a required field's column is missing, two columns have a header that a rule reads,
                or no rule reads one and the policy says so.
        """
        self._fields = [f.name for f in definition.fields]
        self._say = mapped(definition, {})
        self._source = detected
        spelled: dict[str, set[str]] = defaultdict(set)
        for name in read_names(definition):
            spelled[normalise(name)].add(name)
        self._names = [{c.header, *spelled.get(normalise(c.header), ())} for c in detected.columns]
        self._is_read = [normalise(column.header) in spelled for column in detected.columns]
        columns = mapped_columns(definition, detected.columns)
        self._places: dict[str | None, list[int]] = defaultdict(list)
        for place, column in enumerate(columns):
            self._places[column.letter].append(place)
        refuse_twice(detected.columns, self._is_read)
        self.lacking = lacking(definition, detected.columns)
        refuse_lacking(definition, self.lacking)
        unknown = unread(definition, detected.columns, self._is_read)
        self.binding = Binding({name: place for place, name in enumerate(self._fields)}, unknown)
        if detected.is_failed_rows:
            columns.append(Column(FAILED_ROWS_COLUMN, "A"))
            self._fields.append(FAILED_ROWS_COLUMN)
        self.detected = replace(detected, columns=tuple(columns))

    def blocks(self, file: OpenFile) -> Iterator[SeenBlock]:
        """All rows of the file, which is the one that was detected."""
        records = file.records()
        for block in file.blocks():
            yield SeenBlock(block, self._of_cells(block) if records is None else next(records))

    def check(self, checker: Checker, seen: SeenBlock) -> CheckedBlock:
        """The rows of the block, mapped and then checked."""
        block = with_unmended(seen.block, self._source)
        malformed = {row.ordinal - block.first_ordinal for row in block.malformed}
        rows = Rows(self._fields, block.first_ordinal, malformed=list(block.malformed))
        for place, (record, number) in enumerate(zip(seen.records, block.rows.to_list(), strict=True)):
            is_record = record is not None and place not in malformed
            rows.add(self._say(record or {}, block.first_ordinal + place) if is_record else _NOTHING, number)
        rows.faults += self._other_error_cells(block)
        return rows.check(checker, block.lines, self._error_cells(block))

    def _of_cells(self, block: TextBlock) -> list[Record]:
        pairs = [(name, str(place)) for place, names in enumerate(self._names) for name in names if name]
        columns = {name: block.cells[column].to_list() for name, column in pairs}
        names = list(columns)
        return [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    def _error_cells(self, block: TextBlock) -> Iterator[ErrorCell]:
        """Those of columns that a field's rule reads alone, where the field stands."""
        for cell in block.error_cells:
            for place in self._places.get(self._source.columns[cell.column].letter, ()):
                yield replace(cell, column=place)

    def _other_error_cells(self, block: TextBlock) -> Iterator[RowError]:
        """Those that rules read together with others: they are no value of one field, and fail their row."""
        for cell in block.error_cells:
            letter = self._source.columns[cell.column].letter
            if self._is_read[cell.column] and letter not in self._places:
                message = CODES["cell.error"].says(value=cell.text)
                yield RowError("cell.error", message, cell.ordinal, column=letter, value=cell.text)
