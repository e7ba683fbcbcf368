"""Properties of the text files that are written: whatever the records are, a reader finds them again."""

import csv
import io
import json

import polars as pl
from hypothesis import given, strategies as st

from destinations.files.csv_writing import write_csv
from destinations.files.json_writing import write_array, write_lines
from schemas.csv_options import CsvOptions
from schemas.definition import Definition

texts = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
nested = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
options = st.builds(
    CsvOptions,
    row_delimiter=st.sampled_from(["\r\n", "\n", "\r"]),
    column_delimiter=st.sampled_from([",", ";", "\t", "|", " ", "a", "."]),
    include_header=st.booleans(),
    wrap_with_quotes=st.booleans(),
    replace_tab_with_space=st.booleans(),
    replace_newline_with_space=st.booleans(),
    truncate_last_row_delimiter=st.booleans(),
)


def definition(*fields, **destination):
    document = {"name": "things", "mode": "insert", "fields": list(fields), "destination": destination}
    return Definition.model_validate(document)


def spaced(text, chosen):
    text = text.replace("\t", " ") if chosen.replace_tab_with_space else text
    if not chosen.replace_newline_with_space:
        return text
    return text.replace("\r\n", " ").replace("\n", " ").replace("\r", " ")


@given(rows=st.lists(st.tuples(texts, texts), min_size=1, max_size=5), chosen=options)
def test_a_reader_of_csv_finds_every_cell_whatever_the_options(rows, chosen):
    things = definition({"name": "a"}, {"name": "b"}, url="/x.csv", escape=False, csv=chosen)
    frame = pl.DataFrame(rows, schema={"a": pl.String, "b": pl.String}, orient="row")
    out = io.BytesIO()
    write_csv(things.destination, things, out, [frame[:1], frame[1:]])
    reader = csv.reader(io.StringIO(out.getvalue().decode(), newline=""), delimiter=chosen.column_delimiter)
    wanted = [[spaced(cell or "", chosen) for cell in row] for row in rows]
    assert list(reader) == [["a", "b"]] * chosen.include_header + wanted
    assert out.getvalue().decode().endswith(chosen.row_delimiter) or chosen.truncate_last_row_delimiter


@given(rows=st.lists(st.tuples(texts, st.none() | st.integers(-9, 9), nested), max_size=5))
def test_a_reader_of_json_finds_every_value_nested_as_it_was(rows):
    fields = {"name": "a"}, {"name": "n", "type": "integer"}, {"name": "j", "type": "json"}
    things = definition(*fields, url="/x.json")
    told = [(a, n, json.dumps(j, indent=1)) for a, n, j in rows]
    frame = pl.DataFrame(told, schema={"a": pl.String, "n": pl.Int64, "j": pl.String}, orient="row")
    array, lines = io.BytesIO(), io.BytesIO()
    write_array(things, array, [frame[:1], frame[1:]])
    write_lines(things, lines, [frame[:1], frame[1:]])
    wanted = [{"a": a, "n": n, "j": j} for a, n, j in rows]
    assert json.loads(array.getvalue()) == wanted
    assert [json.loads(line) for line in lines.getvalue().splitlines()] == wanted
