"""The runner of `lading serve`: each run of a deployment of `prefect.yaml` in a process of its own.

Run as a module this file is that process, with Prefect's settings in its environment.
"""

import asyncio
import logging
import os
import signal
import sys
import threading
import time
from uuid import UUID

import httpx
from prefect import get_client
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterId,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import StateType
from prefect.exceptions import PrefectException
from prefect.runner import Runner
from prefect.settings import PREFECT_API_URL

from flows.deployment_keeper import DeploymentKeeper
from flows.deployments import declared_deployments
from flows.folder_watch import watched
from flows.parent import end_with, say_ready
from flows.prefect_server import answers
from schemas.settings import Settings

LOGGER = logging.getLogger("lading.runner")
QUERY_SECONDS = 1
LOOK_SECONDS = 2.0
AWAY_SECONDS = 15.0
"""A runner that missed its server for so long may have given up watching for what is cancelled."""
STOP_SECONDS = 20.0


class ServerWatch:
    """Ends this process, for it to be started again, when it missed Prefect's server for long and runs nothing.

    Args:
        deployments: ids of those whose runs are processes of ours.
    """

    def __init__(self, deployments: list[UUID]) -> None:
        self._deployments = deployments
        self._answered_at = time.monotonic()
        self._missed_it = False

    def run(self) -> None:
        """Look for as long as this process lives."""
        while True:
            time.sleep(LOOK_SECONDS)
            if _server_answers():
                if self._missed_it and self._is_idle():
                    LOGGER.warning("Prefect's server was away for long; the runner starts anew")
                    return os.kill(os.getpid(), signal.SIGTERM)
                self._answered_at = time.monotonic()
            elif time.monotonic() > self._answered_at + AWAY_SECONDS:
                self._missed_it = True

    def _is_idle(self) -> bool:
        """True when Prefect knows of no run that a process of ours may be."""
        try:
            with get_client(sync_client=True) as client:
                at_work = [StateType.PENDING, StateType.RUNNING, StateType.CANCELLING]
                runs = client.read_flow_runs(
                    deployment_filter=DeploymentFilter(id=DeploymentFilterId(any_=self._deployments)),
                    flow_run_filter=FlowRunFilter(
                        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=at_work))
                    ),
                    limit=1,
                )
        except (PrefectException, httpx.HTTPError):
            return False
        return not runs


def _server_answers() -> bool:
    return answers(PREFECT_API_URL.value() or "", LOOK_SECONDS)


async def _serve(ready_fileno: int) -> None:
    # A runner that ends is no reason to pause: its schedules are to go on at the next start.
    runner = Runner(name="lading", query_seconds=QUERY_SECONDS, pause_on_shutdown=False)
    deployments = [await runner.aadd_deployment(made) for made in await declared_deployments()]
    threading.Thread(target=ServerWatch(deployments).run, daemon=True, name="server-watch").start()
    keeper = DeploymentKeeper(Settings())
    threading.Thread(target=keeper.run, daemon=True, name="deployment-keeper").start()
    with watched(Settings()):
        say_ready(ready_fileno)
        await runner.start()


def main(folder: str, parent_pid: int, ready_fileno: int) -> None:
    """Be the runner until SIGTERM, or until the parent is gone; relative sources are looked for in `folder`."""
    end_with(parent_pid, STOP_SECONDS)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("lading").setLevel(logging.INFO)
    # Prefect is imported by now, so that what it finds in that folder is no setting of ours.
    os.chdir(folder)
    while not _server_answers():
        time.sleep(LOOK_SECONDS / 4)
    asyncio.run(_serve(ready_fileno))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
