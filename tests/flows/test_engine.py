import gc
import threading

from prefect.settings import PREFECT_API_URL, PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

from flows.engine import use_prefect


def test_the_thread_of_a_worker_does_without_heartbeats_for_as_long_as_it_lives(monkeypatch):
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    seen = []

    def work():
        with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}):
            use_prefect()
            gc.collect()
            seen.append(PREFECT_FLOWS_HEARTBEAT_FREQUENCY.value())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [None]
