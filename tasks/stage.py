"""What every stage's Prefect task has in common: its name, and when it may be tried again."""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from prefect import Task, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import exponential_backoff

from schemas.errors import RetriableError

P = ParamSpec("P")
R = TypeVar("R")
RETRIES = 3
BACKOFF_SECONDS = 1.0


def stage(name: str, run_name: str | None = None) -> Callable[[Callable[P, R]], Task[P, R]]:
    """Make a stage's task of a function: tried again, later and later, where repeating is safe.

    Args:
        run_name: template over the task's parameters; the stage's name where None.
    """
    decorate: Callable[[Callable[P, R]], Task[P, R]] = task(
        name=name,
        task_run_name=run_name or name,
        retries=RETRIES,
        retry_delay_seconds=exponential_backoff(backoff_factor=BACKOFF_SECONDS),
        retry_jitter_factor=0.5,
        retry_condition_fn=is_retriable,
        # A stage leaves its result in the job store and may give another answer next time.
        cache_policy=NO_CACHE,
    )
    return decorate


def is_retriable(_task: Task[Any, Any], _run: TaskRun, state: State[Any]) -> bool:
    """True when the stage said that nothing is decided and the same call may succeed later."""
    return isinstance(state.result(raise_on_failure=False), RetriableError)
