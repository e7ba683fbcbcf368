"""Which row is the header."""

import pytest

from formats.header_row import find_header_row
from schemas.errors import FileRefusedError

SHEETS = {
    "plain": (["id,name", "1,a", "2,b"], [], 1),
    "header only": (["id,name"], [], 1),
    "titles": (["Report", "", "by Ada", "id,name,city", "1,a,x", "2,b,y"], [], 4),
    "pairs above a wide table": (["Year,2024", "By,Ada", "id,name,city,zip", "1,a,x,7", "2,b,y,8"], [], 3),
    "data of words": (["name,city,colour", "Ada,London,red", "Bob,Paris,blue"], [], 1),
    "years as headers": (["id,2019,2020,2021", "1,5,6,7", "2,5,6,7"], [], 1),
    "numbers alone": (["1,2", "3,4"], [], 1),
    "sparse data": (["id,name,city,zip", "1,,,", "2,b,,", "3,,,9"], [], 1),
    "blank first column": ([",,", ",id,name", ",1,a"], [], 2),
    "an index column without a header": ([",name,amount", "0,a,1", "1,b,2"], [], 1),
    "an index column of two": ([",name", "0,a", "1,b"], [], 1),
    "one header is blank": (["id,name,,amount", "1,a,x,2", "2,b,y,3"], [], 1),
    "known wins over looks": (["name,city,colour", "x,y,z", "id,ort,farbe", "1,a,b"], ["id", "farbe"], 3),
    "most known wins": (["id,x,y", "id,name,y", "1,2,3"], ["id", "name"], 2),
    "first of equals": (["id,name", "id,name"], ["id", "name"], 1),
    "known is normalised": (["Report", " ID\u00a0Number ,x", "1,2"], ["id number"], 2),
    "nothing known is there": (["Report", "a,b", "1,2", "3,4"], ["id"], 2),
}


@pytest.mark.parametrize("name", SHEETS)
def test_header_is_found(name):
    sheet, known, expected = SHEETS[name]
    rows = {number: text.split(",") for number, text in enumerate(sheet, 1)}
    assert find_header_row(rows, None, frozenset(known)).row == expected


def test_declared_row_is_not_questioned():
    found = find_header_row({1: ["id", "name"], 2: ["1", "a"]}, 2, frozenset({"id"}))
    assert (found.row, found.notes) == (2, ())


def test_rows_above_are_noted():
    found = find_header_row({1: ["Report", ""], 2: ["id", "name"], 3: ["1", "a"]}, None, frozenset())
    assert found.notes == ("the header was found in row 2; the rows above it are no data",)


def test_a_sheet_without_any_candidate_is_refused():
    with pytest.raises(FileRefusedError, match="none of the first 50 rows") as refused:
        find_header_row({1: [""], 2: [" "]}, None, frozenset())
    assert refused.value.code == "file.header"
