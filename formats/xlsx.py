"""Workbooks of Excel and its kin (xlsx, xlsm): XML in a ZIP archive, read in pieces and in flat memory."""

import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from formats.archive import open_archive
from formats.containers import holds_part, is_broken_zip
from formats.header_row import HEAD_ROWS
from formats.sheet_extent import extent
from formats.sheet_markup import PIECE_BYTES
from formats.sheet_rows import head_rows, sheet_blocks
from formats.sheet_stream import SheetStream
from formats.sheet_strings import SharedStrings
from formats.sheet_workbook import Frame, Sheet
from formats.workbook import detected_sheet, named_sheet, no_cells, note_of_others, refused_when_broken
from schemas.definition import FileOptions
from schemas.limits import DEFAULT_LIMITS, Limits
from schemas.row_error import column_index
from schemas.text_table import Detected, StoredAs, StoredCells, TextBlock


@dataclass(frozen=True)
class Xlsx:
    """A workbook of XML in a ZIP archive; an archive that is cut off is taken for one too.

    Attributes:
        piece_bytes: how much XML of a sheet is taken apart at once.
    """

    kind: str = "xlsx"
    suffixes: tuple[str, ...] = (".xlsx", ".xlsm")
    of_text: bool = False
    piece_bytes: int = PIECE_BYTES

    def matches(self, path: Path, head: bytes) -> bool:
        """True for an archive with the XML of a workbook, and for one that is broken and of no other kind."""
        return holds_part(path, head, "xl/workbook.xml") or (
            is_broken_zip(path, head) and b"xl/workbook.bin" not in head and b"opendocument" not in head
        )

    def detect(
        self,
        path: Path,
        options: FileOptions,
        known_headers: frozenset[str],
        limits: Limits = DEFAULT_LIMITS,
    ) -> Detected:
        """The sheet, its header row and its columns, from the first that has a cell."""
        n_rows = max(options.header_row or 0, HEAD_ROWS)
        with refused_when_broken(), open_archive(path, limits) as archive:
            frame = Frame(archive)
            sheet, columns, notes = _chosen_sheet(archive, frame, options, limits)
            stream = SheetStream(archive, frame, sheet, columns, self.piece_bytes)
            with closing(SharedStrings(archive, frame, limits)) as texts, closing(stream.rows(texts)) as parts:
                rows = head_rows(parts, n_rows)
        return detected_sheet(self.kind, sheet.name, columns[0], rows, options, known_headers, notes)

    def read(self, path: Path, detected: Detected, limits: Limits = DEFAULT_LIMITS) -> Iterator[TextBlock]:
        """All rows below the header that have a cell; rows keep the numbers that the sheet shows."""
        with (
            self._opened(path, detected, limits) as (archive, stream),
            closing(SharedStrings(archive, stream.frame, limits)) as texts,
            closing(stream.rows(texts)) as parts,
        ):
            yield from sheet_blocks(parts, detected)

    def stored_cells(
        self, path: Path, detected: Detected, limits: Limits = DEFAULT_LIMITS
    ) -> StoredCells | None:
        """How the cells of the sheet are stored."""
        blank = StoredAs.TEXT.value * len(detected.columns)
        letters: list[str] = []
        alike: dict[str, str] = {}
        with self._opened(path, detected, limits) as (_, stream), closing(stream.stored()) as parts:
            for first_row, rows in parts:
                letters += [blank] * (first_row - 1 - len(letters))
                # Most rows are stored alike, and need but one text between them.
                letters += (alike.setdefault(row, row) for row in rows)
        return StoredCells(letters)

    @contextmanager
    def _opened(
        self, path: Path, detected: Detected, limits: Limits
    ) -> Iterator[tuple[zipfile.ZipFile, SheetStream]]:
        """The archive and the sheet that was detected in it."""
        with refused_when_broken(), open_archive(path, limits) as archive:
            frame = Frame(archive)
            first = column_index(detected.columns[0].letter or "A")
            columns = range(first, first + len(detected.columns))
            sheet = _named(frame.sheets, detected.sheet or "")
            yield archive, SheetStream(archive, frame, sheet, columns, self.piece_bytes)


def _chosen_sheet(
    archive: zipfile.ZipFile, frame: Frame, options: FileOptions, limits: Limits
) -> tuple[Sheet, range, tuple[str, ...]]:
    """The sheet that is asked for, else the first visible one with a cell; its columns; and notes."""
    asked = [_named(frame.sheets, options.sheet)] if options.sheet is not None else frame.sheets
    for sheet in asked:
        if sheet.visible or options.sheet is not None:
            found = extent(archive, sheet.part, limits)
            if found.cells:
                notes = note_of_others(sheet.name, [other.name for other in asked])
                return sheet, found.columns, notes
    raise no_cells(options.sheet)


def _named(sheets: tuple[Sheet, ...], wanted: str) -> Sheet:
    by_name = {sheet.name: sheet for sheet in sheets}
    return by_name[named_sheet(list(by_name), wanted)]


FORMAT = Xlsx()
