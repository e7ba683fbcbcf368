"""Files dropped into the inbox of `lading serve`: through Prefect's event and a run to where they stay."""

import time

import pytest

from tests.cli.running_service import RunningService, body, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(500)]

AWAY_SECONDS = 65
FILES = 8
CAUGHT_UP_SECONDS = 300
"""All files are done so long after the server may come back, where four others want the processor, too."""
STAGES = ["import 1/1", "poll", "report", "upload", "validate"]


class Inbox:
    """The inbox of one definition of a service that is up."""

    def __init__(self, service) -> None:
        self.service = service
        self.folder = service.settings.inbox_path / "things"
        until(self.folder.is_dir)

    def drop(self, name, text):
        """Write the file somewhere else, then rename it in, as who knows how does."""
        elsewhere = self.service.folder / name
        elsewhere.write_text(text)
        elsewhere.rename(self.folder / name)

    def drop_next(self, names):
        """Drop the first of the files that are left, of 5 rows."""
        name = names.pop(0)
        self.drop(name, body(name.removesuffix(".csv"), 5))

    def wait_for(self, below, name, seconds=100):
        until((self.folder / below / name).exists, seconds)

    def runs_of(self, name):
        """Prefect's runs of the deployment for this file."""
        found = self.service.prefect("flow_runs/filter", {"deployments": {"name": {"any_": ["dropped"]}}})
        return [run for run in found if run["parameters"]["source"].endswith(f"/{name}")]


@pytest.fixture(scope="module")
def inbox(tmp_path_factory):
    service = RunningService(tmp_path_factory.mktemp("service"), LADING_INBOX_STABLE_SECONDS="0.5")
    service.start()
    yield Inbox(service)
    service.close()


def test_a_dropped_file_is_imported_by_a_run_with_every_stage_and_is_done(inbox):
    service = inbox.service
    inbox.drop("well.csv", body("well", 30))
    job = service.job(service.job_of_file("well.csv"))
    inbox.wait_for("done", "well.csv")
    assert sorted(path.name for path in (inbox.folder / "done").iterdir()) == ["well.csv"]
    job = service.job(job.id)
    assert (job.state.value, job.created, job.creation_path) == ("finished", 30, "DROP")
    (run,) = inbox.runs_of("well.csv")
    assert (run["id"], run["name"], run["state_type"]) == (job.flow_run_id, "well.csv", "COMPLETED")
    assert {"definition:things", f"job:{job.id}", "dropped"} <= {*run["tags"]}
    wanted = {"flow_runs": {"id": {"any_": [run["id"]]}}}
    until(lambda: sorted(task["name"] for task in service.prefect("task_runs/filter", wanted)) == STAGES)
    keys = {artifact["key"] for artifact in service.prefect("artifacts/filter", wanted)}
    assert keys == {f"progress-{job.id}", f"summary-{job.id}"}


def test_a_refused_file_is_failed_with_its_reasons_and_its_run_says_so(inbox):
    inbox.drop("refused.csv", "Nothing,Of,That\n1,2,3\n")
    inbox.wait_for("failed", "refused.csv")
    reasons = (inbox.folder / "failed" / "refused.csv.reasons.md").read_text()
    assert reasons.startswith("# refused.csv: invalid")
    until(lambda: [run["state_type"] for run in inbox.runs_of("refused.csv")] == ["FAILED"])


def test_failed_rows_lie_beside_the_file_that_had_them(inbox):
    inbox.drop("half.csv", "Id,Name,Amount\nhalf-1,a,1\nhalf-2,a,many\n")
    inbox.wait_for("done", "half.csv")
    rows = (inbox.folder / "done" / "half.csv.failed-rows.csv").read_text()
    assert "half-2,a,many" in rows
    assert "half-1" not in rows
    assert (inbox.folder / "done" / "half.csv.reasons.md").exists()
    assert inbox.service.rows_of("half") == 1


def test_a_stream_of_drops_survives_a_minute_without_prefects_server(inbox):
    service = inbox.service
    names = [f"stream{number}.csv" for number in range(FILES)]
    left = names.copy()
    for _ in range(3):
        inbox.drop_next(left)
    killed, began_at = service.kill("prefect"), time.monotonic()
    while (away_seconds := time.monotonic() - began_at) < AWAY_SECONDS:
        if left and away_seconds > AWAY_SECONDS * (1 - len(left) / FILES):
            inbox.drop_next(left)
        found = service.status["parts"]["prefect"]
        if found["pid"] not in {killed["pid"], None}:
            killed = service.kill("prefect")
        time.sleep(0.2)
    ends_at = time.monotonic() + CAUGHT_UP_SECONDS
    # Whoever watches the folder has not waited for the server.
    until(lambda: not list(inbox.folder.glob("*.csv")), 30)
    for name in names:
        inbox.wait_for("done", name, ends_at - time.monotonic())
    assert [service.rows_of(name.removesuffix(".csv")) for name in names] == [5] * FILES
    jobs = {service.job_of_file(name) for name in names}
    assert len(jobs) == FILES
