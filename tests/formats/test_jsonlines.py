"""Values, broken lines and keys of JSON Lines."""

import json

import pytest
from hypothesis import given, settings, strategies as st

from formats.jsonlines import FORMAT, LONGEST_LINE_BYTES
from schemas.definition import FileOptions
from schemas.errors import FileRefusedError


def _faults(table):
    return [(table.rows[m.ordinal], m.code, m.text, m.detail) for m in table.malformed]


def test_values_become_text_digit_by_digit(table):
    found = table(
        '{"int": 12345678901234567890123, "float": 1.10, "exp": 1E5, "yes": true, "no": false, "nil": null,'
        ' "text": "00123", "nested": {"a": [1.50, "é", null, true], "b": {}}, "list": [], "nan": NaN}'
    )
    assert dict(zip(found.headers, found.cells[0], strict=True)) == {
        "int": "12345678901234567890123",
        "float": "1.10",
        "exp": "1E5",
        "yes": "true",
        "no": "false",
        "nil": None,
        "text": "00123",
        "nested": '{"a":[1.50,"é",null,true],"b":{}}',
        "list": "[]",
        "nan": "NaN",
    }


def test_a_flat_file_has_nested_values_as_errors_of_their_rows(table):
    lines = ['{"id": 1}', '{"id": {"a": 1}}', '{"id": 2, "x": []}', '{"id": "[3]"}']
    found = table("\n".join(lines), flat=True)
    assert _faults(found) == [
        (
            2,
            "row.nested",
            lines[1],
            "the key 'id' holds an object; text, a number, true, false or null is needed",
        ),
        (
            3,
            "row.nested",
            lines[2],
            "the key 'x' holds an array; text, a number, true, false or null is needed",
        ),
    ]
    assert [row[0] for row in found.cells] == ["1", None, None, "[3]"]


def test_columns_are_all_keys_in_order_of_appearance(table):
    found = table('{"b": 1}\n{"a": 2, "b": 3}\nnonsense\n{"": 4, "a": 5}\n')
    assert (found.headers, found.letters) == (["b", "a", ""], [None, None, None])
    assert found.cells == [("1", None, None), ("3", "2", None), (None, None, None), (None, "5", "4")]


def test_rows_are_physical_lines_and_blank_ones_count(table):
    found = table('\ufeff{"id": 1}\r\n\r\n  \r\n{"id": 2}\n\n{"id": "a\\nb"}')
    assert (found.rows, found.lines) == ([1, 4, 6], [1, 4, 6])
    assert found.cells == [("1",), ("2",), ("a\nb",)]


def test_broken_lines_are_malformed_and_the_rest_is_read(table):
    lines = ['{"id": 1}', '{"id": 2,}', "[1, 2]", '{"id": 3, "id": 4}', "7", '"x"', "null", "true", '{"id": 5}']
    found = table("\n".join(lines))
    assert _faults(found) == [
        (2, "row.json", lines[1], found.malformed[0].detail),  # its words differ between Pythons
        (3, "row.not_object", "[1, 2]", "a JSON array, not an object"),
        (4, "row.json", lines[3], "the key 'id' stands twice in one object"),
        (5, "row.not_object", "7", "a JSON number, not an object"),
        (6, "row.not_object", '"x"', "a JSON string, not an object"),
        (7, "row.not_object", "null", "a JSON null, not an object"),
        (8, "row.not_object", "true", "a JSON truth value, not an object"),
    ]
    assert "not valid JSON at character" in found.malformed[0].detail
    assert found.cells == [("1",), *[(None,)] * 7, ("5",)]


def test_bytes_that_are_not_utf8_cost_one_line(table):
    found = table(b'{"id": "a"}\n{"id": "\xe9"}\n{"id": "b"}\n')
    assert _faults(found) == [(2, "row.json", '{"id": "\ufffd"}', "byte E9 at position 9 is not UTF-8")]
    assert found.cells == [("a",), (None,), ("b",)]


def test_deep_nesting_is_malformed(table):
    deep = "[" * 100_000 + "]" * 100_000
    found = table(f'{{"id": 1}}\n{{"id": {deep}}}\n')
    assert [(m.code, m.detail) for m in found.malformed] == [
        ("row.json", "objects and arrays are nested too deeply")
    ]


@pytest.mark.parametrize("depth", [100, 300, 500, 900, 980, 1500])
def test_nesting_of_any_depth_is_text_or_malformed(table, depth):
    text = "[" * depth + "]" * depth
    found = table(f'{{"id": {text}}}\n{{"id": 1}}\n')
    assert (found.cells[0] == (text,)) != bool(found.malformed)
    assert found.cells[1] == ("1",)


def test_half_a_surrogate_pair_is_malformed_and_a_whole_one_is_text(table):
    found = table('{"id": "\\ud83d\\ude80"}\n{"id": "\\ud83d"}\n{"\\udc00": 1}\n')
    assert [m.ordinal for m in found.malformed] == [1, 2]
    assert found.cells[0] == ("🚀",)


def test_apostrophes_stay_because_lading_writes_no_json_lines(table):
    assert table('{"id": "\'=1", "lading_errors": "x"}\n').cells == [("'=1", "x")]


def test_a_bare_cr_is_no_line_end(table):
    assert table(b'{"id":\r1}\n{"id": 2}').rows == [1, 2]


def test_a_line_too_long_for_memory_is_malformed(table):
    found = table(b'{"id": 1}\n{"id": "' + b"x" * LONGEST_LINE_BYTES + b'"}\n{"id": 2}\n')
    assert [(m.code, len(m.text), m.detail) for m in found.malformed] == [
        ("row.json", 2**20, "the line is longer than 64 MiB")
    ]
    assert (found.cells, found.rows) == ([("1",), (None,), ("2",)], [1, 2, 3])


@pytest.mark.parametrize(
    "content", ['{\n  "id": 1\n}\n', "{}\n{}\n", '{"a": 1\n'], ids=["pretty", "no keys", "cut"]
)
def test_a_file_without_any_object_with_keys_is_refused(table, content):
    with pytest.raises(FileRefusedError, match="one object per line is needed") as refused:
        table(content)
    assert refused.value.code == "file.unreadable"


def test_another_encoding_is_refused(table):
    with pytest.raises(FileRefusedError, match="must be UTF-8") as refused:
        table('\ufeff{"id": 1}\n'.encode("utf-16-le"))
    assert refused.value.code == "file.encoding"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


def _as_text(value):
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@given(
    records=st.lists(st.fixed_dictionaries({"a": json_values, "b": json_values}), min_size=1, max_size=8),
    ascii_only=st.booleans(),
)
@settings(max_examples=200, deadline=None)
def test_any_values_come_back_as_text(records, ascii_only, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "any.jsonl"
    path.write_bytes("".join(json.dumps(r, ensure_ascii=ascii_only) + "\n" for r in records).encode())
    detected = FORMAT.detect(path, FileOptions(), frozenset())
    found = [row for block in FORMAT.read(path, detected) for row in block.cells.iter_rows()]
    assert found == [tuple(_as_text(r[column.header]) for column in detected.columns) for r in records]
