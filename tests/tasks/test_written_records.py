"""What is written for another system is read back, by a definition of the same fields, as the same records."""

import polars as pl
import pytest

from formats.records import write_records
from schemas.casting import cast_column
from schemas.definition import Definition

VALUES = {
    "string": ["007", 'a "b", c', " =1+1\nnext"],
    "integer": ["-12", "9007199254740993", "0"],
    "number": ["1.5", "1e300", "-0.1"],
    "decimal": ["1.10", "100", "99999999999999.000001"],
    "boolean": ["true", "no", "1"],
    "date": ["2024-02-29", "1899-12-31", "2000-01-01"],
    "time": ["23:59:59.123456", "00:00", "12:30:15"],
    "datetime": ["2024-02-29 23:59:59.123", "1850-01-01 00:00:00", "2024-01-01 12:00:00"],
    "duration": ["36:00:00", "-0:00:01.5", "PT1H"],
    "multichoice": ["A;B", "B", '["A"]'],
    "json": ['{"a": [1, null]}', "1", '"x"'],
    "uuid": ["6F1C9C0E-5D0F-4D6E-9A51-1F2F6F0C7A10", None, None],
    "email": ["ann@example.org", None, None],
}
"""Type → texts of three cells."""
FIELDS = [
    {"name": name, "header": name.upper(), "type": name}
    | ({"choices": ["A", "B"]} if name == "multichoice" else {})
    for name in VALUES
]
ZONED = {"name": "zoned", "header": "ZONED", "type": "datetime", "timezone": "Europe/Berlin"}


@pytest.mark.parametrize("kind", ["csv", "xlsx", "jsonl"])
def test_every_type_comes_back_as_it_was(lading, tmp_path, kind):
    definition = Definition.model_validate(
        {
            "name": "things",
            "mode": "insert",
            "fields": [*FIELDS, ZONED],
            "destination": {"table": "things"},
        }
    )
    texts = VALUES | {"zoned": ["2024-07-01 12:00:00", "2024-01-01 00:00:00+00:00", None]}
    frame = pl.DataFrame(
        [
            cast_column(pl.Series(field.name, texts[field.name], dtype=pl.String), field).values
            for field in definition.fields
        ]
    )
    headers = [field.headers[0] for field in definition.fields]
    paths = [tmp_path / f"{name}.{kind}" for name in ("once", "twice")]
    write_records(kind, paths[0], definition.fields, headers, [frame])
    first = lading.run(paths[0], definition)
    assert lading.counts(first) == {"created": 3}, lading.errors(first)
    there = lading.table().sort("string")
    write_records(kind, paths[1], definition.fields, headers, [frame.slice(0, 2), frame.slice(2)])
    assert paths[1].read_bytes() == paths[0].read_bytes()
    again = lading.run(paths[1], definition.model_copy(update={"name": "more"}))
    assert lading.counts(again) == {"created": 3}
    assert lading.table().sort("string").unique(maintain_order=True).equals(there)
    assert there["zoned"].to_list() == [None, "2024-07-01 10:00:00", "2024-01-01 00:00:00"]
