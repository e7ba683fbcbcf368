"""How Prefect's engine runs a stage: named, retried and recorded as a task run."""

from typing import ParamSpec, TypeVar

import httpx
from prefect.exceptions import PrefectException

from schemas.errors import RetriableError
from tasks.prefect_task import prefect_task
from tasks.stage import StageTask

P = ParamSpec("P")
R = TypeVar("R")


def through_engine(task: StageTask[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Run the task with Prefect's engine, which names, retries and records it; needs a running flow.

    Raises:
        RetriableError: Prefect itself failed; that decides nothing about the job.
    """
    try:
        return prefect_task(task)(*args, **kwargs)
    except (PrefectException, httpx.HTTPError) as error:
        raise RetriableError(
            f"Prefect failed while it ran {task.name!r} ({type(error).__name__}); the job stays where it is"
        ) from error
