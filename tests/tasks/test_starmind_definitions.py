"""The definitions that come with Starmind: what their templates take, and what their records refuse."""

import datetime as dt

import pytest
import xlsxwriter

from connectors import known_connectors
from schemas.document import parse_definition
from schemas.job import JobState
from tests.tasks.test_filled_templates import fill_template

SHIPPED = {name: parse_definition(text) for name, text in known_connectors()["starmind"].definitions.items()}
TAGS = SHIPPED["starmind-tags"]
USERS = SHIPPED["starmind-users"]
TAG_ROWS = [
    ["1", "en", "machine learning", "Learning from data"],
    [None, "de", "Straße", None],
    [None, None, "ÄÖ", None],
    ["4", "en", "x" * 255, "The longest"],
]
USER_ROWS = [
    [
        *["Ada", "Lovelace", "ada@example.com", "en", "f", "GB", "London", "Analytical", "Engines", "Countess"],
        *["First programmer", dt.date(1933, 6, 5), "saml"],
    ],
    ["Émilie", "du Châtelet", "emilie@example.com", "FR", *[None] * 9],
]


@pytest.mark.parametrize(("definition", "rows"), [(TAGS, TAG_ROWS), (USERS, USER_ROWS)], ids=["tags", "users"])
def test_a_filled_template_is_imported_without_an_error(lading, tmp_path, definition, rows):
    path = tmp_path / "filled.xlsx"
    fill_template(definition, rows, path)
    job_id = lading.run(path, definition)
    assert lading.errors(job_id) == []
    assert lading.counts(job_id) == {"created": len(rows)}
    assert lading.counts(lading.run(path, definition)) == {"unchanged": len(rows)}


@pytest.fixture
def workbook(tmp_path):
    """Writes rows of text to the first visible sheet of a workbook, from this column on."""

    def write(rows, first_column=0):
        path = tmp_path / "tags.xlsx"
        with xlsxwriter.Workbook(path) as book:
            hidden = book.add_worksheet("lists")
            hidden.write_row(0, 0, ["Id", "Language", "Tags", "Description"])
            hidden.hide()
            sheet = book.add_worksheet("Tags")
            sheet.activate()
            sheet.set_first_sheet()
            for number, row in enumerate(rows):
                sheet.write_row(number, first_column, row)
        return path

    return write


HEADER = ["Id", "Language", "Tags", "Description"]


def places(errors):
    return [(e.row, e.column, e.code) for e in errors]


def test_tags_have_from_2_to_255_characters_that_are_not_the_blanks_around_them(lading, workbook):
    tags = ["ab", "x", "", "  ", " x ", "x" * 256, " ab ", "é", "éé", "a" * 255]
    path = workbook([HEADER, *(["7", "en", tag, ""] for tag in tags)])
    errors = lading.errors(lading.run(path, TAGS, validate_only=True))
    assert places(errors) == [
        (3, "C", "min_length"),
        (4, "C", "required"),
        (5, "C", "required"),
        (6, "C", "record"),
        (7, "C", "max_length"),
        (9, "C", "min_length"),
    ]
    said = "fails the check is_not_made_long_by_blanks: Tag length must be between 2 and 255 characters."
    assert {e.message for e in errors if e.code == "record"} == {said}


def test_columns_before_and_beside_those_of_the_template_do_not_matter(lading, workbook):
    path = workbook(
        [[*HEADER, "Remark"], ["1", "en", "ab", "", "?"], ["2", "en", "x", "", "?"]], first_column=2
    )
    job_id = lading.run(path, TAGS, validate_only=True)
    assert places(lading.errors(job_id)) == [(3, "E", "min_length")]


def test_a_tag_that_stands_twice_is_an_error_of_both_rows(lading, workbook):
    path = workbook([HEADER, ["1", "en", "ab", ""], ["2", "de", "ab", ""]])
    assert places(lading.errors(lading.run(path, TAGS, validate_only=True))) == [
        (2, "C", "key.duplicate"),
        (3, "C", "key.duplicate"),
    ]


def test_a_workbook_without_tags_is_not_the_template(lading, workbook):
    job = lading.job(lading.run(workbook([["Id", "Language", "Description"], ["1", "en", "x"]]), TAGS))
    assert (job.state, job.error_code) == (JobState.INVALID, "header.missing")


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("firstname", "\u00a0 ", "required"),
        ("lastname", None, "required"),
        ("email", "ada at example.com", "type.email"),
        ("language_id", "xx", "record"),
        ("gender", "x", "choices"),
        ("country", "Switzerland", "pattern"),
        ("location", "x" * 256, "max_length"),
        ("employment_start", "2024-02-30", "type.date"),
    ],
)
def test_a_user_with_a_wrong_property_is_refused(lading, tmp_path, field, value, code):
    names = [f.name for f in USERS.fields]
    row = USER_ROWS[0].copy()
    row[names.index(field)] = value
    path = tmp_path / "users.xlsx"
    fill_template(USERS, [row], path)
    errors = lading.errors(lading.run(path, USERS, validate_only=True))
    assert [(e.row, e.field, e.code) for e in errors] == [(2, field, code)]
