"""The error budget, atomic and sync, from the file to the table."""

import polars as pl
import pytest

from flows import run
from schemas.errors import LeaseLostError
from schemas.import_request import ImportRequest
from store.database import Store
from store.leases import held_lease
from tasks.failed_rows import failed_rows
from tasks.import_rows import complete_import, import_segment
from tasks.upload import accept_upload
from tasks.validate import validate_job

HEADER = "Id,Name,Amount"
BAD = [HEADER, "a,A,1", "b,B,x", "c,C,-1", "d,D,x", "d,D,y"]
"""Four of five rows fail; two of them for two reasons."""


def outcome(lading, job_id):
    job = lading.job(job_id)
    return job.state.value, job.error_code, lading.letters(job_id)


@pytest.mark.parametrize(
    ("policies", "says"),
    [
        ({"max_errors": 3}, "4 of 5 rows failed, and 'max_errors' allows 3"),
        ({"max_errors": 0}, "4 of 5 rows failed, and 'max_errors' allows 0"),
        ({"max_error_percent": 79.9}, "4 of 5 rows failed (80 %), and 'max_error_percent' allows 79.9 %"),
        (
            {"max_errors": 4, "max_error_percent": 10},
            "4 of 5 rows failed (80 %), and 'max_error_percent' allows 10 %",
        ),
    ],
)
@pytest.mark.parametrize("validate_only", [False, True])
def test_a_file_over_its_budget_is_invalid_and_says_both_figures(
    lading, make_definition, write_csv, policies, says, validate_only
):
    job_id = lading.run(write_csv(*BAD), make_definition(policies=policies), validate_only=validate_only)
    assert outcome(lading, job_id) == ("invalid", "budget.exceeded", "PFFFF")
    assert lading.job(job_id).error_message == says
    assert lading.counts(job_id) == {"failed": 4, "unprocessed": 1}
    assert lading.job(job_id).errors == len(lading.errors(job_id)) == 6
    assert not lading.settings.table_path("local").exists()


@pytest.mark.parametrize(
    "policies", [{"max_errors": 4}, {"max_error_percent": 80}, {"max_errors": 4, "max_error_percent": 80}]
)
def test_a_file_within_its_budget_is_imported(lading, make_definition, write_csv, policies):
    job_id = lading.run(write_csv(*BAD), make_definition(policies=policies))
    assert outcome(lading, job_id) == ("finished", None, "CFFFF")


def test_a_file_without_rows_is_within_every_budget(lading, make_definition, write_csv):
    policies = {"max_errors": 0, "max_error_percent": 0, "atomic": True}
    assert lading.job(lading.run(write_csv(HEADER), make_definition(policies=policies))).state == "finished"


def test_the_failed_rows_of_an_invalid_job_can_be_mended_and_sent_again(
    lading, make_definition, write_csv, tmp_path
):
    definition = make_definition(policies={"max_errors": 0})
    job_id = lading.run(write_csv(HEADER, "a,A,1", "b,B,x"), definition)
    assert (lading.settings.report_path(job_id) / "failed-rows.csv").exists()
    with Store.opened(lading.settings) as store:
        assert failed_rows(lading.settings, store, job_id, tmp_path / "out.csv") == 1
    (mended := tmp_path / "out.csv").write_text(mended.read_text().replace(",x,", ",2,"))
    assert outcome(lading, lading.run(mended, definition)) == ("finished", None, "C")


def test_an_atomic_job_writes_every_row(lading, make_definition, write_csv):
    lading.run(write_csv(HEADER, "a,A,1", "b,B,1"), make_definition())
    path = write_csv(HEADER, "a,A,1", "b,B,2", "c,C,3", "c,C2,4", name="next.csv")
    job_id = lading.run(path, make_definition(policies={"atomic": True, "duplicates": "first"}))
    assert outcome(lading, job_id) == ("finished", None, "NUCI")
    assert lading.table()["amount"].to_list() == [1, 2, 3]


@pytest.mark.parametrize("validate_only", [False, True])
def test_an_atomic_job_with_one_bad_row_is_invalid(lading, make_definition, write_csv, validate_only):
    definition = make_definition(policies={"atomic": True, "max_errors": 5})
    job_id = lading.run(write_csv(HEADER, "a,A,1", "b,B,x"), definition, validate_only=validate_only)
    assert outcome(lading, job_id) == ("invalid", "atomic.failed_rows", "PF")
    assert lading.job(job_id).error_message == "1 of 2 rows failed, and 'atomic' allows none"
    assert not lading.settings.table_path("local").exists()


def test_an_atomic_job_with_a_refused_row_fails_and_tells_where_it_stands(lading, make_definition, write_csv):
    lading.run(write_csv(HEADER, "b,B,1"), make_definition())
    path = write_csv(HEADER, "a,A,1", "b,B,2", "c,C,3", name="next.csv")
    job_id = lading.run(path, make_definition(mode="insert", policies={"atomic": True}))
    assert outcome(lading, job_id) == ("failed", "job.atomic", "PFP")
    assert lading.job(job_id).counts.unprocessed == 2
    assert [(e.code, e.row, e.column, e.value) for e in lading.errors(job_id)] == [("load.exists", 3, "A", "b")]
    assert lading.table().rows() == [("b", "B", 1)]
    assert (lading.settings.report_path(job_id) / "failed-rows.csv").read_text().count("\n") == 2


def test_an_abandoned_atomic_job_wrote_nothing_and_leaves_nothing_waiting(lading, make_definition, write_csv):
    lading.apply(make_definition(policies={"atomic": True}))
    job_id = accept_upload(lading.settings, ImportRequest(str(write_csv(HEADER, "a,A,1")), "things"))
    with Store.opened(lading.settings) as store, held_lease(store, lading.settings, job_id) as epoch:
        validate_job(lading.settings, job_id, epoch)
        import_segment(lading.settings, job_id, epoch, (0, 0), lambda *_: None)
    run.abandon(lading.settings, job_id)
    assert outcome(lading, job_id) == ("cancelled", "job.abandoned", "")
    assert lading.counts(job_id) == {"unprocessed": 1}
    assert lading.table().is_empty()
    assert lading.table("lading_staged").is_empty()
    tables = lading.table("sqlite_schema")
    assert not tables.filter(pl.col("name").str.starts_with("lading_stage_")).height


@pytest.fixture
def stocked(lading, make_definition, write_csv):
    """A table of five records."""
    lading.run(write_csv(HEADER, *(f"{c},{c.upper()},1" for c in "abcde"), name="stock.csv"), make_definition())


@pytest.mark.usefixtures("stocked")
@pytest.mark.parametrize("atomic", [False, True])
def test_sync_deletes_what_the_file_lacks_and_counts_it(lading, make_definition, write_csv, atomic):
    definition = make_definition(mode="sync", policies={"atomic": atomic})
    job_id = lading.run(write_csv(HEADER, "a,A,1", "b,B,2", "f,F,1"), definition)
    assert outcome(lading, job_id) == ("finished", None, "NUC")
    assert lading.counts(job_id) == {"unchanged": 1, "updated": 1, "created": 1, "deleted": 3}
    assert lading.table().rows() == [("a", "A", 1), ("b", "B", 2), ("f", "F", 1)]


@pytest.mark.usefixtures("stocked")
def test_sync_keeps_the_records_of_failed_and_ignored_rows(lading, make_definition, write_csv):
    lading.execute("CREATE TABLE orders (thing TEXT REFERENCES things (id))")
    path = write_csv(HEADER, "a,A,2", "b,B,x", "c,C,3", "c,C,4")
    job_id = lading.run(path, make_definition(mode="sync"))
    assert lading.letters(job_id) == "UGGG"
    assert lading.table()["id"].to_list() == ["a", "b", "c"]
    assert lading.counts(job_id) == {"updated": 1, "failed": 3, "deleted": 2}


@pytest.mark.usefixtures("stocked")
@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([], "sync.no_valid_row"),
        (["a,A,x", "b,B,x"], "sync.no_valid_row"),
        (["a,A,1", ",B,2"], "sync.key_unreadable"),
        (["a,A,1", "b,B,2,3"], "sync.key_unreadable"),
        (["a,A,1", '"b,B,2'], "sync.key_unreadable"),
        (["a,A,1", "b\0,B,2"], "sync.key_unreadable"),
    ],
)
@pytest.mark.parametrize("validate_only", [False, True])
def test_a_file_that_can_not_be_the_whole_truth_deletes_nothing(
    lading, make_definition, write_csv, rows, code, validate_only
):
    job_id = lading.run(write_csv(HEADER, *rows), make_definition(mode="sync"), validate_only=validate_only)
    assert outcome(lading, job_id)[:2] == ("invalid", code)
    assert lading.job(job_id).counts.rows == len(rows)
    assert lading.table()["id"].to_list() == list("abcde")


@pytest.mark.usefixtures("stocked")
def test_a_malformed_row_tells_no_key_although_the_key_has_a_default(lading, make_definition, write_csv):
    fields = [
        {"name": "id", "header": "Id", "default": "z"},
        {"name": "amount", "header": "Amount", "type": "integer"},
    ]
    definition = make_definition(mode="sync", fields=fields)
    blank = lading.run(write_csv("Id,Amount", "a,1", ",2", name="blank.csv"), definition)
    assert outcome(lading, blank) == ("finished", None, "NC")
    assert lading.table()["id"].to_list() == ["a", "z"]
    job_id = lading.run(write_csv("Id,Amount", "a,1", "b,2,3"), definition)
    assert outcome(lading, job_id)[:2] == ("invalid", "sync.key_unreadable")


@pytest.mark.usefixtures("stocked")
def test_sync_that_only_validates_deletes_nothing_and_says_so(lading, make_definition, write_csv):
    job_id = lading.run(write_csv(HEADER, "a,A,1"), make_definition(mode="sync"), validate_only=True)
    assert outcome(lading, job_id) == ("finished", None, "P")
    assert "nothing was deleted" in lading.job(job_id).warnings[-1]
    assert lading.table().height == 5


@pytest.mark.usefixtures("stocked")
def test_a_deletion_that_the_table_refuses_fails_the_job_and_rows_keep_their_outcomes(
    lading, make_definition, write_csv
):
    lading.execute("CREATE TABLE orders (thing TEXT REFERENCES things (id))")
    lading.execute("INSERT INTO orders VALUES ('c')")
    job_id = lading.run(write_csv(HEADER, "a,A,2", "f,F,1"), make_definition(mode="sync"))
    assert outcome(lading, job_id) == ("failed", "job.sync", "UC")
    assert "refused to delete the records that the file lacks (FOREIGN KEY" in lading.job(job_id).error_message
    assert lading.counts(job_id) == {"updated": 1, "created": 1}
    assert lading.table()["id"].to_list() == list("abcdef")


@pytest.mark.parametrize("policies", [{}, {"atomic": True}])
def test_a_worker_that_lost_its_lease_takes_no_last_step(lading, make_definition, write_csv, policies):
    lading.run(write_csv(HEADER, "old,O,1", name="stock.csv"), make_definition())
    lading.apply(make_definition(mode="sync", policies=policies))
    job_id = accept_upload(lading.settings, ImportRequest(str(write_csv(HEADER, "a,A,1")), "things"))
    with Store.opened(lading.settings) as store:
        with held_lease(store, lading.settings, job_id) as stale:
            validate_job(lading.settings, job_id, stale)
            import_segment(lading.settings, job_id, stale, (0, 0), lambda *_: None)
        with held_lease(store, lading.settings, job_id) as epoch:
            import_segment(lading.settings, job_id, epoch, (0, 0), lambda *_: None)
            before = lading.table().rows()
            with pytest.raises(LeaseLostError):
                complete_import(lading.settings, job_id, stale)
            assert lading.table().rows() == before
            assert lading.table("lading_completed").is_empty()
    run.resume(lading.settings, job_id)
    assert outcome(lading, job_id) == ("finished", None, "C")
    assert lading.counts(job_id) == {"created": 1, "deleted": 1}
    assert lading.table()["id"].to_list() == ["a"]
