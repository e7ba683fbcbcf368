"""Random tables in every kind of file, with known faults at known places: exactly those come back."""

import csv
import gzip
import io
import json
from typing import NamedTuple

import pytest
import xlsxwriter
import xlwt
from hypothesis import given, settings, strategies as st

from schemas.definition import Definition
from schemas.errors import FileRefusedError
from schemas.row_error import column_letter
from tasks.file_check import check_file
from tasks.staging import Stage
from tests.formats.ods_writer import ods_text, write_ods
from tests.formats.xlsb_writer import write_xlsb

HEADERS = ["Id", "Näme", "Amount", "Day"]
GOOD = ["", "Ünal", "7", "2024-02-29"]
FAULTS = {2: ("many", "type.integer"), 3: ("2024-02-30", "type.date")}
"""Column (0-based) → what is wrong there and how it is called."""

words = st.text(st.sampled_from("aÄ 'é\"\n;,|\t"), max_size=5).map(str.strip)


class Written(NamedTuple):
    """A file and the faults in it, as (code, row, line, column letter, value)."""

    content: bytes
    options: dict[str, object]
    faults: list[tuple[str, int, int | None, str | None, str]]


class Table(NamedTuple):
    """Rows of text; None stands for a blank row."""

    rows: list[list[str] | None]
    faults: list[dict[int, tuple[str, str]]]
    titles: int
    first_column: int


@st.composite
def tables(draw):
    rows, faults = [], []
    for number in range(draw(st.integers(1, 6))):
        if draw(st.integers(0, 4)) == 0:
            rows.append(None)
            faults.append({})
            continue
        wrong = {column: fault for column, fault in FAULTS.items() if draw(st.booleans())}
        cells = [f"{number:03}", draw(words) or "x", GOOD[2], GOOD[3]]
        for column, (text, _) in wrong.items():
            cells[column] = text
        rows.append(cells)
        faults.append(wrong)
    return Table(rows, faults, draw(st.integers(0, 3)), draw(st.integers(0, 3)))


@st.composite
def csv_files(draw):
    table = draw(tables())
    codec = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]))
    end = draw(st.sampled_from(["\n", "\r\n"]))
    stream = io.StringIO(newline="")
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]))
    writer = csv.writer(stream, delimiter=draw(st.sampled_from(",;\t|~")), quoting=quoting, lineterminator=end)
    delimiter = writer.dialect.delimiter
    stream.write("A title" + end if table.titles else "")
    stream.write(end * max(table.titles - 1, 0))
    writer.writerow(HEADERS)
    expected = []
    for number, (cells, faults) in enumerate(zip(table.rows, table.faults, strict=True), table.titles + 2):
        line = 1 + stream.getvalue().count("\n")
        if cells is None:
            stream.write(end)
            continue
        broken = draw(st.sampled_from(["", "", "", "ragged", "quote"]))
        if broken == "ragged":
            stream.write(f"1{delimiter}2{end}")
            expected.append(("row.field_count", number, line, None, f"1{delimiter}2"))
        elif broken == "quote":
            stream.write(f'"1"x{delimiter}2{end}')
            expected.append(("row.quote", number, line, None, f'"1"x{delimiter}2'))
        else:
            writer.writerow(cells)
            expected += [(code, number, line, column_letter(c), text) for c, (text, code) in faults.items()]
    options = {"delimiter": "~"} if delimiter == "~" else {}
    return Written(stream.getvalue().encode(codec), options, expected)


@st.composite
def jsonl_files(draw):
    table = draw(tables())
    lines, expected = [], []
    for number, (cells, faults) in enumerate(zip(table.rows, table.faults, strict=True), 1):
        if cells is not None and draw(st.integers(0, 5)) == 0:
            lines.append("{broken")
            expected.append(("row.json", number, number, None, "{broken"))
            continue
        record = dict(zip(HEADERS, cells, strict=True)) if cells is not None else None
        lines.append(json.dumps(record, ensure_ascii=draw(st.booleans())) if record else "")
        expected += [(code, number, number, None, text) for text, code in faults.values()]
    lines.append(json.dumps(dict(zip(HEADERS, ["999", *GOOD[1:]], strict=True))))
    # A broken line at the beginning would make another kind of file of it, if the kind were not said.
    return Written("\n".join(lines).encode(), {"kind": "jsonl"}, expected)


def _grid(table):
    """The table as a sheet: rows of cells from column A and row 1 on."""
    margin = [""] * table.first_column
    titles = [[*margin, "A title"], [], []][: table.titles]
    return [*titles, [*margin, *HEADERS], *([*margin, *cells] if cells else [] for cells in table.rows)]


def _sheet(table, content):
    expected = []
    for number, faults in enumerate(table.faults, table.titles + 2):
        letters = {column: column_letter(table.first_column + column) for column in faults}
        expected += [(code, number, None, letters[c], text) for c, (text, code) in faults.items()]
    return Written(content, {}, expected)


def _xlsx(path, grid):
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        for row, cells in enumerate(grid):
            for column, text in enumerate(cells):
                if text:
                    sheet.write_string(row, column, text)


def _xls(path, grid):
    book = xlwt.Workbook()
    sheet = book.add_sheet("Sheet1")
    for row, cells in enumerate(grid):
        for column, text in enumerate(cells):
            if text:
                sheet.write(row, column, text)
    book.save(str(path))


def _xlsb(path, grid):
    rows = {row: [(c, text, 0) for c, text in enumerate(cells) if text] for row, cells in enumerate(grid)}
    write_xlsb(path, {row: cells for row, cells in rows.items() if cells})


def _ods(path, grid):
    write_ods(path, [[ods_text(text) if text else None for text in cells] for cells in grid])


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Checks a file; gives the faults that were found, in order."""
    folder = tmp_path_factory.mktemp("faults")
    fields = [
        {"name": "id", "header": "Id"},
        {"name": "name", "header": "Näme"},
        {"name": "amount", "header": "Amount", "type": "integer"},
        {"name": "day", "header": "Day", "type": "date"},
    ]
    document = {"name": "t", "key": ["id"], "fields": fields, "destination": {"table": "t"}}

    def check(written, *, packed):
        path = folder / "upload"
        path.write_bytes(gzip.compress(written.content) if packed else written.content)
        definition = Definition.model_validate(document | {"file": written.options})
        errors = []
        check_file(path, "upload", definition, Stage(folder / "stage"), lambda _, some, __: errors.extend(some))
        return [(e.code, e.row, e.line, e.column, e.value) for e in errors]

    return check


@pytest.mark.parametrize("options", [{"delimiter": ";"}, {"header_row": 2}, {"encoding": "utf-16"}])
def test_a_wrong_declaration_is_a_refusal_and_no_heap_of_errors(found, options):
    content = "Id,Näme,Amount,Day\n1,a,2,2024-02-29\n3,b,4,2024-02-29\n".encode()
    with pytest.raises(FileRefusedError) as refused:
        found(Written(content, options, []), packed=False)
    assert refused.value.code == ("file.encoding" if "encoding" in options else "header.missing")


@pytest.mark.parametrize("files", [csv_files(), jsonl_files()], ids=["csv", "jsonl"])
@given(data=st.data())
@settings(max_examples=60)
def test_text_files_give_exactly_the_faults_that_are_in_them(found, files, data):
    written = data.draw(files)
    assert found(written, packed=data.draw(st.booleans())) == written.faults


@pytest.mark.parametrize("write", [_xlsx, _xls, _xlsb, _ods])
@given(table=tables(), packed=st.booleans())
@settings(max_examples=25)
def test_workbooks_give_exactly_the_faults_that_are_in_them(found, tmp_path_factory, write, table, packed):
    path = tmp_path_factory.getbasetemp() / "faulty-workbook"
    write(path, _grid(table))
    written = _sheet(table, path.read_bytes())
    assert found(written, packed=packed) == written.faults
