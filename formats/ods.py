"""Spreadsheets of OpenDocument (ods): one sheet, with the values that stand in the file as text.

Read by Lading itself, because the reader of the other workbooks takes a failed formula for a blank or a zero.
"""

import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from formats.blocks import DataRows
from formats.containers import BROKEN_ZIP, ZIP, is_broken_zip, locked, zip_names
from formats.header_row import HEAD_ROWS
from formats.ods_xml import OdsRow, OdsTable, survey, table_rows
from formats.workbook import detected_sheet, named_sheet, no_cells, note_of_others, refused_when_broken
from schemas.chunk import BLOCK_ROWS
from schemas.definition import FileOptions
from schemas.limits import DEFAULT_LIMITS, Limits
from schemas.row_error import column_index
from schemas.text_table import Detected, ErrorCell, StoredAs, StoredCells, TextBlock

_MIMETYPE = b"application/vnd.oasis.opendocument.spreadsheet"
_MIB = 1024 * 1024


class Ods:
    """A spreadsheet of OpenDocument."""

    kind = "ods"
    suffixes = (".ods",)
    of_text = False

    def matches(self, path: Path, head: bytes) -> bool:
        """True for an archive that calls itself so, usually in its first part, or says it in broken bytes."""
        if not head.startswith(ZIP):
            return False
        if _MIMETYPE in head or is_broken_zip(path, head):
            return _MIMETYPE in head
        names = zip_names(path) or frozenset()
        if not {"content.xml", "mimetype"} <= names:
            return False
        try:
            return _part(path, "mimetype").strip() == _MIMETYPE
        except BROKEN_ZIP:
            return True

    def detect(
        self,
        path: Path,
        options: FileOptions,
        known_headers: frozenset[str],
        limits: Limits = DEFAULT_LIMITS,
    ) -> Detected:
        """The sheet, its header row and its columns, from the first that has a cell."""
        with refused_when_broken():
            if b"encryption-data" in _part(path, "META-INF/manifest.xml"):
                raise locked()
            table, notes = _chosen(survey(path, max(options.header_row or 0, HEAD_ROWS), limits), options.sheet)
        first, width = table.first_column, table.last_column - table.first_column + 1
        rows = {}
        for number in range(1, max(table.head, default=0) + 1):
            rows[number] = [""] * width
            for cell in table.head[number].cells if number in table.head else ():
                rows[number][cell.column - first] = cell.text
        return detected_sheet(self.kind, table.name, first, rows, options, known_headers, notes)

    def read(self, path: Path, detected: Detected, limits: Limits = DEFAULT_LIMITS) -> Iterator[TextBlock]:
        """All rows below the header that have a cell; rows keep the numbers that the sheet shows."""
        part = _Part(detected, 0)
        with refused_when_broken():
            for row in table_rows(path, detected.sheet or "", limits):
                if row.number <= (detected.header_row or 0):
                    continue
                part.add(row)
                if len(part.rows.rows) == BLOCK_ROWS:
                    yield part.block()
                    part = _Part(detected, part.rows.first_ordinal + BLOCK_ROWS)
        if part.rows.rows:
            yield part.block()

    def stored_cells(
        self, path: Path, detected: Detected, limits: Limits = DEFAULT_LIMITS
    ) -> StoredCells | None:
        """How the cells of the sheet are stored."""
        first, blank = _origin(detected), StoredAs.TEXT.value * len(detected.columns)
        letters: list[str] = []
        with refused_when_broken():
            for row in table_rows(path, detected.sheet or "", limits):
                letters += [blank] * (row.number - 1 - len(letters))
                stored = list(blank)
                for cell in row.cells:
                    stored[cell.column - first] = cell.stored.value
                letters.append("".join(stored))
        return StoredCells(letters)


class _Part:
    """Rows of one block being collected."""

    def __init__(self, detected: Detected, first_ordinal: int) -> None:
        self.rows = DataRows(detected, first_ordinal)
        self._first_column = _origin(detected)
        self._width = len(detected.columns)
        self._errors: list[ErrorCell] = []

    def add(self, row: OdsRow) -> None:
        ordinal = self.rows.first_ordinal + len(self.rows.rows)
        texts: list[str | None] = [None] * self._width
        for cell in row.cells:
            index = cell.column - self._first_column
            if cell.is_error:
                self._errors.append(ErrorCell(ordinal, index, cell.text))
            else:
                texts[index] = cell.text
        self.rows.add(texts, row.number, 0)

    def block(self) -> TextBlock:
        return replace(self.rows.block(), lines=None, error_cells=tuple(self._errors))


def _chosen(tables: list[OdsTable], wanted: str | None) -> tuple[OdsTable, tuple[str, ...]]:
    """The table that is asked for, else the first visible one with a cell; and what to say of the others."""
    names = [table.name for table in tables]
    candidates = tables
    if wanted is not None:
        name = named_sheet(names, wanted)
        candidates, names = [table for table in tables if table.name == name], [name]
    for table in candidates:
        if table.last_column >= 0 and (table.visible or wanted is not None):
            return table, note_of_others(table.name, names)
    raise no_cells(wanted)


def _origin(detected: Detected) -> int:
    """The 0-based column of the sheet that is the first of the table."""
    return column_index(detected.columns[0].letter or "A")


def _part(path: Path, name: str) -> bytes:
    """The beginning of a part of the archive; nothing where there is no such part."""
    with zipfile.ZipFile(path) as archive:
        if name not in archive.namelist():
            return b""
        with archive.open(name) as stream:
            return stream.read(_MIB)


FORMAT = Ods()
