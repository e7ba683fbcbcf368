"""What every stage has in common: its name, its work function, and when that may be tried again."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
RETRIES = 3
BACKOFF_SECONDS = 1.0


@dataclass(frozen=True, eq=False)
class StageTask(Generic[P, R]):
    """One stage; `tasks.prefect_task` makes Prefect's task of it, where Prefect is to run it.

    Attributes:
        run_name: template over the parameters of `fn`, by which Prefect names each run.
        retries: how often it is tried again where it raised a `RetriableError`, at most.
    """

    name: str
    run_name: str
    fn: Callable[P, R]
    retries: int = RETRIES


def stage(name: str, run_name: str | None = None) -> Callable[[Callable[P, R]], StageTask[P, R]]:
    """Make a stage of a function: tried again, later and later, where repeating is safe.

    Args:
        run_name: the stage's name where None.
    """

    def decorate(fn: Callable[P, R]) -> StageTask[P, R]:
        return StageTask(name, run_name or name, fn)

    return decorate
