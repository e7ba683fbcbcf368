"""The workbook that people fill."""

import zipfile
from xml.etree import ElementTree as ET

import pytest

import formats
from formats.template import describe
from schemas.definition import Definition
from schemas.headers import known_headers


def _definition(*fields, name="people", key="id"):
    return Definition.model_validate(
        {"name": name, "key": key, "mode": "upsert", "fields": list(fields), "destination": {"table": "people"}}
    )


ID = {"name": "id", "header": ["=ID", "Number"]}
PEOPLE = _definition(
    ID,
    {"name": "age", "type": "integer", "min": 0, "max": 150},
    {"name": "rate", "type": "number", "min": 0.5},
    {"name": "price", "type": "decimal", "min": "0.10"},
    {"name": "active", "type": "boolean", "default": True},
    {"name": "born", "type": "date", "min": "1900-01-01", "max": "2024-12-31"},
    {"name": "starts", "type": "time", "max": "18:00:00"},
    {"name": "seen", "type": "datetime", "min": "2020-01-01T00:00:00"},
    {"name": "size", "type": "choice", "choices": ["S", "M", "L"], "required": True},
    {"name": "place", "type": "choice", "choices": [f"Place {n}, District" for n in range(100)]},
    {"name": "tags", "type": "multichoice", "choices": ["a", "b"]},
    {"name": "code", "min_length": 2, "max_length": 5, "unique": True, "pattern": "[A-Z]+"},
    {"name": "mail", "type": "email"},
    {"name": "extra", "type": "json"},
    {"name": "ref", "type": "uuid"},
)


@pytest.fixture
def template(tmp_path):
    path = tmp_path / "template.xlsx"
    formats.write_template(PEOPLE, path)
    return path


NAMES = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}


def _part(path, name):
    """The root of one XML part of the workbook."""
    with zipfile.ZipFile(path) as archive:
        return ET.fromstring(archive.read(name))


def _sheets(path):
    """Name and state of each sheet."""
    return [
        (s.get("name"), s.get("state")) for s in _part(path, "xl/workbook.xml").iterfind(".//m:sheet", NAMES)
    ]


def _rules(path):
    """Range → type, operator, formulas and style of the data validation there."""
    found = _part(path, "xl/worksheets/sheet1.xml").iterfind(".//m:dataValidation", NAMES)
    return {
        rule.get("sqref"): (
            rule.get("type"),
            rule.get("operator", "between"),
            *(rule.findtext(f"m:formula{n}", None, NAMES) for n in (1, 2)),
            rule.get("errorStyle", "stop"),
        )
        for rule in found
    }


def _styles(path):
    """Number format and boldness by index of the style."""
    styles = _part(path, "xl/styles.xml")
    custom = {n.get("numFmtId"): n.get("formatCode") for n in styles.iterfind(".//m:numFmt", NAMES)}
    known = {"0": "General", "1": "0", "21": "hh:mm:ss", "49": "@"} | custom
    bold = [font.find("m:b", NAMES) is not None for font in styles.iterfind("m:fonts/m:font", NAMES)]
    return [
        (known[xf.get("numFmtId")], bold[int(xf.get("fontId"))])
        for xf in styles.iterfind("m:cellXfs/m:xf", NAMES)
    ]


def test_reading_it_back_finds_every_header_in_row_1(template, read_table):
    found = read_table(template, known=known_headers(PEOPLE))
    assert (found.kind, found.detected.header_row, found.detected.sheet) == ("xlsx", 1, "people")
    assert found.headers == [field.headers[0] for field in PEOPLE.fields]
    assert found.blocks == []
    assert read_table(template).detected.header_row == 1


def test_the_columns_are_those_that_a_mapping_reads(tmp_path, read_table):
    fields = [{"name": "id"}, {"name": "name"}, {"name": "size", "type": "choice", "choices": ["S", "M"]}]
    rules = [
        {"generate": "id", "extract": "Number"},
        {"generate": "name", "extract": "{{uppercase First}} {{record.Last}}"},
        {"generate": "size", "extract": "Size"},
    ]
    plain = _definition(*fields)
    mapped = Definition.model_validate(plain.model_dump() | {"mapping": {"fields": rules}})
    path = tmp_path / "mapped.xlsx"
    formats.write_template(mapped, path)
    assert read_table(path).headers == ["Number", "First", "Last", "Size"]
    assert _rules(path) == {"D2:D1048576": ("list", "between", '"S,M"', None, "stop")}
    assert formats.csv_template(mapped) == b"Number,First,Last,Size\r\n"


def test_header_is_bold_frozen_and_no_formula(template):
    sheet = _part(template, "xl/worksheets/sheet1.xml")
    pane = sheet.find(".//m:pane", NAMES)
    cells = sheet.findall(".//m:row[@r='1']/m:c", NAMES)
    assert (pane.get("state"), pane.get("ySplit"), pane.get("xSplit")) == ("frozen", "1", None)
    assert {(cell.get("t"), *_styles(template)[int(cell.get("s"))]) for cell in cells} == {("s", "@", True)}
    assert sheet.find(".//m:f", NAMES) is None


def test_comments_tell_the_rules_in_words():
    words = {field.name: describe(PEOPLE, field) for field in PEOPLE.fields}
    assert words["id"] == "text\nrequired\npart of the key"
    assert words["age"] == "a whole number\nmay be blank\nat least 0\nat most 150"
    assert words["active"] == "true or false\nmay be blank\nblank means True"
    assert words["size"] == "one of the choices\nrequired\nchoices: S, M, L"
    assert words["code"].splitlines() == [
        "text",
        "may be blank",
        "each value only once",
        "at least 2 characters",
        "at most 5 characters",
        "must match [A-Z]+",
    ]


def test_every_header_has_its_comment(template):
    comments = _part(template, "xl/comments1.xml").findall(".//m:comment", NAMES)
    texts = ["".join(comment.itertext()) for comment in comments]
    assert texts == [describe(PEOPLE, field) for field in PEOPLE.fields]


def test_text_like_columns_keep_leading_zeros_and_dates_are_dates(template):
    columns = _part(template, "xl/worksheets/sheet1.xml").iterfind(".//m:col", NAMES)
    spans = [(int(c.get("min")), int(c.get("max")), int(c.get("style", "0"))) for c in columns]
    styles = {n: _styles(template)[style][0] for low, high, style in spans for n in range(low, high + 1)}
    special = {
        "age": "0",
        "rate": "General",
        "active": "General",
        "born": "yyyy-mm-dd",
        "starts": "hh:mm:ss",
        "seen": "yyyy-mm-dd hh:mm:ss",
    }
    expected = {field.name: special.get(field.name, "@") for field in PEOPLE.fields}
    assert {field.name: styles[n] for n, field in enumerate(PEOPLE.fields, 1)} == expected


def test_excel_refuses_what_it_can_tell_to_be_wrong_down_to_the_last_row(template):
    assert _rules(template) == {
        "B2:B1048576": ("whole", "between", "0", "150", "stop"),
        "C2:C1048576": ("decimal", "greaterThanOrEqual", "0.5", None, "stop"),
        "E2:E1048576": ("list", "between", '"TRUE,FALSE"', None, "stop"),
        "F2:F1048576": ("date", "between", "1", "45657", "stop"),
        "G2:G1048576": ("time", "lessThanOrEqual", "0.75", None, "stop"),
        "H2:H1048576": ("date", "greaterThanOrEqual", "43831", None, "stop"),
        "I2:I1048576": ("list", "between", '"S,M,L"', None, "stop"),
        "J2:J1048576": ("list", "between", "_choices!$A$1:$A$100", None, "stop"),
        "L2:L1048576": ("textLength", "between", "2", "5", "stop"),
    }


def test_long_lists_of_choices_stand_on_a_hidden_sheet(template, read_table):
    assert _sheets(template) == [("people", None), ("_choices", "hidden")]
    choices = read_table(template, sheet="_choices")
    assert (choices.headers, choices.cells[-1]) == (["Place 0, District"], ("Place 99, District",))


def test_two_long_lists_have_a_column_each(tmp_path, read_table):
    path = tmp_path / "template.xlsx"
    many = [f"choice number {n}" for n in range(50)]
    fields = [{"name": n, "type": "choice", "choices": [f"{n} {c}" for c in many]} for n in ("a", "b")]
    formats.write_template(_definition({"name": "id"}, *fields), path)
    choices = read_table(path, sheet="_choices")
    assert choices.headers == ["a choice number 0", "b choice number 0"]
    assert choices.cells[-1] == ("a choice number 49", "b choice number 49")


@pytest.mark.parametrize(
    ("name", "sheet_name"), [("x" * 63, "x" * 31), ("history", "history_"), ("a-b_c", "a-b_c")]
)
def test_sheet_has_the_name_of_the_definition_as_excel_allows_it(tmp_path, name, sheet_name):
    path = tmp_path / "template.xlsx"
    formats.write_template(_definition(ID, name=name), path)
    assert _sheets(path) == [(sheet_name, None)]


def test_limits_that_excel_can_not_hold_are_left_to_the_check(tmp_path):
    path = tmp_path / "template.xlsx"
    fields = [
        {"name": "big", "type": "integer", "max": 9_000_000_000_000_000_000},
        {"name": "old", "type": "date", "min": "1066-10-14"},
        {"name": "zoned", "type": "datetime", "min": "2020-01-01T00:00:00", "timezone": "Europe/Berlin"},
        {"name": "wordy", "pattern": "x" * 300, "max_length": 9},
    ]
    formats.write_template(_definition(ID, *fields), path)
    assert _rules(path) == {"E2:E1048576": ("textLength", "lessThanOrEqual", "9", None, "stop")}
