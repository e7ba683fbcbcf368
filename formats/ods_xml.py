"""The tables of an OpenDocument spreadsheet as rows of text, parsed as a stream in flat memory."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET

from formats.archive import open_archive
from formats.moments import iso_duration_text
from schemas.errors import FileRefusedError
from schemas.limits import Limits
from schemas.text_table import StoredAs

LAST_ROW = 1_048_576
LAST_COLUMN = 16_384
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_STYLE = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"
_CALC = "{urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0}"
_SHEETS = f"{_OFFICE}spreadsheet"
_CELLS = (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell")
_NUMBERS = frozenset({"float", "currency", "percentage"})
_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d{1,9})?\Z", re.ASCII)
_TRUTHS = frozenset({"true", "false"})
_SHOWN_ERROR = re.compile(r"#[A-Z][A-Z0-9/_]*[!?]?\Z|Err:\d+\Z")
_MIDNIGHT = re.compile(r"T00:00(:00(\.0*)?)?\Z")
_COUNT = re.compile(r"\+?0*[1-9]\d{0,17}\Z", re.ASCII)
_MOST_DIGITS = 400


class OdsCell(NamedTuple):
    """One cell with a value.

    Attributes:
        column: 0-based, column A being 0.
        text: the value in canonical form; of an error, what the sheet shows.
    """

    column: int
    text: str
    stored: StoredAs
    is_error: bool


class OdsRow(NamedTuple):
    """One row with a value; `number` is 1-based."""

    number: int
    cells: list[OdsCell]


@dataclass
class OdsTable:
    """What one table is, told by its whole content.

    Attributes:
        head: its first rows with a value, by number.
        first_column, last_column: 0-based, of all cells with a value.
    """

    name: str
    visible: bool
    head: dict[int, OdsRow]
    first_column: int = LAST_COLUMN
    last_column: int = -1


def survey(path: Path, head_rows: int, limits: Limits) -> list[OdsTable]:
    """All tables in order.

    Args:
        head_rows: rows above this number (1-based, included) are the head.

    Raises:
        FileRefusedError: a table is larger than allowed (`file.sheet_cells`), or what `open_archive` raises.
    """
    tables: list[OdsTable] = []
    for name, visible, row in _rows(path, limits):
        if not tables or tables[-1].name != name:
            tables.append(OdsTable(name, visible, {}))
        if row is None:
            continue
        table = tables[-1]
        table.first_column = min(table.first_column, row.cells[0].column)
        table.last_column = max(table.last_column, row.cells[-1].column)
        if row.number <= head_rows:
            table.head[row.number] = row
        if (table.last_column - table.first_column + 1) * row.number > limits.sheet_cells:
            raise FileRefusedError(
                "file.sheet_cells",
                f"the sheet {name!r} spans more than {limits.sheet_cells:,} cells; "
                "delete the cells that stand far away from the others",
            )
    return tables


def table_rows(path: Path, name: str, limits: Limits) -> Iterator[OdsRow]:
    """The rows of one table that have a value, in order."""
    for table, _, row in _rows(path, limits):
        if table == name and row is not None:
            yield row


def _rows(path: Path, limits: Limits) -> Iterator[tuple[str, bool, OdsRow | None]]:
    """Name and visibility of the table, and its row; None at the beginning of each table."""
    hidden: set[str] = set()
    name, visible, number = "", True, 1
    with open_archive(path, limits) as archive, archive.open("content.xml") as stream:
        parents: list[ET.Element] = []
        are_sheets: list[bool] = []
        for event, element in ET.iterparse(stream, ("start", "end")):  # noqa: S314 - expat bounds its entities
            if event == "start":
                if element.tag == f"{_TABLE}table":
                    are_sheets.append(not are_sheets and parents[-1:] != [] and parents[-1].tag == _SHEETS)
                    if are_sheets == [True]:
                        name, number = element.get(f"{_TABLE}name", ""), 1
                        visible = element.get(f"{_TABLE}style-name") not in hidden
                        yield name, visible, None
                parents.append(element)
                continue
            parents.pop()
            if element.tag == f"{_TABLE}table":
                are_sheets.pop()
            elif element.tag == f"{_STYLE}style" and _hides(element):
                hidden.add(element.get(f"{_STYLE}name", ""))
            elif element.tag == f"{_TABLE}table-row":
                if are_sheets == [True]:
                    repeated = _repeated(element, "number-rows-repeated")
                    cells = _cells(element)
                    for again in range(repeated if cells else 0):
                        yield name, visible, OdsRow(number + again, cells)
                    number += repeated
                parents[-1].clear()


def _hides(style: ET.Element) -> bool:
    properties = style.find(f"{_STYLE}table-properties")
    return properties is not None and properties.get(f"{_TABLE}display") == "false"


def _repeated(element: ET.Element, attribute: str) -> int:
    """For how many rows or cells the element stands.

    Raises:
        FileRefusedError: the attribute is no count (`file.unreadable`).
    """
    told = element.get(f"{_TABLE}{attribute}")
    if told is None:
        return 1
    if not _COUNT.match(told):
        raise FileRefusedError(
            "file.unreadable", f"the workbook says {attribute}={told[:20]!r}, which is no count"
        )
    return int(told)


def _cells(row: ET.Element) -> list[OdsCell]:
    cells: list[OdsCell] = []
    column = 0
    for element in row:
        if element.tag not in _CELLS:
            continue
        repeated = _repeated(element, "number-columns-repeated")
        has_value = element.tag == _CELLS[0] and (len(element) or len(element.attrib))
        value = _value(element) if has_value else None
        if value is not None and value[0].strip():
            if column + repeated > LAST_COLUMN:
                raise FileRefusedError("file.unreadable", "a row has cells behind the last column of a sheet")
            cells += [OdsCell(column + again, *value) for again in range(repeated)]
        column += repeated
    return cells


def _value(cell: ET.Element) -> tuple[str, StoredAs, bool]:
    """Text, how it is stored, and whether it is an error; a value that is none of its kind is text."""
    kind = cell.get(f"{_OFFICE}value-type")
    shown = "\n".join(_text(part) for part in cell if part.tag == f"{_TEXT}p")
    failed = cell.get(f"{_TABLE}formula") is not None and _SHOWN_ERROR.match(shown)
    if failed or cell.get(f"{_CALC}value-type") == "error":
        return shown or "#VALUE!", StoredAs.TEXT, True
    if kind in _NUMBERS and (number := cell.get(f"{_OFFICE}value")) is not None:
        return (_plain_number(number), StoredAs.NUMBER, False) if _NUMBER.match(number) else _as_text(number)
    if kind == "boolean" and (truth := cell.get(f"{_OFFICE}boolean-value")) is not None:
        return (truth, StoredAs.BOOLEAN, False) if truth in _TRUTHS else _as_text(truth)
    if kind == "date" and (date := cell.get(f"{_OFFICE}date-value")) is not None:
        said = _MIDNIGHT.sub("", date).replace("T", " ")
        return (said, StoredAs.MOMENT, False) if _is_date(date) else _as_text(said)
    if kind == "time" and (time := cell.get(f"{_OFFICE}time-value")) is not None:
        duration = iso_duration_text(time)
        return (duration, StoredAs.MOMENT, False) if duration is not None else _as_text(time)
    return shown or cell.get(f"{_OFFICE}string-value") or "", StoredAs.TEXT, False


def _as_text(said: str) -> tuple[str, StoredAs, bool]:
    return said, StoredAs.TEXT, False


def _is_date(iso: str) -> bool:
    try:
        datetime.fromisoformat(iso)
    except ValueError:
        return False
    return True


def _plain_number(number: str) -> str:
    """The digits without an exponent, as other workbooks give them."""
    if "e" not in number.lower():
        return number
    exact = Decimal(number)
    return f"{exact:f}" if abs(exact.adjusted()) < _MOST_DIGITS else number


def _text(paragraph: ET.Element) -> str:
    """The text of a paragraph, with the white space that stands in elements of its own."""
    parts = [paragraph.text or ""]
    for child in paragraph:
        if child.tag == f"{_TEXT}s":
            parts.append(" " * min(int(child.get(f"{_TEXT}c", "1")), LAST_ROW))
        elif child.tag == f"{_TEXT}tab":
            parts.append("\t")
        elif child.tag == f"{_TEXT}line-break":
            parts.append("\n")
        elif child.tag != f"{_OFFICE}annotation":
            parts.append(_text(child))
        parts.append(child.tail or "")
    return "".join(parts)
