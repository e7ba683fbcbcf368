"""What people fill into the template of a definition, as it asks them to, is imported to the letter."""

import datetime as dt
import json
import re
import tempfile
import zipfile
from decimal import Decimal
from pathlib import Path
from xml.sax.saxutils import escape

import polars as pl
from hypothesis import HealthCheck, given, settings as hypothesis_settings, strategies as st

from formats import write_template
from schemas.definition import Definition
from schemas.field_types import FieldType
from schemas.row_error import column_letter
from schemas.settings import Settings
from tasks.file_check import check_file
from tasks.staging import Stage

SHEET = "xl/worksheets/sheet1.xml"
DAY_ZERO = dt.datetime(1899, 12, 30)  # noqa: DTZ001 - a workbook knows no zones
DAY = dt.timedelta(days=1)
ESCAPED = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
"""What Excel itself writes as `_x005F_`, because it would mean a character."""


def fill_template(definition: Definition, rows: list[list[object]], path: Path) -> None:
    """Write the definition's template with these rows below its header, each cell in its column's style."""
    empty = path.with_suffix(".empty.xlsx")
    write_template(definition, empty)
    with zipfile.ZipFile(empty) as template, zipfile.ZipFile(path, "w") as filled:
        for name in template.namelist():
            part = template.read(name)
            filled.writestr(name, _with_rows(part.decode(), rows) if name == SHEET else part)


def _with_rows(sheet: str, rows: list[list[object]]) -> str:
    styles = [
        re.search(r'style="(\d+)"', column)
        for column in re.findall(r"<col ([^>]*)>", sheet)
        for _ in range(int(re.search(r'min="(\d+)"', column)[1]), int(re.search(r'max="(\d+)"', column)[1]) + 1)
    ]
    added = ""
    for number, row in enumerate(rows, 2):
        cells = [
            _cell(f'r="{column_letter(column)}{number}" s="{style[1] if style else 0}"', value)
            for column, (value, style) in enumerate(zip(row, styles, strict=True))
        ]
        added += f'<row r="{number}">{"".join(cells)}</row>'
    assert sheet.count("</sheetData>") == 1
    return sheet.replace("</sheetData>", f"{added}</sheetData>")


def _cell(attributes: str, value: object) -> str:
    """A cell as Excel keeps it: text, a truth value, or a number, which dates, times and durations are too."""
    if value is None:
        return f"<c {attributes}/>"
    if isinstance(value, str):
        text = escape(ESCAPED.sub("_x005F_", value))
        return f'<c {attributes} t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'
    if isinstance(value, bool):
        return f'<c {attributes} t="b"><v>{int(value)}</v></c>'
    if isinstance(value, dt.time):
        value = dt.timedelta(hours=value.hour, minutes=value.minute, seconds=value.second)
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        value = dt.datetime.combine(value, dt.time())
    length = value - DAY_ZERO if isinstance(value, dt.datetime) else value
    return f"<c {attributes}><v>{length / DAY if isinstance(length, dt.timedelta) else length!r}</v></c>"


SECOND = dt.timedelta(seconds=1)
TEXT = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"], include_characters="\n"))
WORDS = st.text("abcXYZ012-+=@ äß", min_size=1, max_size=12).map(str.strip).filter(bool)
PATTERNS = ["[A-Z]{2}[0-9]{3}", "0[0-9]{4,8}", "(yes|no)-[a-zß]+"]
MOMENTS = st.datetimes(min_value=dt.datetime(1950, 1, 1), max_value=dt.datetime(2200, 1, 1))  # noqa: DTZ001
VALUES: dict[FieldType, st.SearchStrategy[object]] = {
    FieldType.STRING: TEXT.filter(str.strip),
    FieldType.INTEGER: st.integers(-(10**15) + 1, 10**15 - 1),
    FieldType.NUMBER: st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False),
    FieldType.DECIMAL: st.decimals(-(10**20), 10**20, places=12, allow_nan=False, allow_infinity=False),
    FieldType.BOOLEAN: st.booleans(),
    FieldType.DATE: st.dates(min_value=dt.date(1900, 3, 1)),
    FieldType.TIME: st.times().map(lambda time: time.replace(microsecond=0)),
    FieldType.DATETIME: MOMENTS.map(lambda moment: moment.replace(microsecond=0)),
    FieldType.DURATION: st.integers(0, 58 * 86_400).map(lambda seconds: seconds * SECOND),
    FieldType.JSON: st.recursive(st.none() | st.integers() | TEXT, st.lists).map(json.dumps),
    FieldType.UUID: st.uuids().map(str),
    FieldType.EMAIL: st.emails().filter(lambda text: re.fullmatch(r"[^\"\[\]()\\,:;<>@]+@[^\"\[\]]+", text)),
}
KEYS = [FieldType.STRING, FieldType.INTEGER, FieldType.DATE, FieldType.UUID, FieldType.DECIMAL]
MEASURED = [
    FieldType.INTEGER,
    FieldType.NUMBER,
    FieldType.DECIMAL,
    FieldType.DATE,
    FieldType.TIME,
    FieldType.DURATION,
]


def _document(value: object) -> object:
    """The value as a definition writes it in `min`, `max` and `default`."""
    if isinstance(value, dt.timedelta):
        return f"PT{value // SECOND}S"
    return value if isinstance(value, bool | int | float) else str(value)


@st.composite
def fields(draw, index, *, key=False):
    """A field of the definition, as a document has it, and a strategy for its values."""
    kind = draw(st.sampled_from(KEYS if key else list(FieldType)))
    field = {"name": f"f{index}", "type": kind.value, "header": f"{draw(WORDS)} {index}"}
    values = VALUES.get(kind)
    if kind in MEASURED and draw(st.booleans()):
        low, high = sorted([draw(values), draw(values)])
        field |= {"min": _document(low), "max": _document(high)}
        values = values.map(lambda value: min(max(value, low), high))
    if kind is FieldType.STRING:
        values = draw(_texts(field, values))
    if kind in {FieldType.CHOICE, FieldType.MULTICHOICE}:
        choices = draw(st.lists(WORDS, min_size=1, max_size=40, unique=True))
        field["choices"] = choices
        several = st.lists(st.sampled_from(choices), min_size=1, unique=True)
        values = st.sampled_from(choices) if kind is FieldType.CHOICE else several.map("; ".join)
    if kind in {FieldType.DATE, FieldType.DATETIME} and draw(st.booleans()):
        field["format"] = "%d/%m/%Y" if kind is FieldType.DATE else "%m/%d/%Y %H:%M"
    if kind in {FieldType.INTEGER, FieldType.NUMBER} and draw(st.booleans()):
        field["format"] = draw(st.sampled_from(["1,234.5", "1.234,5", "1 234,5"]))
    if kind is FieldType.DATETIME and draw(st.booleans()):
        field["timezone"] = "Asia/Kolkata"
    if not key and draw(st.booleans()):
        field["required"] = True
    elif not key:
        if kind not in {FieldType.MULTICHOICE, FieldType.JSON} and draw(st.booleans()):
            field["default"] = _document(draw(values))
        values = st.none() | values
    return field, values


@st.composite
def _texts(draw, field, values):
    how = draw(st.sampled_from(["any", "length", "pattern"]))
    if how == "length":
        field |= {"min_length": 2, "max_length": draw(st.integers(2, 9))}
        text = st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), min_size=2, max_size=9)
        return text.map(lambda value: value[: field["max_length"]])
    if how == "pattern":
        field["pattern"] = draw(st.sampled_from(PATTERNS))
        return st.from_regex(field["pattern"], fullmatch=True, alphabet=st.characters(codec="ascii"))
    return values


@st.composite
def filled_definitions(draw):
    """A definition, and rows of values that it takes."""
    columns = [draw(fields(0, key=True))] + [draw(fields(i)) for i in range(1, draw(st.integers(1, 6)))]
    n_rows = draw(st.integers(1, 5))
    keys = draw(st.lists(columns[0][1], min_size=1, max_size=n_rows, unique=True))
    others = [draw(st.lists(values, min_size=len(keys), max_size=len(keys))) for _, values in columns[1:]]
    if others and draw(st.booleans()) and len({*map(repr, others[0])}) == len(keys):
        columns[1][0]["unique"] = "default" not in columns[1][0] or None not in others[0]
    document = {
        "name": draw(st.sampled_from(["filled", "history", "a-name_of_more_than_thirty-one_characters"])),
        "key": "f0",
        "fields": [field for field, _ in columns],
        "destination": {"table": "filled"},
    }
    return Definition.model_validate(document), [list(row) for row in zip(keys, *others, strict=True)]


def expected(definition: Definition, rows: list[list[object]]) -> dict[str, list[object]]:
    """What the cells mean, by field."""
    found = {}
    for index, field in enumerate(definition.fields):
        values = [row[index] for row in rows]
        if field.type is FieldType.MULTICHOICE:
            values = [v and json.dumps(v.split("; "), ensure_ascii=False) for v in values]
        if field.timezone is not None:
            values = [v and v - dt.timedelta(hours=5, minutes=30) for v in values]
        found[field.name] = values
    return found


def staged_values(staged: Stage, definition: Definition, rows: list[list[object]]) -> dict[str, list[object]]:
    """The typed values, without those that stand for blank cells."""
    frame: pl.DataFrame = staged.block(0)
    found = {}
    for index, field in enumerate(definition.fields):
        found[field.name] = [
            None if field.default is not None and row[index] is None else value
            for value, row in zip(frame[field.name].to_list(), rows, strict=True)
        ]
    return found


def as_text(value: object) -> object:
    """Decimals are text in the template, so that every digit counts."""
    return f"{value:f}" if isinstance(value, Decimal) else value


@hypothesis_settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(filled_definitions())
def test_a_filled_template_is_read_to_the_letter_and_without_error(filled):
    definition, rows = filled
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "filled.xlsx"
        fill_template(definition, [[as_text(value) for value in row] for row in rows], path)
        staged, errors = Stage(Path(folder) / "stage"), []
        checked = check_file(
            path, path.name, definition, staged, lambda _part, found, _rows: errors.extend(found)
        )
        assert (errors, checked.rows, checked.warnings) == ([], len(rows), [])
        assert staged_values(staged, definition, rows) == expected(definition, rows)


@hypothesis_settings(max_examples=8, suppress_health_check=list(HealthCheck))
@given(filled_definitions())
def test_a_filled_template_is_imported_whole(lading, filled):
    definition, rows = filled
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "filled.xlsx"
        fill_template(definition, [[as_text(value) for value in row] for row in rows], path)
        home = type(lading)(Settings(home=Path(folder) / ".lading"))
        assert home.counts(home.run(path, definition)) == {"created": len(rows)}
