"""Which parts the service has, and the environment in which each runs."""

import os
import socket
from pathlib import Path

from cli.serve.listening import address
from cli.serve.part import Part, PartSpec
from cli.serve.serving import Serving
from flows.prefect_home import adopt_environment
from schemas.settings import Settings

_LEASES = "prefect.server.concurrency.lease_storage.filesystem"


def service(
    settings: Settings, listening: socket.socket, prefect_listening: socket.socket | None, folder: Path
) -> tuple[Serving, list[Part]]:
    """What is served where, and the parts that do it, in the order in which they start.

    Args:
        listening: of API and pages.
        prefect_listening: of Prefect's server; None where the settings name another one.
        folder: where relative sources of runs are looked for.
    """
    api = address(listening)
    prefect = _prefect_url(settings, prefect_listening)
    serving = Serving(api, f"{prefect}/api", prefect, str(settings.home), os.getpid())
    environment = _environment(settings, serving)
    specs = [
        PartSpec("runner", "flows.runner", environment, [str(folder)], stop_seconds=20.0),
        PartSpec("worker", "flows.worker", environment, stop_seconds=15.0),
        PartSpec("api", "api.server", environment, sockets=[listening.fileno()], stop_seconds=6.0),
    ]
    if prefect_listening is not None:
        of_server = environment | _server_environment(settings, prefect)
        sockets = [prefect_listening.fileno()]
        specs.insert(0, PartSpec("prefect", "flows.prefect_service", of_server, sockets=sockets))
    return serving, [Part(spec, settings.home / "logs", settings.prefect_home) for spec in specs]


def _prefect_url(settings: Settings, listening: socket.socket | None) -> str:
    if listening is not None:
        return address(listening)
    return (settings.prefect_api_url or "").rstrip("/").removesuffix("/api")


def _environment(settings: Settings, serving: Serving) -> dict[str, str]:
    """What all parts share: Lading's settings as they are for this run, and Prefect kept in the home."""
    adopt_environment(settings)
    _, _, port = serving.api.rpartition(":")
    return os.environ | {
        "LADING_HOME": str(settings.home.resolve()),
        "LADING_HOST": settings.host,
        "LADING_PORT": port,
        "LADING_PREFECT_API_URL": serving.prefect_api,
        "PREFECT_API_URL": serving.prefect_api,
    }


def _server_environment(settings: Settings, url: str) -> dict[str, str]:
    return {
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": _LEASES,
        # After so long a run looks for a slot again that found none; Prefect's own is 30 s, many times a run's.
        "PREFECT_SERVER_DEPLOYMENTS_CONCURRENCY_SLOT_WAIT_SECONDS": "5",
        # Else each event of a task run is a transaction of its own. Whole seconds: Prefect cuts the fraction
        # off, and with none left it looks without a pause (`server/services/task_run_recorder.py` of 3.8.8).
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "50",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": str(int(settings.job_days * 86_400)),
        "PREFECT_SERVER_UI_API_URL": f"{url}/api",
        "PREFECT_SERVER_UI_STATIC_DIRECTORY": str(settings.prefect_home.resolve() / "ui"),
        "PREFECT_UI_ENABLED": "true",
    }
