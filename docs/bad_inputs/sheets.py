"""The workbooks among the bad inputs."""

import datetime as dt
import io

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from docs.bad_inputs.archives import zipped

_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_HEADERS = ("Id", "Name", "Amount")
_ROWS = (("1", "a", 10), ("2", "b", 20))


def plain() -> bytes:
    """Two rows with nothing wrong."""
    return _workbook(*_ROWS)


def large_numbers() -> bytes:
    """A number of 16 digits in a number cell, which keeps 2^53 of 2^53 + 1."""
    return _workbook(("1", "a", 2**53 + 1))


def leading_zeros() -> bytes:
    """Text of digits in text cells."""
    return _workbook(("001", "007", "010"), ("0001", "7", "10"))


def merged_headers() -> bytes:
    """A title merged over four columns, and below it a header merged over two."""
    sheet = _Sheet()
    sheet.cells.merge_range("A1:D1", "Sales")
    sheet.cells.write_row("A2", _HEADERS)
    sheet.cells.merge_range("C2:D2", "Amount")
    for number, row in enumerate(_ROWS, 2):
        sheet.cells.write_row(number, 0, (*row, 99))
    return sheet.content()


def error_cells() -> bytes:
    """A good row, one whose amount is #N/A, and one whose key is #DIV/0!."""
    sheet = _Sheet()
    sheet.cells.write_row("A1", _HEADERS)
    sheet.cells.write_row("A2", _ROWS[0])
    sheet.cells.write_row("A3", ("2", "b"))
    sheet.cells.write_formula("C3", "=NA()", None, "#N/A")
    sheet.cells.write_formula("A4", "=1/0", None, "#DIV/0!")
    sheet.cells.write_row("B4", ("c", 30))
    return sheet.content()


def formulas() -> bytes:
    """A formula with its value, and one that no program ever calculated."""
    sheet = _Sheet()
    sheet.cells.write_row("A1", _HEADERS)
    sheet.cells.write_row("A2", ("1", "a"))
    sheet.cells.write_formula("C2", "=5+5", None, 10)
    sheet.cells.write_row("A3", ("2", "b"))
    sheet.cells.write_formula("C3", "=10+10", None, "")
    return sheet.content()


def dates_from_1904() -> bytes:
    """Two dates as numbers of days since 1904."""
    sheet = _Sheet(counts_from_1904=True)
    sheet.cells.write_row("A1", ("Id", "Day"))
    for number, day in enumerate([dt.date(2024, 2, 29), dt.date(1999, 12, 31)], 1):
        sheet.cells.write_string(number, 0, str(number))
        sheet.cells.write_datetime(number, 1, day, sheet.day)
    return sheet.content()


def far_corner() -> bytes:
    """A header and a row in the usual place, and a cell in the last place that a sheet has."""
    far = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    return _raw_workbook(f"<sheetData>{_CELLS}{far}</sheetData>")


def bomb() -> bytes:
    """70 MiB of blanks behind the rows."""
    return _raw_workbook(f"{_ONE_ROW}{' ' * _BOMB_BYTES}")


def ods_bomb() -> bytes:
    """70 MiB of blanks in place of tables."""
    content = f"<document-content>{' ' * _BOMB_BYTES}</document-content>"
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    return zipped({"mimetype": kind, "META-INF/manifest.xml": "<manifest/>", "content.xml": content})


def many_parts() -> bytes:
    """A row, and thousands of empty parts that nothing refers to."""
    return _raw_workbook(_ONE_ROW, {f"xl/media/{number}.bin": "" for number in range(10_001)})


_BOMB_BYTES = 70 * 2**20
_CELLS = "".join(
    f'<row r="{number}">'
    + "".join(
        f'<c r="{letter}{number}" t="inlineStr"><is><t>{text}</t></is></c>'
        for letter, text in zip("ABC", cells, strict=True)
    )
    + "</row>"
    for number, cells in enumerate([_HEADERS, ("1", "a", "10")], 1)
)
_ONE_ROW = f"<sheetData>{_CELLS}</sheetData>"


class _Sheet:
    """A workbook of one sheet, to be filled."""

    def __init__(self, *, counts_from_1904: bool = False) -> None:
        self._bytes = io.BytesIO()
        self._book = xlsxwriter.Workbook(self._bytes, {"in_memory": True, "date_1904": counts_from_1904})
        self.day = self._book.add_format({"num_format": "yyyy-mm-dd"})
        self.cells: Worksheet = self._book.add_worksheet()

    def content(self) -> bytes:
        """The workbook, which can't be filled any more."""
        self._book.close()
        return self._bytes.getvalue()


def _workbook(*rows: tuple[object, ...]) -> bytes:
    sheet = _Sheet()
    for number, row in enumerate((_HEADERS, *rows)):
        sheet.cells.write_row(number, 0, row)
    return sheet.content()


def _raw_workbook(sheet_data: str, more: dict[str, str] | None = None) -> bytes:
    """The smallest xlsx workbook whose only sheet has this XML, with these parts besides."""
    document = f"{_RELATIONS}/officeDocument"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_TYPES}"/>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}">'
        f'<Relationship Id="rId1" Type="{document}" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}">'
        '<sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}"><Relationship Id="rId1" '
        f'Type="{_RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{_MAIN}">{sheet_data}</worksheet>',
    }
    return zipped(parts | (more or {}))
