"""Whatever is in the table and in the file, the outcomes are those of the plainest program: row by row."""

from contextlib import closing

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from schemas.definition import Mode

KEYS = st.sampled_from(["a", "b", "c", "ď", "e'e", 'f"'])
NUMBERS = st.none() | st.integers(-1, 2)
TEXTS = st.none() | st.sampled_from(["", "x", "X"])
VERDICTS = st.sampled_from([0, 0, 0, 0, 1, 2])
ROWS = st.fixed_dictionaries({"id": KEYS, "n": NUMBERS, "t": TEXTS, "_verdict": VERDICTS})
UPSERTS = {Mode.UPSERT, Mode.SYNC}
RECORDS = st.dictionaries(KEYS, st.tuples(st.none() | st.integers(0, 2), TEXTS))


def outcome(table, definition, row, before):
    """The letter of one row, and its effect on the table: key → (n, t), where n must not be below 0."""
    here, there = row["id"] in table, row["id"] in before
    if row["_verdict"]:
        failed = "G" if definition.mode is Mode.UPDATE or (definition.mode in UPSERTS and there) else "F"
        return failed if row["_verdict"] == 1 else "I"
    if here and definition.mode is Mode.INSERT:
        return "F" if definition.policies.existing == "fail" else "I"
    if not here and definition.mode is Mode.UPDATE:
        return "G" if definition.policies.missing == "fail" else "I"
    n, t = table.get(row["id"], (7, None))
    after = (row.get("n", n), row.get("t", t))
    if here and after == (n, t):
        return "N"
    if after[0] is not None and after[0] < 0:
        return "G" if here else "F"
    table[row["id"]] = after
    return "U" if here else "C"


@pytest.mark.parametrize("lab", ["sqlite", pytest.param("postgres", marks=pytest.mark.slow)], indirect=True)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    records=RECORDS,
    rows=st.lists(ROWS, max_size=12),
    mode=st.sampled_from(Mode),
    policy=st.sampled_from(["fail", "ignore"]),
    columns=st.sampled_from([("id", "n", "t"), ("id", "n"), ("id", "t"), ("id",)]),
)
def test_outcomes_and_table_are_those_of_a_program_that_takes_row_by_row(
    lab, records, rows, mode, policy, columns
):
    lab.sql("DROP TABLE IF EXISTS things")
    lab.sql("DROP TABLE IF EXISTS lading_pages")
    lab.sql("CREATE TABLE things (id TEXT PRIMARY KEY, n INT DEFAULT 7 CHECK (n >= 0), t TEXT)")
    for key, values in records.items():
        lab.sql("INSERT INTO things VALUES (?, ?, ?)", key, *values)
    policies = {"existing": policy, "missing": policy}
    definition = lab.define("id", "n:integer", "t", mode=mode, policies=policies)
    given_rows = [{c: row[c] for c in (*columns, "_verdict")} for row in rows]

    table = dict(records)
    expected = "".join(outcome(table, definition, row, records) for row in given_rows)

    with closing(lab.open(definition)) as destination:
        lab.hurry(destination)
        destination.prepare(definition)
        destination.begin("job", 1)
        destination.load("job", 1, definition, lab.chunks(definition, given_rows))
        assert "".join(p.letters for p in destination.pages("job")) == expected
    assert {key: (n, t) for key, n, t in lab.sql("SELECT id, n, t FROM things")} == table
