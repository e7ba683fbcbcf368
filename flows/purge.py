"""The flow `purge`: removes what has had its time, on the schedule that `prefect.yaml` gives it."""

from dataclasses import asdict
from typing import Any

from prefect import flow

from flows.engine import through_engine
from schemas.settings import Settings
from tasks.purge import purge as purge_task


@flow(name="purge")
def purge(dry_run: bool = False) -> dict[str, Any]:
    """Remove uploads, checked rows, reports, errors and rows of jobs that have had their time; counts stay.

    Args:
        dry_run: Only say what would be removed.

    Returns:
        How much of what was removed.
    """
    return asdict(through_engine(purge_task, Settings(), dry_run=dry_run))
