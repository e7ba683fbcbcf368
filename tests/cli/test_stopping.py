"""Imports that stop half-way: what the command says then, and what becomes of the job."""

import signal
import sqlite3
import time
from contextlib import closing

import pytest

from schemas.import_request import ImportRequest
from store.database import Store
from store.jobs import running_jobs
from tasks.upload import accept_upload

ROWS = 40_000
DEFINITION = """name: things
key: [id]
fields:
  - {name: id, header: Id}
  - {name: amount, header: Amount, type: integer}
destination: {table: things}
"""


@pytest.fixture
def things(folder, lading):
    (folder / "things.yaml").write_text(DEFINITION)
    (folder / "big.csv").write_text("Id,Amount\nbad,x\n" + "".join(f"k{i},{i}\n" for i in range(1, ROWS)))
    (folder / "other.csv").write_text("Id,Amount\nother,1\n")
    assert lading("apply", "things.yaml").status == 0


@pytest.fixture
def stop_import(start_lading, home, things):  # noqa: ARG001 - made before
    """Stops the import of the big file with this signal while its rows are loaded; gives job id and process."""

    def stop(number, *arguments):
        child = start_lading("import", "big.csv", "-d", "things", *arguments)
        with Store.opened(home) as store:
            while True:
                assert child.poll() is None, "the import ended before it could be stopped"
                with store.read() as session:
                    jobs = [job for job in running_jobs(session, "local") if job.rows_loaded >= 5_000]
                if jobs:
                    break
                time.sleep(0.002)
        child.send_signal(number)
        out, err = child.communicate(timeout=30)
        return jobs[0].id, child.returncode, out, err

    return stop


def stored(path, query):
    with closing(sqlite3.connect(path)) as connection, connection:
        return connection.execute(query).fetchall()


@pytest.mark.slow
def test_a_killed_import_is_resumed_with_every_row_once(stop_import, lading, lading_process, home):
    job_id, status, _, _ = stop_import(signal.SIGKILL)
    assert status == -signal.SIGKILL
    assert lading("jobs", "--json").json["jobs"][0]["interrupted"]
    shown = lading("job", job_id)
    assert (shown.status, "40,000 rows read and" in shown.out, "imported so far" in shown.out) == (
        4,
        True,
        True,
    )
    said = lading_process("resume", "--json")
    assert (said.status, said.err) == (3, "")
    [job] = said.json["jobs"]
    assert (job["job_id"], job["state"], job["rows"]) == (job_id, "finished", ROWS)
    assert (job["created"], job["failed"]) == (ROWS - 1, 1)
    assert stored(home.table_path("local"), "SELECT count(*) FROM things") == [(ROWS - 1,)]


def test_ctrl_c_says_how_to_go_on_and_the_job_is_resumed(stop_import, lading_process):
    job_id, status, out, err = stop_import(signal.SIGINT, "--json")
    assert status == 130
    assert err == "lading: interrupted; `lading resume` goes on where it stopped\n"
    assert out == '{"error": "interrupted; `lading resume` goes on where it stopped"}\n'
    said = lading_process("resume", job_id[:8], "--json")
    assert (said.status, said.json["rows"], said.json["created"], said.json["failed"]) == (3, ROWS, ROWS - 1, 1)


@pytest.mark.slow
def test_abandoning_says_what_it_cancels_and_leaves_validations_alone(
    stop_import, lading, lading_process, home
):
    job_id, *_ = stop_import(signal.SIGKILL)
    looking = accept_upload(home, ImportRequest(str(home.home.parent / "other.csv"), "things", None, True))
    said = lading_process("import", "other.csv", "-d", "things", "--abandon")
    assert said.status == 0
    job = lading("job", job_id, "--json").json
    assert (job["state"], job["created"] + job["failed"] + job["unprocessed"]) == ("cancelled", ROWS)
    kept, left = job["created"], job["unprocessed"]
    assert kept >= 4_999
    assert f"abandons   job {job_id}: {kept:,} rows kept, {left:,} not imported\n" in said.out
    assert lading("job", looking, "--json").json["state"] == "received"


@pytest.mark.slow
@pytest.mark.usefixtures("things")
def test_what_fails_once_there_is_a_job_is_no_wrong_usage(lading_process, lading, home):
    stored(
        home.store_path,
        "CREATE TRIGGER full AFTER INSERT ON event WHEN new.name = 'report' BEGIN SELECT json('{'); END",
    )
    said = lading_process("import", "other.csv", "-d", "things")
    assert said.status == 4
    assert "lading.db can't be used" in said.err
    again = lading_process("resume", "--json")
    assert (again.status, again.json["jobs"][0]["state"]) == (4, "finished")
    assert "lading.db can't be used" in again.err
    stored(home.store_path, "DROP TRIGGER full")
    assert lading_process("resume").status == 0
    assert lading("resume", "--json").json == {"jobs": []}
