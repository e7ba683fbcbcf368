"""How Prefect's engine runs a stage: named, retried and recorded as a task run."""

from collections.abc import Iterator
from contextlib import contextmanager
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
    with prefect_may_fail(f"ran {task.name!r}"):
        return prefect_task(task)(*args, **kwargs)


@contextmanager
def prefect_may_fail(doing: str) -> Iterator[None]:
    """Around what needs Prefect's server, which did so when it failed.

    Raises:
        RetriableError: Prefect itself failed; that decides nothing about the job.
    """
    try:
        yield
    except (PrefectException, httpx.HTTPError) as error:
        raise RetriableError(
            f"Prefect failed while it {doing} ({type(error).__name__}); the job stays where it is"
        ) from error
