"""Tells Prefect of dropped files: an event for each, by which the trigger of `prefect.yaml` starts a run."""

import os
from uuid import UUID, uuid5

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterName,
    FlowFilter,
    FlowFilterName,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import TERMINAL_STATES, StateType
from prefect.events import Event, Resource

from store.source_tables import Drop
from tasks.claiming import claimed_file

EVENT = "lading.file.dropped"
DEPLOYMENT = "dropped"
RUNS_AT_ONCE = 200


def announce(client: SyncPrefectClient, drop: Drop) -> int:
    """Tell Prefect of the file as it is now; gives its bytes.

    It is sent over HTTP, so that a server which is away is noticed. What the server then does is not known: a
    drop that gets no job is announced again.

    Raises:
        NotFoundError: the file is gone.
        PrefectException, httpx.HTTPError: the server did not take the event.
    """
    file = claimed_file(drop)
    size_bytes = file.lstat().st_size
    # The name of a file may be no text: then what can't be said of it is shown.
    source = os.fsencode(file).decode(errors="backslashreplace")
    event = Event(
        id=uuid5(UUID(drop.id), f"announcement {drop.announcements}"),
        event=EVENT,
        resource=Resource({"prefect.resource.id": f"lading.file.{drop.id}", "prefect.resource.name": source}),
        payload={
            "source": source,
            "definition": drop.definition,
            "tenant": drop.tenant,
            "size_bytes": size_bytes,
            "drop_id": drop.id,
        },
    )
    client.request("POST", "/events", json=[event.model_dump(mode="json")])
    return size_bytes


def drops_under_way(client: SyncPrefectClient) -> set[str]:
    """The ids of the drops for which a run waits or works, 200 runs at most that wait the longest."""
    runs = client.read_flow_runs(
        flow_filter=FlowFilter(name=FlowFilterName(any_=["import-file"])),
        deployment_filter=DeploymentFilter(name=DeploymentFilterName(any_=[DEPLOYMENT])),
        flow_run_filter=FlowRunFilter(
            state=FlowRunFilterState(
                type=FlowRunFilterStateType(any_=[state for state in StateType if state not in TERMINAL_STATES])
            )
        ),
        limit=RUNS_AT_ONCE,
    )
    return {str(run.parameters["drop_id"]) for run in runs if "drop_id" in run.parameters}
