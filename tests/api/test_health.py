from store.database import Store
from store.workers import renew_worker
from tests.api.conftest import running


def test_it_is_well_when_a_worker_gave_a_sign_and_prefect_answers(settings, prefect_api_url):
    settings = settings.model_copy(update={"prefect_api_url": prefect_api_url})
    with Store.opened(settings) as store, store.write() as session:
        renew_worker(session, "w")
    with running(settings) as service, service.client() as client:
        answer = client.get("/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "missing": []})


def test_it_names_what_is_missing(service):
    with service.client() as client:
        answer = client.get("/health")
    assert (answer.status_code, answer.json()["missing"]) == (503, ["worker", "prefect"])


def test_where_a_work_pool_is_set_no_worker_of_ours_is_needed(settings, prefect_api_url):
    settings = settings.model_copy(update={"prefect_api_url": prefect_api_url, "work_pool": "lading"})
    with running(settings) as service, service.client() as client:
        assert client.get("/health").status_code == 200
