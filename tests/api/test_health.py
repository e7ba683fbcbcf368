import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from store.database import Store
from store.workers import renew_worker
from tests.api.conftest import running


class _Answering(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/api/health" else 404)
        self.end_headers()

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def prefect_api_url():
    """The address of something that answers as Prefect's API does when it is asked for its health."""
    with HTTPServer(("127.0.0.1", 0), _Answering) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/api"
        server.shutdown()
        thread.join()


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
