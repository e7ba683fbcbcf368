"""Ways to start against one `lading serve`: a schedule, the form of Prefect's UI, a command of Prefect's."""

import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from schemas.definition import Definition
from schemas.principal import Scope
from store.definitions import put_definition
from store.job_lists import JobFilter, page_of_jobs
from store.keys import add_key
from tests.cli.running_service import DEFINITION, RunningService, body, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(360)]

STAGES = ["import 1/1", "poll", "report", "upload", "validate"]
RUN_SECONDS = 150
"""A run has come to its end by then: a minute until its schedule makes it, and a process that starts."""


@pytest.fixture(scope="module")
def fetched_from():
    """The address of a file on a server of ours."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            rows = body("fetched", 50).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(rows)))
            self.end_headers()
            self.wfile.write(rows)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.1,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/orders.csv"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def serving(tmp_path_factory, fetched_from):
    """A service that knows `things`, and `orders`, which is to be fetched every minute."""
    service = RunningService(tmp_path_factory.mktemp("sources"))
    orders = DEFINITION | {"name": "orders", "source": {"url": fetched_from, "cron": "* * * * *"}}
    with service.store.write() as session:
        put_definition(session, "local", Definition.model_validate(orders))
    service.start()
    yield service
    service.close()


def deployment(service, name, flow="import-file"):
    answer = httpx.get(f"{service.status['prefect_api']}/deployments/name/{flow}/{name}", timeout=60)
    answer.raise_for_status()
    return answer.json()


def schedules(service, name, flow="import-file"):
    """Those of the deployment, by their slugs."""
    return {made["slug"]: made for made in deployment(service, name, flow)["schedules"]}


def tenants_client(service, tenant):
    """A client that comes in over HTTP with a key of the tenant."""
    with service.store.write() as session:
        token = add_key(session, tenant, [scope for scope in Scope if scope is not Scope.ADMIN]).token
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.Client(base_url=service.status["api"], headers=headers, timeout=60)


def is_of(run, tenant):
    return run["parameters"].get("tenant") == tenant


def until_is(find):
    """What is found, once there is something."""
    until(find, RUN_SECONDS)
    return find()


def runs(service, name):
    """The runs of the deployment that are over, oldest first."""
    wanted = {"deployments": {"id": {"any_": [deployment(service, name)["id"]]}}}
    found = service.prefect("flow_runs/filter", wanted)
    over = [run for run in found if run["state_type"] in {"COMPLETED", "FAILED", "CRASHED"}]
    return sorted(over, key=lambda run: run["start_time"])


def start_from_form(service, name, **parameters):
    """What the form of the UI sends."""
    url = f"{service.status['prefect_api']}/deployments/{deployment(service, name)['id']}/create_flow_run"
    return httpx.post(url, json={"parameters": parameters}, timeout=60)


def jobs_of(service, file_name):
    with service.store.read() as session:
        return page_of_jobs(session, "local", JobFilter(file=file_name), limit=10)


def assert_it_ran(service, run, file_name, rows):
    """Prefect's API tells of every stage, and has the artifacts; the store, of every row."""
    assert (run["state_type"], run["state"]["name"]) == ("COMPLETED", "Completed"), run["state"]["message"]
    (job,) = jobs_of(service, file_name)
    assert (job.state.value, job.created) == ("finished", rows)
    assert {f"job:{job.id}", "lading"} <= set(run["tags"])
    wanted = {"flow_runs": {"id": {"any_": [run["id"]]}}}
    until(lambda: sorted(task["name"] for task in service.prefect("task_runs/filter", wanted)) == STAGES)
    keys = {artifact["key"] for artifact in service.prefect("artifacts/filter", wanted)}
    assert keys == {f"progress-{job.id}", f"summary-{job.id}"}


def test_a_schedule_fetches_and_imports_and_says_when_there_is_nothing_new(serving):
    until(lambda: schedules(serving, "scheduled"))
    (schedule,) = schedules(serving, "scheduled").values()
    assert (schedule["slug"], schedule["schedule"]["cron"], schedule["active"]) == (
        "local.orders",
        "* * * * *",
        True,
    )
    until(lambda: runs(serving, "scheduled"), RUN_SECONDS)
    first = runs(serving, "scheduled")[0]
    assert (first["auto_scheduled"], first["name"]) == (True, "orders")
    assert_it_ran(serving, first, "orders.csv", 50)
    assert start_from_form(serving, "scheduled", **schedule["parameters"]).status_code == 201
    until(lambda: len(runs(serving, "scheduled")) > 1, RUN_SECONDS)
    second = runs(serving, "scheduled")[1]["state"]
    assert (second["type"], second["name"]) == ("COMPLETED", "Skipped")
    assert second["message"].startswith("the content is the same as that of job ")
    assert len(jobs_of(serving, "orders.csv")) == 1


def test_a_form_starts_a_run_and_refuses_nonsense_before_there_is_one(serving):
    (serving.folder / "form.csv").write_text(body("form", 20))
    until(
        lambda: "enum" in deployment(serving, "ad-hoc")["parameter_openapi_schema"]["properties"]["definition"]
    )
    shown = deployment(serving, "ad-hoc")["parameter_openapi_schema"]["properties"]
    assert {"orders", "things"} <= set(shown["definition"]["enum"])
    good = {"source": "form.csv", "definition": "things", "mode": "insert", "validate_only": False}
    for wrong in ({"definition": "nothing"}, {"source": ""}, {"source": None}, {"mode": "replace"}):
        assert start_from_form(serving, "ad-hoc", **(good | wrong)).status_code == 409
    assert runs(serving, "ad-hoc") == []
    assert start_from_form(serving, "ad-hoc", **good).status_code == 201
    until(lambda: runs(serving, "ad-hoc"), RUN_SECONDS)
    assert_it_ran(serving, runs(serving, "ad-hoc")[0], "form.csv", 20)


def test_a_command_of_prefects_imports_a_file_with_no_further_set_up(serving):
    (serving.folder / "command.csv").write_text(body("command", 30))
    before = len(runs(serving, "ad-hoc"))
    serving.run_deployment("command.csv")
    until(lambda: len(runs(serving, "ad-hoc")) > before, RUN_SECONDS)
    assert_it_ran(serving, runs(serving, "ad-hoc")[-1], "command.csv", 30)


def test_a_new_definition_is_a_choice_soon_and_a_command_makes_it_one_at_once(serving):
    with serving.store.write() as session:
        new = DEFINITION | {"name": "brand-new"}
        put_definition(session, "local", Definition.model_validate(new))
    said = serving.run("schedules", "sync")
    assert said.returncode == 0, said.stderr
    properties = deployment(serving, "ad-hoc")["parameter_openapi_schema"]["properties"]
    assert "brand-new" in properties["definition"]["enum"]


def test_a_file_of_the_web_is_imported_by_the_command_line(serving, fetched_from):
    refused = serving.run("import", fetched_from)
    assert (refused.returncode, "name one with -d" in refused.stderr) == (2, True)
    said = serving.run("import", f"{fetched_from}?again", "-d", "things", "--json")
    assert said.returncode == 0, said.stderr
    assert '"unchanged": 50' in said.stdout
    several = serving.run("import", "sftp://host/*.csv", "-d", "things")
    assert (several.returncode, "imports them all" in several.stderr) == (2, True)


def test_what_a_tenant_has_fetched_on_schedule_is_fetched_as_that_tenant_and_from_no_private_address(serving):
    with socket.create_server(("127.0.0.1", 0)) as listening, tenants_client(serving, "acme") as acme:
        url = f"https://localhost:{listening.getsockname()[1]}/parcels.csv"
        parcels = DEFINITION | {"name": "parcels", "source": {"url": url, "cron": "* * * * *"}}
        assert acme.put("/definitions/parcels", json=parcels).status_code == 201
        schedule = until_is(lambda: schedules(serving, "scheduled").get("acme.parcels"))
        assert schedule["parameters"] == {"definition": "parcels", "tenant": "acme"}
        run = until_is(lambda: next((r for r in runs(serving, "scheduled") if is_of(r, "acme")), None))
        assert (run["auto_scheduled"], run["state_type"]) == (True, "FAILED")
        assert "'localhost' leads to an address that is not on the open internet" in run["state"]["message"]
        assert acme.get("/jobs").json()["jobs"] == []
        listening.settimeout(0)
        with pytest.raises(BlockingIOError):
            listening.accept()
        assert acme.delete("/definitions/parcels").is_success
        until(lambda: "acme.parcels" not in schedules(serving, "scheduled"))


def test_a_schedule_that_somebody_paused_at_prefect_stays_paused_over_a_restart(serving):
    def found():
        return schedules(serving, "scheduled") | schedules(serving, "daily", "purge")

    def active():
        return {slug: made["active"] for slug, made in found().items()}

    def choices():
        shown = deployment(serving, "scheduled")["parameter_openapi_schema"]["properties"]
        return shown["definition"].get("enum", ())

    until(lambda: active() == {"local.orders": True, "nightly": True})
    for made in found().values():
        url = f"{serving.status['prefect_api']}/deployments/{made['deployment_id']}/schedules/{made['id']}"
        httpx.patch(url, json={"active": False}, timeout=60).raise_for_status()
    serving.process.terminate()
    assert serving.process.wait(60) == 0
    serving.start()
    assert active() == {"local.orders": False, "nightly": False}
    # Deployments are registered by now; this is seen when what Prefect has was compared with the definitions.
    with serving.store.write() as session:
        put_definition(session, "local", Definition.model_validate(DEFINITION | {"name": "newest"}))
    until(lambda: "newest" in choices())
    assert active() == {"local.orders": False, "nightly": False}
