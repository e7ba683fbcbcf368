"""Failed rows as a workbook in which every value stands as it was stored and the wrong cells are marked."""

import re
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from pathlib import Path

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from formats.failed_rows.row import FailedRow, kept_cells, kept_columns
from formats.registry import OpenFile
from formats.workbook import excel_sheet_name
from schemas.escape import escape_again
from schemas.headers import FAILED_ROWS_COLUMN, UNREADABLE
from schemas.row_error import column_index
from schemas.text_table import StoredAs, StoredCells

MOST_CHARS = 32_767
"""A cell of Excel holds no more."""

_CUT = "a text was longer than 32,767 characters, which is all that a cell of Excel holds, and was cut; "
_FILL = "#FFC7CE"
_COMMENT_CHARS = 2_000
_FORMULAS = {
    "#DIV/0!": "=1/0",
    "#N/A": "=NA()",
    **{text: f"={text}" for text in ("#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!")},
}
_FORMS = {
    date: "yyyy-mm-dd",
    datetime: "yyyy-mm-dd hh:mm:ss.000",
    time: "hh:mm:ss.000",
    timedelta: "[h]:mm:ss.000",
}
_DURATION = re.compile(r"(\d+):(\d\d):(\d\d)(?:\.(\d{1,3}))?\Z")
_FIRST_SAFE_DAY = date(1900, 3, 1)
"""Before it Excel counts a day that never was."""


def write_xlsx(path: Path, file: OpenFile, rows: Iterable[FailedRow]) -> int:
    """Write the rows below a header in row 1, in a sheet of the same name and in the original columns."""
    detected = file.detected
    kept = kept_columns(detected)
    stored = file.stored_cells()
    options = {"constant_memory": True, "default_date_format": _FORMS[date]}
    with xlsxwriter.Workbook(path, options) as book:
        out = _Sheet(
            book, excel_sheet_name(detected.sheet or ""), column_index(detected.columns[0].letter or "A")
        )
        out.header([detected.columns[index].header for index in kept])
        for row in rows:
            out.add(row, kept, stored)
    return out.count


class _Sheet:
    """The sheet being written, row by row."""

    def __init__(self, book: xlsxwriter.Workbook, name: str, first_column: int) -> None:
        self.count = 0
        self._first = first_column
        self._sheet: Worksheet = book.add_worksheet(name)
        self._sheet.freeze_panes(1, 0)
        self._bold = book.add_format({"bold": True})
        self._marked = book.add_format({"bg_color": _FILL})
        kinds = (date, datetime, time, timedelta)
        self._moments = {kind: book.add_format({"num_format": _FORMS[kind]}) for kind in kinds}
        self._marked_moments = {
            kind: book.add_format({"num_format": _FORMS[kind], "bg_color": _FILL}) for kind in kinds
        }

    def header(self, headers: list[str]) -> None:
        for position, text in enumerate([*map(escape_again, headers), FAILED_ROWS_COLUMN]):
            self._sheet.write_string(0, self._first + position, text[:MOST_CHARS], self._bold)

    def add(self, row: FailedRow, kept: list[int], stored: StoredCells | None) -> None:
        """Write one row behind the others."""
        self.count += 1
        forms = (stored.of(row.row) if stored is not None else None) or (StoredAs.TEXT,) * len(row.cells)
        reasons = row.reasons
        for position, (index, text) in enumerate(zip(kept, kept_cells(row, kept), strict=True)):
            column, why = self._first + position, row.wrong.get(index)
            if index in row.error_cells:
                shown = text if text in _FORMULAS else "#VALUE!"
                self._sheet.write_formula(self.count, column, _FORMULAS[shown], self._marked, shown)
            elif text or why:
                whole = self._write(column, text, forms[index], marked=why is not None)
                reasons = reasons if whole else f"{UNREADABLE}{_CUT}{reasons}"
            if why is not None:
                self._sheet.write_comment(self.count, column, why[:_COMMENT_CHARS])
        self._sheet.write_string(self.count, self._first + len(kept), escape_again(reasons)[:MOST_CHARS])

    def _write(self, column: int, text: str, form: StoredAs, *, marked: bool) -> bool:
        """Write a value as it was stored where Excel can; gives whether all of it is there."""
        style = self._marked if marked else None
        if form is StoredAs.BOOLEAN:
            self._sheet.write_boolean(self.count, column, text == "true", style)
        elif form is StoredAs.NUMBER and _survives(text):
            self._sheet.write_number(self.count, column, float(text), style)
        elif form is StoredAs.MOMENT and (moment := _moment(text)) is not None:
            styles = self._marked_moments if marked else self._moments
            self._sheet.write_datetime(self.count, column, moment, styles[type(moment)])
        elif text:
            escaped = escape_again(text)
            self._sheet.write_string(self.count, column, escaped[:MOST_CHARS], style)
            return len(escaped) <= MOST_CHARS
        else:
            self._sheet.write_blank(self.count, column, None, style)
        return True


def _survives(text: str) -> bool:
    """Whether the number comes back as it is from the 16 digits that the writer gives it."""
    try:
        number = float(text)
    except ValueError:
        return False
    return float(f"{number:.16G}") == number and abs(number) < 1e15


def _moment(text: str) -> date | datetime | time | timedelta | None:
    """The moment that the canonical text says, where Excel can hold it exactly."""
    if found := _DURATION.match(text):
        hours, minutes, seconds = (int(part) for part in found.group(1, 2, 3))
        milliseconds = int((found.group(4) or "").ljust(3, "0"))
        try:
            whole = timedelta(hours=hours, minutes=minutes, seconds=seconds, milliseconds=milliseconds)
            return whole if hours >= 24 else time(hours, minutes, seconds, milliseconds * 1000)
        except (ValueError, OverflowError):
            return None
    try:
        found_at = datetime.fromisoformat(text)
    except ValueError:
        return None
    if found_at.tzinfo or found_at.microsecond % 1000 or found_at.date() < _FIRST_SAFE_DAY:
        return None
    return found_at.date() if len(text) == len("2024-02-29") else found_at
