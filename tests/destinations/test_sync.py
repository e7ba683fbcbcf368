"""Mode sync: at the end the table has no record whose key the file lacks."""

import polars as pl
import pytest

from schemas.errors import LastStepError, LeaseLostError


def sync(lab, definition, rows, keys, job="job", *, last_step=True):
    """Load the rows, then take the last step with these keys."""
    destination = lab.open(definition)
    destination.prepare(definition)
    destination.begin(job, 1)
    destination.load(job, 1, definition, lab.chunks(definition, rows))
    if last_step:
        destination.complete(job, 1, definition, keys)
    return destination


def ids(*values):
    return pl.DataFrame({"id": list(values)}, schema={"id": pl.String})


@pytest.fixture
def definition(lab):
    lab.sql("CREATE TABLE things (id TEXT PRIMARY KEY, n INT CHECK (n >= 0))")
    lab.sql("INSERT INTO things VALUES ('a', 1), ('b', 2), ('c', 3), ('d', 4)")
    return lab.define("id", "n:integer", mode="sync")


@pytest.mark.parametrize("policies", [{}, {"atomic": True}])
def test_what_the_file_lacks_is_deleted_and_counted(lab, definition, policies):
    definition = lab.define("id", "n:integer", mode="sync", policies=policies)
    rows = [{"id": "a", "n": 1}, {"id": "b", "n": 0}, {"id": "new", "n": 5}]
    destination = sync(lab, definition, rows, [ids("a"), ids("b", "new")])
    assert lab.sql("SELECT id, n FROM things ORDER BY id") == [("a", 1), ("b", 0), ("new", 5)]
    assert destination.deleted("job") == 2
    assert [p.letters for p in destination.pages("job")] == ["NUC"]


def test_records_of_failed_rows_are_kept(lab, definition):
    rows = [{"id": "a", "n": 9}, {"id": "b", "n": None, "_verdict": 1}, {"id": "c", "n": -1}]
    destination = sync(lab, definition, rows, [ids("a", "b", "c")])
    assert lab.sql("SELECT id, n FROM things ORDER BY id") == [("a", 9), ("b", 2), ("c", 3)]
    assert [p.letters for p in destination.pages("job")] == ["UGG"]
    assert destination.deleted("job") == 1


def test_the_last_step_is_taken_once(lab, definition):
    destination = sync(lab, definition, [{"id": "a", "n": 1}], [ids("a")])
    lab.sql("INSERT INTO things VALUES ('z', 1)")
    destination.complete("job", 1, definition, [ids("a")])
    destination.seal("job", 1)
    destination.complete("job", 1, definition, [ids("a")])
    assert lab.sql("SELECT id FROM things") == [("a",), ("z",)]
    assert destination.deleted("job") == 3
    assert destination.deleted("another job") == 0


def test_keys_are_compared_as_the_table_compares_them(sqlite):
    sqlite.sql("CREATE TABLE things (n NUMERIC, id TEXT COLLATE NOCASE, UNIQUE (id, n))")
    sqlite.sql("INSERT INTO things VALUES (1, 'A'), (2, 'A'), (3, 'b'), (NULL, 'b')")
    definition = sqlite.define("id", "n", "t:integer", key=("id", "n"), mode="sync")
    sqlite.sql("ALTER TABLE things ADD COLUMN t INT")
    definition = sqlite.define("id", "n:integer", "t:integer", key=("n", "id"), mode="sync")
    keys = pl.DataFrame({"n": [1, 3, 9], "id": ["a", "B", "x"]})
    destination = sync(sqlite, definition, [{"id": "a", "n": 1, "t": 1}], [keys])
    assert sqlite.sql("SELECT n, id FROM things ORDER BY n") == [(1, "A"), (3, "b")]
    assert destination.deleted("job") == 2


@pytest.mark.parametrize("deferred", ["", "DEFERRABLE INITIALLY DEFERRED"])
@pytest.mark.parametrize("atomic", [False, True])
def test_a_deletion_that_a_foreign_key_refuses_deletes_nothing(lab, definition, deferred, atomic):
    lab.sql(f"CREATE TABLE orders (thing TEXT REFERENCES things (id) {deferred})")
    lab.sql("INSERT INTO orders VALUES ('c')")
    definition = lab.define("id", "n:integer", mode="sync", policies={"atomic": atomic})
    destination = sync(lab, definition, [{"id": "a", "n": 9}], [], last_step=False)
    with pytest.raises(LastStepError, match=lab.says_foreign) as refused:
        destination.complete("job", 1, definition, [ids("a")])
    assert refused.value.code == "job.sync"
    assert [i for (i,) in lab.sql("SELECT id FROM things ORDER BY id")] == ["a", "b", "c", "d"]
    assert lab.sql("SELECT n FROM things WHERE id = 'a'") == [(1 if atomic else 9,)]
    assert destination.deleted("job") == 0
    lab.sql("DELETE FROM orders")
    destination.complete("job", 1, definition, [ids("a")])
    assert lab.sql("SELECT id, n FROM things") == [("a", 9)]
    assert destination.deleted("job") == 3


def test_records_that_refer_to_each_other_go_together(lab):
    lab.sql("CREATE TABLE things (id TEXT PRIMARY KEY, n INT REFERENCES things (rowid_), rowid_ INT UNIQUE)")
    lab.sql("INSERT INTO things VALUES ('a', 1, 1), ('b', 1, 2), ('c', 2, 3)")
    definition = lab.define("id", mode="sync")
    destination = sync(lab, definition, [{"id": "a"}], [ids("a")])
    assert (lab.sql("SELECT id FROM things"), destination.deleted("job")) == ([("a",)], 2)


def test_worker_of_an_earlier_epoch_deletes_nothing(lab, definition):
    stale = lab.open(definition)
    stale.prepare(definition)
    stale.begin("job", 1)
    lab.open(definition).begin("job", 2)
    with pytest.raises(LeaseLostError, match="epoch 2"):
        stale.complete("job", 1, definition, [ids("a")])
    assert lab.sql("SELECT count(*) FROM things") == [(4,)]
    assert stale.deleted("job") == 0


@pytest.mark.usefixtures("definition")
def test_a_job_without_a_last_step_takes_none(lab):
    plain = lab.define("id", "n:integer")
    destination = sync(lab, plain, [{"id": "a", "n": 1}], [ids("a")])
    assert lab.sql("SELECT count(*) FROM things") == [(4,)]
    assert lab.sql("SELECT count(*) FROM lading_completed") == [(0,)]
    assert destination.deleted("job") == 0


def test_ten_thousands_of_keys_are_told_from_each_other(sqlite):
    sqlite.sql("CREATE TABLE things (id TEXT PRIMARY KEY)")
    numbers = "WITH c(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM c WHERE n < 29999) SELECT n FROM c"
    sqlite.sql(f"INSERT INTO things {numbers}")
    definition = sqlite.define("id", mode="sync")
    keys = [ids(*(str(n) for n in range(first, first + 10_000, 2))) for first in (0, 10_000, 20_000)]
    assert sync(sqlite, definition, [{"id": "0"}], keys).deleted("job") == 15_000
    assert sqlite.sql("SELECT count(*) FROM things WHERE id % 2 = 0") == [(15_000,)]
