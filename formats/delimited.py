"""Delimited text, whatever parts its cells: csv, tsv and their kin."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from formats.blocks import DataRows, finished_cells, resized
from formats.csv_records import RecordReader, Records, read_records
from formats.delimiter import declared_delimiter, find_delimiter
from formats.encoding import find_encoding, is_text
from formats.header_row import HEAD_ROWS, find_header_row
from formats.physical_lines import decoded, lines_of, parted, text_windows
from formats.regular_csv import RegularRecords, regular_records
from schemas.definition import FileOptions
from schemas.errors import FileRefusedError
from schemas.escape import is_failed_rows, unescape
from schemas.limits import DEFAULT_LIMITS, Limits
from schemas.text_table import Column, Detected, RowCount, TextBlock

_SAMPLE_CHARS = 64 * 1024
_COUNTED_BYTES = 256 * 1024
"""How much is counted at once: what fits into a processor's own memory is counted quickest."""


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

    def count(self, path: Path, detected: Detected, limits: Limits = DEFAULT_LIMITS) -> Iterator[RowCount]:
        """All data rows, without splitting those that can be told from their bytes to be well formed."""
        del limits
        windows = text_windows(path, detected.encoding or "utf-8", _COUNTED_BYTES)
        return _RowReader(detected).counts(windows)

    def stored_cells(self, path: Path, detected: Detected, limits: Limits = DEFAULT_LIMITS) -> None:
        """None: all is text."""
        del path, detected, limits


def _delimiter_of(path: Path, codec: str, known_headers: frozenset[str]) -> str:
    first = decoded(next(text_windows(path, codec), b""))[:_SAMPLE_CHARS]
    return declared_delimiter(first) or find_delimiter(first, known_headers)


def _first_rows(path: Path, codec: str, delimiter: str, wanted: int) -> dict[int, Sequence[str]]:
    """The first `wanted` rows by their number (1-based), without those that can't be split."""
    rows: dict[int, Sequence[str]] = {}
    number = 0
    for part in read_records(map(decoded, text_windows(path, codec)), delimiter):
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
        self._records = RecordReader(self.delimiter)

    def blocks(self, windows: Iterable[bytes]) -> Iterator[TextBlock]:
        """The data rows: those below the header that are not blank."""
        for part in self._parts(windows, are_split=True):
            block = self._exact_block(part) if isinstance(part, Records) else self._regular_block(part)
            self.ordinal += block.cells.height
            yield block

    def counts(self, windows: Iterable[bytes]) -> Iterator[RowCount]:
        """How many data rows there are."""
        for part in self._parts(windows, are_split=False):
            if isinstance(part, Records):
                count = self._exact_block(part).counted()
            else:
                count = self._regular_count(part)
            self.ordinal += count.rows
            yield count

    def _parts(self, windows: Iterable[bytes], *, are_split: bool) -> Iterator[RegularRecords | Records]:
        """The records, regular where that is certain; those that are to be split can be split by polars."""
        rest = b""
        for window in self._with_header_apart(windows):
            text = rest + window
            found = self._regular(text, are_split=are_split)
            if found is not None:
                rest = found.rest
                yield found
                self._records.line += found.line_ends
            else:
                rest = b""
                yield self._records.split(lines_of(decoded(text)))
        yield self._records.split(lines_of(decoded(rest)), final=True)

    def _with_header_apart(self, windows: Iterable[bytes]) -> Iterator[bytes]:
        """The same text in windows of which only a few lines are those down to the header."""
        header_row, more = self.detected.header_row or 0, 0
        for window in windows:
            rest = window
            while self.row < header_row and rest:
                # A record may have many lines: twice as many each time, lest each costs a look of its own.
                more = max(header_row - self.row, 2 * more)
                head, rest = parted(rest, more)
                yield head
            if rest:
                yield rest

    def _regular(self, text: bytes, *, are_split: bool) -> RegularRecords | None:
        if not self._records.is_between_records or self.row < (self.detected.header_row or 0):
            return None
        found = regular_records(text, self.delimiter, self.width)
        if found is None or ((are_split or found.may_have_blank_rows) and found.cells is None):
            return None
        return found

    def _regular_block(self, found: RegularRecords) -> TextBlock:
        assert found.cells is not None  # noqa: S101 - else it would not have been taken for regular
        cells = finished_cells(found.cells, self.detected, found.doubtful_columns)
        rows = pl.int_range(self.row + 1, self.row + 1 + cells.height, dtype=pl.UInt32, eager=True)
        lines = found.lines + self._records.line
        self.row += cells.height
        if not found.may_have_blank_rows:
            return TextBlock(self.ordinal, cells, rows, lines)
        kept = cells.select(~pl.all_horizontal(pl.all().is_null())).to_series()
        return TextBlock(self.ordinal, cells.filter(kept), rows.filter(kept), lines.filter(kept))

    def _regular_count(self, found: RegularRecords) -> RowCount:
        if found.may_have_blank_rows:
            return self._regular_block(found).counted()
        self.row += found.height
        return RowCount(found.height)

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
