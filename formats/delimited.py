"""Delimited text, whatever parts its cells: csv, tsv and their kin."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from formats.blocks import DataRows, finished_cells, resized
from formats.csv_records import RecordReader, Records, read_records
from formats.delimiter import declared_delimiter, find_delimiter
from formats.encoding import find_encoding, is_text
from formats.escape import is_failed_rows, unescape
from formats.header_row import HEAD_ROWS, find_header_row
from formats.physical_lines import lines_of, text_windows
from formats.regular_csv import RegularRecords, regular_records
from schemas.definition import FileOptions
from schemas.errors import FileRefusedError
from schemas.limits import DEFAULT_LIMITS, Limits
from schemas.text_table import Column, Detected, TextBlock

_SAMPLE_CHARS = 64 * 1024


@dataclass(frozen=True)
class Delimited:
    """Text with one record a line, but for line ends inside quotes."""

    kind: str = "csv"
    suffixes: tuple[str, ...] = (".csv", ".tsv", ".tab")
    of_text: bool = True

    def matches(self, path: Path, head: bytes) -> bool:
        """True for any text."""
        del path
        return is_text(head)

    def detect(
        self,
        path: Path,
        options: FileOptions,
        known_headers: frozenset[str],
        limits: Limits = DEFAULT_LIMITS,
    ) -> Detected:
        """Encoding, delimiter and header; the encoding is verified to the last byte."""
        del limits
        encoding = find_encoding(path, options.encoding)
        delimiter = options.delimiter or _delimiter_of(path, encoding.codec, known_headers)
        if delimiter in '"\r\n':
            raise FileRefusedError("file.unreadable", f"{delimiter!r} can't part cells (file: delimiter)")
        rows = _first_rows(path, encoding.codec, delimiter, max(options.header_row or 0, HEAD_ROWS))
        header = find_header_row(rows, options.header_row, known_headers)
        headers = list(rows[header.row])
        if is_failed_rows(headers):
            headers = [unescape(text) for text in headers]
        return Detected(
            kind=self.kind,
            columns=tuple(Column.at(text, index) for index, text in enumerate(headers)),
            header_row=header.row,
            encoding=encoding.codec,
            delimiter=delimiter,
            notes=(*encoding.notes, *header.notes),
        )

    def read(self, path: Path, detected: Detected, limits: Limits = DEFAULT_LIMITS) -> Iterator[TextBlock]:
        """All data rows; what can't be split into cells is malformed."""
        del limits
        return resized(_RowReader(detected).blocks(text_windows(path, detected.encoding or "utf-8")))

    def stored_cells(self, path: Path, detected: Detected, limits: Limits = DEFAULT_LIMITS) -> None:
        """None: all is text."""
        del path, detected, limits


def _delimiter_of(path: Path, codec: str, known_headers: frozenset[str]) -> str:
    first = next(text_windows(path, codec), "")[:_SAMPLE_CHARS]
    return declared_delimiter(first) or find_delimiter(first, known_headers)


def _first_rows(path: Path, codec: str, delimiter: str, wanted: int) -> dict[int, Sequence[str]]:
    """The first `wanted` rows by their number (1-based), without those that can't be split."""
    rows: dict[int, Sequence[str]] = {}
    number = 0
    for part in read_records(text_windows(path, codec), delimiter):
        for record in part.records:
            number += 1
            if record.fault is None:
                rows[number] = record.cells
            if number == wanted:
                return rows
    return rows


class _RowReader:
    """Turns the records of one file, in order, into data rows.

    Attributes:
        row: number of the last row seen, 1-based.
        ordinal: of the next data row, 0-based.
        least: cells that a row must have; it may leave out those below trailing blank headers.
    """

    def __init__(self, detected: Detected) -> None:
        self.detected = detected
        self.delimiter = detected.delimiter or ","
        self.width = len(detected.columns)
        self.least = max(i for i, c in enumerate(detected.columns, 1) if c.header.strip() or i == 1)
        self.row = 0
        self.ordinal = 0

    def blocks(self, windows: Iterable[str]) -> Iterator[TextBlock]:
        """The data rows: those below the header that are not blank."""
        records = RecordReader(self.delimiter)
        rest = ""
        for window in windows:
            found = self._regular(records, rest + window)
            if found is not None:
                rest = found.rest
                yield self._counted(self._regular_block(found, records.line))
                records.line += found.line_ends
            else:
                yield self._counted(self._exact_block(records.split(lines_of(rest + window))))
                rest = ""
        yield self._counted(self._exact_block(records.split(lines_of(rest), final=True)))

    def _regular(self, records: RecordReader, text: str) -> RegularRecords | None:
        if not records.is_between_records or self.row < (self.detected.header_row or 0):
            return None
        return regular_records(text, self.delimiter, self.width)

    def _counted(self, block: TextBlock) -> TextBlock:
        self.ordinal += block.cells.height
        return block

    def _regular_block(self, found: RegularRecords, first_line: int) -> TextBlock:
        cells = finished_cells(found.cells, self.detected)
        rows = pl.int_range(cells.height, dtype=pl.UInt32, eager=True) + (self.row + 1)
        lines = found.lines + first_line
        kept = cells.select(~pl.all_horizontal(pl.all().is_null())).to_series()
        self.row += cells.height
        return TextBlock(self.ordinal, cells.filter(kept), rows.filter(kept), lines.filter(kept))

    def _exact_block(self, records: Records) -> TextBlock:
        rows = DataRows(self.detected, self.ordinal)
        width, header_row, first_line = self.width, self.detected.header_row or 0, records.first_line
        for record in records.records:
            self.row += 1
            cells = record.cells
            if self.row <= header_row or (record.fault is None and not any(map(str.strip, cells))):
                continue
            line = first_line + record.begin
            if len(cells) == width:
                rows.add(cells, self.row, line)
            elif record.fault is not None:
                rows.add_malformed("row.quote", records.text(record), record.fault, self.row, line)
            elif self.least <= len(cells) < width:
                rows.add(cells + [None] * (width - len(cells)), self.row, line)
            else:
                detail = f"{len(cells)} cell{'s'[: len(cells) != 1]} where the header has {width}"
                rows.add_malformed("row.field_count", records.text(record), detail, self.row, line)
        return rows.block()


FORMAT = Delimited()
