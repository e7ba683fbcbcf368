"""Schedules and forms of `import-file/*` follow the definitions, on a real server of Prefect's."""

import asyncio

import httpx
import pytest
from prefect import get_client

from flows.deployment_keeper import Kept, keep_in_step
from flows.deployments import declared_deployments
from schemas.errors import NotFoundError
from store.database import Store
from store.definitions import put_definition, remove_definition

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

NIGHTLY = {"url": "https://example.org/things.csv", "cron": "17 3 * * *", "timezone": "Europe/Berlin"}


@pytest.fixture
def registered(prefect_api):
    """The deployments, as a runner registers them, without schedules and choices of earlier tests."""
    with get_client(sync_client=True) as client:
        for earlier in client.read_deployments():
            client.delete_deployment(earlier.id)
    for deployment in asyncio.run(declared_deployments()):
        deployment.apply()
    return prefect_api


@pytest.fixture
def store(settings):
    with Store.opened(settings) as store:
        yield store


@pytest.fixture
def keep(store, make_definition):
    """Keeps a definition with these changes."""

    def kept(name, tenant="local", **changes):
        with store.write() as session:
            put_definition(session, tenant, make_definition(name=name, **changes))

    return kept


def deployment(name):
    with get_client(sync_client=True) as client:
        return client.read_deployment_by_name(f"import-file/{name}")


def schedules():
    """By slug: cron, time zone, whether it is active, and parameters."""
    return {
        made.slug: (made.schedule.cron, made.schedule.timezone, made.active, made.parameters)
        for made in deployment("scheduled").schedules
    }


def runs_to_come():
    with get_client(sync_client=True) as client:
        wanted = {"deployments": {"id": {"any_": [str(deployment("scheduled").id)]}}}
        found = client.request("POST", "/flow_runs/filter", json=wanted).json()
    return {run["parameters"]["definition"] for run in found if run["state_type"] == "SCHEDULED"}


@pytest.mark.usefixtures("registered")
def test_a_schedule_comes_changes_and_goes_with_its_definition_and_a_pause_stays(store, keep):
    keep("by-hand")
    keep("things", source=NIGHTLY)
    keep("things", tenant="acme", source=NIGHTLY | {"cron": "0 5 * * *"})
    assert keep_in_step(store).added == ("acme.things", "local.things")
    assert schedules() == {
        "local.things": ("17 3 * * *", "Europe/Berlin", True, {"definition": "things"}),
        "acme.things": ("0 5 * * *", "Europe/Berlin", True, {"definition": "things", "tenant": "acme"}),
    }
    assert runs_to_come() == {"things"}
    assert keep_in_step(store) == Kept(), "there is nothing to do a second time"
    with get_client(sync_client=True) as client:
        paused = next(made for made in deployment("scheduled").schedules if made.slug == "local.things")
        client.update_deployment_schedule(deployment("scheduled").id, paused.id, active=False)
    keep("things", source=NIGHTLY | {"cron": "18 3 * * *", "timezone": "UTC"})
    assert keep_in_step(store).changed == ("local.things",)
    assert schedules()["local.things"] == ("18 3 * * *", "UTC", False, {"definition": "things"})
    for made in asyncio.run(declared_deployments()):
        made.apply()  # as a runner does at each start
    assert schedules()["local.things"][2] is False
    with store.write() as session:
        remove_definition(session, "local", "things")
    keep("things", tenant="acme")
    assert set(keep_in_step(store).removed) == {"local.things", "acme.things"}
    assert schedules() == {}


@pytest.mark.usefixtures("registered")
def test_a_schedule_that_somebody_made_by_hand_is_left_alone(store, keep):
    keep("things", source=NIGHTLY)
    by_hand = {"schedule": {"cron": "1 1 * * *", "timezone": "UTC"}, "slug": "mine", "parameters": {}}
    with get_client(sync_client=True) as client:
        path = {"id": deployment("scheduled").id}
        client.request("POST", "/deployments/{id}/schedules", path_params=path, json=[by_hand])
    keep_in_step(store)
    assert schedules().keys() == {"mine", "local.things"}


def form_run(api, name, **parameters):
    """What the form of Prefect's UI sends; gives the status of the answer and what it says."""
    answer = httpx.post(
        f"{api}/deployments/{deployment(name).id}/create_flow_run", json={"parameters": parameters}, timeout=60
    )
    return answer.status_code, answer.json().get("detail", "")


def test_the_form_offers_the_definitions_that_there_are_and_refuses_nonsense(registered, store, keep):
    keep("things")
    keep("fetched", source=NIGHTLY)
    keep("theirs", tenant="acme")
    assert set(keep_in_step(store).forms) == {"ad-hoc", "scheduled"}
    shown = deployment("ad-hoc").parameter_openapi_schema["properties"]
    assert shown.keys() == {
        *("source", "definition", "mode", "validate_only", "definition_version", "only_changed")
    }
    assert all(field["description"] for field in shown.values())
    assert shown["definition"]["enum"] == ["fetched", "things"]
    assert (shown["mode"]["default"], shown["validate_only"]["default"]) == (None, False)
    of_all = deployment("scheduled").parameter_openapi_schema["properties"]["definition"]["enum"]
    assert of_all == ["fetched", "theirs", "things"]
    good = {"source": "a.csv", "definition": "things"}
    assert form_run(registered, "ad-hoc", **good)[0] == 201
    assert form_run(registered, "ad-hoc", source=None, definition="fetched")[0] == 201
    for wrong, said in (
        ({"definition": "theirs"}, "'theirs' is not one of ['fetched', 'things']"),
        ({"source": ""}, "source"),
        ({"source": "  "}, "source"),
        ({"source": None}, "None is not of type 'string'"),
        ({"mode": "replace"}, "mode"),
        ({"validate_only": "perhaps"}, "validate_only"),
        ({"definition_version": 0}, "definition_version"),
    ):
        status, detail = form_run(registered, "ad-hoc", **(good | wrong))
        assert (status, said in detail) == (409, True), (wrong, detail)
    assert form_run(registered, "ad-hoc", definition="things")[0] == 409
    keep("new")
    keep_in_step(store)
    assert form_run(registered, "ad-hoc", source="a.csv", definition="new")[0] == 201


def test_without_the_deployments_it_says_what_registers_them(prefect_api, store):
    del prefect_api
    with get_client(sync_client=True) as client:
        for made in client.read_deployments():
            if made.name == "scheduled":
                client.delete_deployment(made.id)
    with pytest.raises(NotFoundError, match=r"no deployment import-file/.*; `lading serve` registers it"):
        keep_in_step(store)
