"""How Prefect's engine runs a stage: named, retried and recorded as a task run."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

import httpx
from prefect.context import SettingsContext, SyncClientContext, get_settings_context
from prefect.exceptions import PrefectException
from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY

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


def use_prefect() -> None:
    """Give this thread, for as long as it lives, what its flow runs need: a client of Prefect's of its own.

    Prefect counts the users of a client in a way that is not made for several threads. The heartbeat's thread
    makes the end of every run wait a second; our lease says who is alive.
    """
    outer = get_settings_context()
    quiet = outer.settings.copy_with_update({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None})
    # Entered for good: `temporary_settings` would take them back as soon as nobody holds on to it.
    SettingsContext(profile=outer.profile, settings=quiet).__enter__()
    SyncClientContext().__enter__()


def _first_line(error: Exception) -> str:
    """What kind of error it was and what it says, without the answer that a server may have given."""
    said = str(error).partition("\n")[0]
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


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
            f"Prefect failed while it {doing} ({_first_line(error)}); the job stays where it is"
        ) from error
