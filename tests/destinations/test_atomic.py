"""Policy atomic: chunks wait beside the table, then all is written at once, or nothing at all."""

import pytest

from schemas.errors import LastStepError, LeaseLostError

ROWS = [{"id": f"k{n:05}", "n": n} for n in range(2_500)]
ATOMIC = {"policies": {"atomic": True}}


@pytest.fixture
def definition(lab):
    return lab.define("id", "n:integer", **ATOMIC)


def stage(lab, definition, rows, job="job", epoch=1):
    """A destination at which all rows wait."""
    destination = lab.open(definition)
    destination.prepare(definition)
    destination.begin(job, epoch)
    destination.load(job, epoch, definition, lab.chunks(definition, rows))
    return destination


def letters(destination, job="job"):
    return "".join(page.letters for page in destination.pages(job))


def waiting(lab):
    """What of any job lies beside the tables."""
    return lab.sql(f"{lab.staging_tables} UNION ALL SELECT job_id FROM lading_staged")


def test_loaded_chunks_are_noted_but_no_record_and_no_page_is_written(lab, definition):
    destination = stage(lab, definition, ROWS)
    assert destination.committed_chunks("job") == {0, 1, 2}
    assert lab.sql("SELECT count(*) FROM things") == [(0,)]
    assert list(destination.pages("job")) == []
    destination.load("job", 1, definition, lab.chunks(definition, ROWS))
    assert waiting(lab)[-3:] == [("job",)] * 3


def test_last_step_writes_all_with_all_pages_and_leaves_nothing_waiting(lab, definition):
    destination = stage(lab, definition, ROWS)
    destination.complete("job", 1, definition, [])
    assert lab.sql("SELECT id, n FROM things ORDER BY id") == [(f"k{n:05}", n) for n in range(2_500)]
    pages = list(destination.pages("job"))
    assert [p.letters for p in pages] == ["C" * 1_000, "C" * 1_000, "C" * 500]
    assert (pages[2].row_numbers[0], pages[2].target_ids[0]) == (2_002, '["k02000"]')
    assert destination.committed_chunks("job") == {0, 1, 2}
    assert waiting(lab) == []
    lab.sql("UPDATE things SET n = -1")
    destination.complete("job", 1, definition, [])
    assert lab.sql("SELECT DISTINCT n FROM things") == [(-1,)]


def test_outcomes_are_those_of_a_job_that_is_not_atomic(lab, definition):
    lab.load(definition.model_copy(update={"policies": lab.define("id").policies}), ROWS, job="first")
    rows = [
        {"id": "k00001", "n": 1},
        {"id": "k00002", "n": 0},
        {"id": "new", "n": 0},
        {"id": "k00003", "n": 5, "_verdict": 2},
    ]
    destination = stage(lab, definition, rows)
    destination.complete("job", 1, definition, [])
    assert letters(destination) == "NUCI"
    assert lab.sql("SELECT n FROM things WHERE id IN ('k00002', 'k00003', 'new') ORDER BY id") == [
        (0,),
        (3,),
        (0,),
    ]


@pytest.mark.parametrize(
    ("mode", "rows", "expected", "code"),
    [
        ("insert", [{"id": "new"}, {"id": "there"}], "PF", "load.exists"),
        ("update", [{"id": "there"}, {"id": "new"}], "PG", "load.missing"),
        (
            "upsert",
            [{"id": "new"}, {"id": "refused"}, {"id": "other", "_verdict": 2}],
            "PFP",
            "load.constraint",
        ),
    ],
)
def test_one_refused_row_and_nothing_is_written(lab, mode, rows, expected, code):
    lab.sql("CREATE TABLE things (id TEXT PRIMARY KEY CHECK (id <> 'refused'))")
    lab.sql("INSERT INTO things VALUES ('there')")
    definition = lab.define("id", mode=mode, **ATOMIC)
    destination = stage(lab, definition, rows)
    for _ in range(2):
        with pytest.raises(LastStepError, match="refused 1 row, and under 'atomic'") as refused:
            destination.complete("job", 1, definition, [])
        assert refused.value.code == "job.atomic"
    assert lab.sql("SELECT id FROM things") == [("there",)]
    (page,) = destination.pages("job")
    assert (page.letters, [e.code for e in page.errors]) == (expected, [code])
    assert page.target_ids == (None,) * len(rows)
    assert waiting(lab) == []
    assert destination.committed_chunks("job") == {0}


def test_chunks_without_a_refused_row_have_pages_of_unprocessed_rows(lab, definition):
    lab.sql("CREATE TABLE things (id TEXT PRIMARY KEY, n INT CHECK (n <> 1500 AND n <> 1700))")
    destination = stage(lab, definition, ROWS)
    with pytest.raises(LastStepError, match="refused 2 rows"):
        destination.complete("job", 1, definition, [])
    pages = list(destination.pages("job"))
    assert [p.counts.unprocessed for p in pages] == [1_000, 998, 500]
    assert [(e.ordinal, e.row) for p in pages for e in p.errors] == [(1_500, 1_502), (1_700, 1_702)]
    assert lab.sql("SELECT count(*) FROM things") == [(0,)]


def test_a_deferred_foreign_key_names_its_rows_at_the_last_step(lab):
    lab.sql("CREATE TABLE parents (id TEXT PRIMARY KEY)")
    lab.sql(
        "CREATE TABLE things (id TEXT PRIMARY KEY, p TEXT REFERENCES parents DEFERRABLE INITIALLY DEFERRED)"
    )
    definition = lab.define("id", "p", **ATOMIC)
    destination = stage(lab, definition, [{"id": "a", "p": None}, {"id": "b", "p": "nobody"}])
    with pytest.raises(LastStepError, match="refused 1 row"):
        destination.complete("job", 1, definition, [])
    assert letters(destination) == "PF"
    assert lab.sql("SELECT count(*) FROM things") == [(0,)]


def test_tables_that_change_values_or_have_triggers_are_promoted_like_any_other(sqlite):
    sqlite.sql("CREATE TABLE things (id TEXT COLLATE NOCASE PRIMARY KEY, n INT)")
    sqlite.sql("CREATE TABLE seen (id)")
    sqlite.sql("CREATE TRIGGER see AFTER INSERT ON things BEGIN INSERT INTO seen VALUES (NEW.id); END")
    sqlite.sql("INSERT INTO things VALUES ('A', 1)")
    definition = sqlite.define("id", "n:integer", **ATOMIC)
    destination = stage(sqlite, definition, [{"id": "a", "n": 1}, {"id": "b", "n": 2}, {"id": "B", "n": 3}])
    destination.complete("job", 1, definition, [])
    assert letters(destination) == "NCU"
    assert sqlite.sql("SELECT id, n FROM things ORDER BY id") == [("A", 1), ("b", 3)]
    assert sqlite.sql("SELECT id FROM seen") == [("A",), ("b",)]


def test_a_definition_without_a_key_is_promoted_in_mode_insert(lab):
    definition = lab.define("n:integer", key=(), mode="insert", **ATOMIC)
    destination = stage(lab, definition, [{"n": 1}, {"n": 1}])
    destination.complete("job", 1, definition, [])
    assert letters(destination) == "CC"
    assert lab.sql("SELECT n FROM things") == [(1,), (1,)]


def test_a_column_that_the_file_lacks_is_left_alone(lab):
    lab.load(lab.define("id", "n:integer"), [{"id": "a", "n": 7}], job="first")
    definition = lab.define("id", "n:integer", **ATOMIC)
    destination = stage(lab, definition, [{"id": "a"}, {"id": "b"}])
    destination.complete("job", 1, definition, [])
    assert letters(destination) == "NC"
    assert lab.sql("SELECT id, n FROM things ORDER BY id") == [("a", 7), ("b", None)]


def test_seal_empties_what_waits_and_a_sealed_job_is_not_promoted(lab, definition):
    destination = stage(lab, definition, ROWS)
    destination.seal("job", 1)
    assert waiting(lab) == []
    with pytest.raises(LeaseLostError, match="sealed"):
        destination.complete("job", 1, definition, [])
    assert lab.sql("SELECT count(*) FROM things") == [(0,)]


def test_worker_of_an_earlier_epoch_promotes_nothing(lab, definition):
    stale = stage(lab, definition, ROWS)
    owner = lab.open(definition)
    owner.begin("job", 2)
    with pytest.raises(LeaseLostError, match="epoch 2"):
        stale.complete("job", 1, definition, [])
    assert lab.sql("SELECT count(*) FROM things") == [(0,)]
    assert list(stale.pages("job")) == []
    owner.complete("job", 2, definition, [])
    assert lab.sql("SELECT count(*) FROM things") == [(2_500,)]


def test_two_jobs_wait_beside_one_table_without_meeting(lab, definition):
    first = stage(lab, definition, [{"id": "a", "n": 1}], job="first")
    second = stage(lab, definition, [{"id": "a", "n": 2}, {"id": "b", "n": 2}], job="second")
    second.complete("second", 1, definition, [])
    assert [name.removeprefix("lading_stage_") for (name,) in set(waiting(lab))] in (["first"], ["first"] * 2)
    first.complete("first", 1, definition, [])
    assert (letters(second, "second"), letters(first, "first")) == ("CC", "U")
