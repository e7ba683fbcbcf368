"""The Prefect task of a stage, for what runs in Prefect's engine: to import Prefect takes a second."""

from functools import cache
from typing import Any, ParamSpec, TypeVar

from prefect import Task, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import exponential_backoff

from schemas.errors import RetriableError
from tasks.stage import BACKOFF_SECONDS, StageTask

P = ParamSpec("P")
R = TypeVar("R")


def prefect_task(stage: StageTask[P, R]) -> Task[P, R]:
    """The stage's task; always the same one."""
    made: Task[P, R] = _made(stage)
    return made


@cache
def _made(stage: StageTask[Any, Any]) -> Task[Any, Any]:
    decorate = task(
        name=stage.name,
        task_run_name=stage.run_name,
        retries=stage.retries,
        retry_delay_seconds=exponential_backoff(backoff_factor=BACKOFF_SECONDS),
        retry_jitter_factor=0.5,
        retry_condition_fn=is_retriable,
        # A stage leaves its result in the job store and may give another answer next time.
        cache_policy=NO_CACHE,
    )
    made: Task[Any, Any] = decorate(stage.fn)
    return made


def is_retriable(_task: Task[Any, Any], _run: TaskRun, state: State[Any]) -> bool:
    """True when the stage said that nothing is decided and the same call may succeed later."""
    return isinstance(state.result(raise_on_failure=False), RetriableError)
