import pytest

from tasks.file_check import check_file
from tasks.staging import Draft, Stage


@pytest.mark.parametrize("kind", [Stage, Draft])
def test_duplicates_are_found_with_a_whole_stage_and_with_a_draft(tmp_path, write_csv, make_definition, kind):
    fields = [
        {"name": "id", "header": "Id", "type": "integer"},
        {"name": "name", "header": "Name", "unique": True},
    ]
    path = write_csv("Id,Name", "1,a", "01,b", "2,a", "x,c")
    errors = []
    checked = check_file(
        path,
        path.name,
        make_definition(fields=fields),
        kind(tmp_path / "stage"),
        lambda _part, found, _rows: errors.extend(found),
    )
    assert [(e.row, e.code, e.value, e.message) for e in errors] == [
        (5, "type.integer", "x", "not a whole number"),
        (2, "key.duplicate", "1", "the same key stands in row 3"),
        (2, "unique", "a", "the same value stands in row 4"),
        (3, "key.duplicate", "01", "the same key stands in row 2"),
        (4, "unique", "a", "the same value stands in row 2"),
    ]
    assert checked.rows == 4
