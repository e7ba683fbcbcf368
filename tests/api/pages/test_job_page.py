import csv
import io

from flows.run import resume
from schemas.clock import utc_now
from schemas.principal import Scope
from schemas.row_error import RowError
from store.database import Store
from store.jobs import get_job
from store.pages import put_errors
from store.retention import forget_bytes, forget_errors
from store.uploads import get_upload


def test_the_page_of_a_job_says_what_became_of_it_and_what_was_wrong_where(person):
    page = person.get(f"/ui/jobs/{person.imported('march.csv')}")
    for words in (
        "march.csv",
        "Finished: 3 rows, 1 created, 2 failed.",
        "As things , version 1, mode upsert",
        "Showing 2 of 2",
        "row 3, column C",
        "not a whole number",
        "row 4, column C",
        "less than the minimum 0",
        "delimiter comma",
        "header row 1",
        "3 columns",
        "the file kept until",
        "errors kept until",
        "counts kept for good",
    ):
        assert words in page.text
    assert ">x</bdi>" in page.html
    assert ">-4</bdi>" in page.html
    assert "http-equiv" not in page.html
    assert "data-progress" not in page.html


def test_the_failed_rows_are_downloaded_under_the_name_of_the_file(person):
    job_id = person.imported("März 2026.csv")
    page = person.get(f"/ui/jobs/{job_id}")
    assert f'href="/ui/jobs/{job_id}/failed-rows" download' in page.html
    answer = person.http.get(f"/ui/jobs/{job_id}/failed-rows")
    disposition = answer.headers["Content-Disposition"]
    assert disposition == "attachment; filename*=utf-8''M%C3%A4rz%202026-failed-rows.csv"
    assert answer.headers["Cache-Control"] == "no-store"
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [row["Id"] for row in rows] == ["2", "3"]


def test_a_job_without_failed_rows_offers_no_download(person):
    job_id = person.imported("good.csv", b"Id,Name,Amount\n1,Ada,3\n")
    assert "Download" not in person.get(f"/ui/jobs/{job_id}").text
    missing = person.get(f"/ui/jobs/{job_id}/failed-rows")
    assert (missing.status, "no file of failed rows" in missing.text) == (404, True)


def test_why_a_job_failed_as_a_whole_stands_above_all(person):
    page = person.get(f"/ui/jobs/{person.imported('picture.csv', bytes.fromhex('89504e470d0a1a0a') + b'xx')}")
    assert "Invalid: this is a PNG picture" in page.text
    assert "file.kind" in page.text
    assert "What was wrong" not in page.text


def test_of_many_errors_the_first_are_shown_and_all_are_counted(person, service, change):
    job_id = person.imported("march.csv")
    errors = [
        RowError("min", "less than the minimum 0", n, n + 2, n + 2, None, "C", "amount", "-1")
        for n in range(100)
    ]
    with Store.opened(service.settings) as store, store.write() as session:
        put_errors(session, job_id, "validate", errors)
    change(job_id, errors=996_000, error_groups=[["min", "amount", 995_000], ["row.short", None, 1_000]])
    page = person.get(f"/ui/jobs/{job_id}")
    assert "Showing 20 of 996,000" in page.text
    assert "995,000 amount min" in page.text
    assert "1,000 the row as a whole row.short" in page.text
    assert page.text.count("less than the minimum 0") == 20


def test_a_running_job_shows_how_far_it_is_as_the_status_api_tells_it(person, service, change):
    job_id = person.upload("march.csv", b"Id\n1\n").path.rpartition("/")[2]
    page = person.get(f"/ui/jobs/{job_id}")
    assert f'data-progress="/ui/jobs/{job_id}/progress"' in page.html
    assert '<noscript><meta http-equiv="refresh" content="2"></noscript>' in page.html
    change(job_id, state="validating", rows_read=12_000)
    told = person.http.get(f"/ui/jobs/{job_id}/progress").json()
    assert (told["state"], told["rows_read"], told["rows"], told["percent"]) == (
        "validating",
        12_000,
        None,
        None,
    )
    change(job_id, state="importing", rows=23_412, rows_read=23_412, rows_loaded=11_706)
    told = person.http.get(f"/ui/jobs/{job_id}/progress").json()
    assert (told["rows_loaded"], told["rows"], told["percent"], told["is_over"]) == (11_706, 23_412, 50, False)
    assert told["shown"] == {"rows_read": "23,412", "rows_loaded": "11,706", "rows": "23,412"}
    assert "11,706 of 23,412 rows imported" in told["sentence"]
    with service.client(person.key.token) as client:
        document = client.get(f"/jobs/{job_id}").json()
    same = ("state", "terminal", "rows", "rows_read", "rows_loaded")
    assert {name: told[name] for name in same} == {name: document[name] for name in same}
    assert '<progress aria-label="Progress of the import" max="100" value="50">' in person.get(page.path).html


def test_a_job_is_over_when_its_report_is_written(person, change):
    job_id = person.imported("march.csv")
    assert person.http.get(f"/ui/jobs/{job_id}/progress").json()["is_over"] is True
    change(job_id, reported_at=None)
    told = person.http.get(f"/ui/jobs/{job_id}/progress").json()
    assert (told["terminal"], told["is_over"]) == (True, False)
    assert "data-progress" in person.get(f"/ui/jobs/{job_id}").html


def test_cancelling_asks_for_the_jobs_end_and_says_when_it_is_too_late(person, service):
    page = person.upload("march.csv", b"Id\n1\n")
    path = page.path
    after = person.send(f"{path}/cancel", page)
    assert (after.path, "cancelling" in after.text) == (path, True)
    assert f'action="{path}/cancel"' not in after.html
    with Store.opened(service.settings) as store, store.read() as session:
        assert get_job(session, path.rpartition("/")[2]).cancel_requested_at is not None
    ended = person.imported("april.csv")
    late = person.send(f"/ui/jobs/{ended}/cancel", page)
    assert (late.status, "Not cancelled: job" in late.text) == (409, True)


def test_running_again_makes_a_new_job_over_the_same_bytes_definition_and_mode(person, service):
    first = person.imported("march.csv", mode="insert")
    again = person.send(f"/ui/jobs/{first}/run-again", person.get(f"/ui/jobs/{first}"))
    second = again.path.rpartition("/")[2]
    assert (again.status, second != first) == (200, True)
    resume(service.settings, second)
    with Store.opened(service.settings) as store, store.read() as session:
        jobs = [get_job(session, job_id) for job_id in (first, second)]
    assert len({(job.upload_id, job.definition_id, job.mode, job.kind, job.key_id) for job in jobs}) == 1
    # what the first one created is there now
    assert [(job.created, job.failed) for job in jobs] == [(1, 2), (0, 3)]


def test_what_was_only_checked_can_be_imported_or_checked_again(person, service):
    checked = person.imported("march.csv", validate_only="true")
    page = person.get(f"/ui/jobs/{checked}")
    assert "Checked: 2 of 3 rows failed. Nothing was written." in page.text
    imported = person.send(f"/ui/jobs/{checked}/run-again", page).path.rpartition("/")[2]
    resume(service.settings, imported)
    assert "Finished: 3 rows, 1 created, 2 failed." in person.get(f"/ui/jobs/{imported}").text
    again = person.send(f"/ui/jobs/{checked}/run-again", page, validate_only="true")
    assert "to be checked only" in again.text


def test_bytes_that_are_gone_can_not_be_run_again_and_the_page_says_so(person, service):
    job_id = person.imported("march.csv")
    page = person.get(f"/ui/jobs/{job_id}")
    with Store.opened(service.settings) as store, store.write() as session:
        forget_bytes(session, get_upload(session, get_job(session, job_id).upload_id).sha256, utc_now())
        forget_errors(session, job_id, utc_now())
    refused = person.send(f"/ui/jobs/{job_id}/run-again", page)
    assert refused.status == 409
    assert "Not run again: the bytes of 'march.csv' were removed on" in refused.text
    later = person.get(f"/ui/jobs/{job_id}")
    assert "to run it again, upload it again" in later.text
    assert "run-again" not in later.html
    assert "Where they were was removed on" in later.text
    assert "2 amount" not in later.text
    assert "1 amount type.integer" in later.text


def test_another_tenants_job_and_one_of_another_definition_are_no_pages(person, visit, define):
    job_id = person.imported("march.csv")
    define("zeta")
    define(name="others", destination={"table": "others"})
    unknown = person.get("/ui/jobs/nonsense")
    for other in (visit(whose="zeta"), visit(definitions=["others"])):
        for part in ("", "/progress", "/failed-rows"):
            page = other.get(f"/ui/jobs/{job_id}{part}")
            assert (page.status, "march" in page.text) == (404, False)
        page = other.get(f"/ui/jobs/{job_id}")
        assert (
            page.text.replace(job_id, "nonsense").replace(other.key.key_id, person.key.key_id) == unknown.text
        )
        for action in ("cancel", "run-again"):
            assert other.send(f"/ui/jobs/{job_id}/{action}", other.get("/ui")).status == 404


def test_a_key_that_may_only_look_can_neither_cancel_nor_run_again(person, visit):
    job_id = person.imported("march.csv")
    reader = visit(Scope.IMPORTS_READ)
    page = reader.get(f"/ui/jobs/{job_id}")
    assert "Download the failed rows" in page.text
    assert "Run again" not in page.text
    for action in ("cancel", "run-again"):
        refused = reader.send(f"/ui/jobs/{job_id}/{action}", page)
        assert (refused.status, "imports:create" in refused.text) == (403, True)


def test_a_key_that_may_only_bring_files_is_told_that_its_file_has_come(person, visit):
    bringer = visit(Scope.IMPORTS_CREATE)
    page = bringer.upload("march.csv", b"Id\n1\n")
    assert "The file is taken. Its job is" in page.text
    other = bringer.get(f"/ui/jobs/{person.imported('april.csv')}")
    assert (other.status, "imports:read" in other.text) == (403, True)
    assert bringer.get(f"{page.path}/progress").status == 403
