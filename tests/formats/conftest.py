"""Files as people and systems write them, and a way to read one whole."""

import csv
import json
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter
import xlwt

import formats
from schemas.definition import FileOptions
from schemas.errors import FileRefusedError
from schemas.text_table import Detected, ErrorCell, MalformedRow, TextBlock
from tests.formats.ods_writer import ods_text, write_ods
from tests.formats.xlsb_writer import write_xlsb

Cells = Sequence[str | None]
Writer = Callable[[Path, Sequence[str], Sequence[Cells]], None]


@dataclass(frozen=True)
class Table:
    """A file read whole."""

    kind: str
    detected: Detected
    blocks: list[TextBlock]

    @property
    def headers(self) -> list[str]:
        return [column.header for column in self.detected.columns]

    @property
    def letters(self) -> list[str | None]:
        return [column.letter for column in self.detected.columns]

    @property
    def cells(self) -> list[tuple[str | None, ...]]:
        return [row for block in self.blocks for row in block.cells.iter_rows()]

    @property
    def rows(self) -> list[int]:
        return [row for block in self.blocks for row in block.rows]

    @property
    def lines(self) -> list[int]:
        return [line for block in self.blocks for line in (block.lines if block.lines is not None else [])]

    @property
    def malformed(self) -> list[MalformedRow]:
        return [row for block in self.blocks for row in block.malformed]

    @property
    def error_cells(self) -> list[ErrorCell]:
        return [cell for block in self.blocks for cell in block.error_cells]


def _write_csv(path: Path, headers: Sequence[str], records: Sequence[Cells]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([headers, *records])


def _write_jsonl(path: Path, headers: Sequence[str], records: Sequence[Cells]) -> None:
    with path.open("w", encoding="utf-8") as stream:
        for record in records:
            stream.write(json.dumps(dict(zip(headers, record, strict=True))) + "\n")


def _write_xlsx(path: Path, headers: Sequence[str], records: Sequence[Cells]) -> None:
    with xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        for row, cells in enumerate([headers, *records]):
            for column, cell in enumerate(cells):
                if cell is not None:
                    sheet.write_string(row, column, cell)


def _write_ods(path: Path, headers: Sequence[str], records: Sequence[Cells]) -> None:
    write_ods(path, [[None if cell is None else ods_text(cell) for cell in row] for row in [headers, *records]])


def _write_xls(path: Path, headers: Sequence[str], records: Sequence[Cells]) -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("Sheet1")
    for row, cells in enumerate([headers, *records]):
        for column, cell in enumerate(cells):
            if cell is not None:
                sheet.write(row, column, cell)
    book.save(str(path))


def _write_xlsb(path: Path, headers: Sequence[str], records: Sequence[Cells]) -> None:
    rows = enumerate([headers, *records])
    write_xlsb(path, {row: [(c, v, 0) for c, v in enumerate(cells) if v is not None] for row, cells in rows})


WRITERS: dict[str, Writer] = {
    "csv": _write_csv,
    "jsonl": _write_jsonl,
    "ods": _write_ods,
    "xls": _write_xls,
    "xlsb": _write_xlsb,
    "xlsx": _write_xlsx,
}


@pytest.fixture(params=sorted(WRITERS))
def kind(request: pytest.FixtureRequest) -> str:
    """Each kind of file in turn."""
    return str(request.param)


@pytest.fixture(scope="session")
def writers() -> dict[str, Writer]:
    return WRITERS


@pytest.fixture(scope="session")
def read_table() -> Callable[..., Table]:
    def read(path: Path, known: Sequence[str] = (), name: str | None = None, **options: object) -> Table:
        file_options = FileOptions.model_validate(options)
        with formats.opened(path, file_options, frozenset(known), name) as file:
            return Table(file.detected.kind, file.detected, list(file.blocks()))

    return read


@pytest.fixture(scope="session")
def refusal(read_table: Callable[..., Table]) -> Callable[[Path], str | None]:
    """Reads the file whole and returns the code with which it is refused, None where it is read."""

    def code(path: Path) -> str | None:
        try:
            read_table(path)
        except FileRefusedError as error:
            return error.code
        return None

    return code


@pytest.fixture
def table(tmp_path: Path, read_table: Callable[..., Table]) -> Callable[..., Table]:
    """Reads these bytes, or this text as UTF-8, as a stored upload without a suffix."""

    def from_bytes(content: bytes | str, **arguments: object) -> Table:
        path = tmp_path / "upload"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_table(path, **arguments)

    return from_bytes


_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"


@pytest.fixture
def raw_workbook(tmp_path: Path) -> Callable[..., Path]:
    """A workbook with this XML in its only sheet, for what no writer library writes."""

    def write(sheet_data: str, workbook: str = "") -> Path:
        path = tmp_path / "raw"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("[Content_Types].xml", f'<Types xmlns="{_TYPES}"/>')
            archive.writestr(
                "_rels/.rels",
                f'<Relationships xmlns="{_PACKAGE}"><Relationship Id="rId1" '
                f'Type="{_RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
            )
            archive.writestr(
                "xl/workbook.xml",
                f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}">{workbook}'
                '<sheets><sheet name="Raw" sheetId="1" r:id="rId1"/></sheets></workbook>',
            )
            archive.writestr(
                "xl/_rels/workbook.xml.rels",
                f'<Relationships xmlns="{_PACKAGE}"><Relationship Id="rId1" Type="{_RELATIONS}/worksheet" '
                'Target="worksheets/sheet1.xml"/></Relationships>',
            )
            archive.writestr(
                "xl/styles.xml",
                f'<styleSheet xmlns="{_MAIN}"><cellXfs count="3"><xf numFmtId="0"/><xf numFmtId="14"/>'
                '<xf numFmtId="21"/></cellXfs></styleSheet>',
            )
            archive.writestr("xl/worksheets/sheet1.xml", f'<worksheet xmlns="{_MAIN}">{sheet_data}</worksheet>')
        return path

    return write


@pytest.fixture(scope="session")
def text_dtypes() -> Callable[[TextBlock], bool]:
    def check(block: TextBlock) -> bool:
        names = [str(index) for index in range(block.cells.width)]
        return block.cells.columns == names and all(t == pl.String for t in block.cells.dtypes)

    return check
