"""Tells a job's webhooks of every record, one by one and in order, and remembers how far it came.

The pages and the staged rows are the outbox, the cursors say what of it was delivered: wherever a worker dies,
the next one goes on there, and tells the last few once more, under the same ids.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache

import polars as pl

from connectors.outgoing import guarded_client, operators_client
from schemas.chunk import Page, chunk_total
from schemas.errors import FatalError, RetriableError
from schemas.job import JobKind
from schemas.principal import OPERATOR_TENANT
from schemas.secret_key import Seal, secret_key
from schemas.settings import Settings
from store.database import Store
from store.definitions import definition_of
from store.event_cursors import event_cursor
from store.jobs import get_job, set_values
from store.pages import get_page
from store.tables import Job
from tasks.ending import refuse_when_ending
from tasks.halting import looking_at
from tasks.receiver import Receiver, Receiving
from tasks.stage import stage
from tasks.staging import Stage

CALL_SECONDS = 15.0
ANSWER_BYTES = 64 * 1024


class Telling:
    """The webhooks of one job, and what each of them was told."""

    def __init__(self, receivers: Sequence[Receiver]) -> None:
        self._receivers = receivers

    @property
    def next_chunk(self) -> int | None:
        """The first chunk (0-based) of which somebody was not told whole; None where nobody is to be told."""
        return min((receiver.cursor.chunk for receiver in self._receivers), default=None)

    def tell(self, page: Page, frame: pl.DataFrame) -> None:
        """Tell each webhook of the records of this chunk, from where it stands.

        Raises:
            RetriableError: one of them does not take it now; the others were told.
        """
        self._each(lambda receiver: receiver.tell(page, frame))

    def give_up(self, page: Page, reason: str) -> None:
        """Count the records of this chunk as not told."""
        self._each(lambda receiver: receiver.give_up(page, reason))

    def new_warnings(self) -> list[str]:
        """For people: what was not told and why; each time what was not said before."""
        return [said for receiver in self._receivers if (said := receiver.new_warning()) is not None]

    def _each(self, do: Callable[[Receiver], None]) -> None:
        failed: list[RetriableError] = []
        for receiver in self._receivers:
            try:
                do(receiver)
            except RetriableError as error:
                failed.append(error)
        if failed:
            raise failed[0]


@contextmanager
def telling_of(
    settings: Settings, store: Store, job: Job, epoch: int, look: Callable[[], None] | None = None
) -> Iterator[Telling]:
    """What tells of this job; nobody, where it was not asked for.

    Args:
        epoch: of the lease under which the caller works.
        look: called now and then; what it raises is to stop the work on the job. None: what stops any work.
    """
    with store.read() as session:
        stored = definition_of(session, job.definition_id)
        hooks = stored.definition.webhooks if job.has_events and job.kind is JobKind.IMPORT else ()
        cursors = [event_cursor(session, job.id, place) for place in range(len(hooks))]
    is_operators = stored.tenant == OPERATOR_TENANT
    receiving = Receiving(
        store,
        epoch,
        stored.definition,
        settings.webhook_give_up_seconds,
        cache(lambda: Seal(secret_key(settings), stored.tenant)),
        look or looking_at(store, job.id),
    )
    open_client = operators_client if is_operators else guarded_client
    with ExitStack() as stack:
        receivers = []
        for hook, cursor in zip(hooks, cursors, strict=True):
            client = stack.enter_context(open_client(seconds=CALL_SECONDS, limit_bytes=ANSWER_BYTES))
            receivers.append(Receiver(receiving, hook, cursor, client))
        yield Telling(receivers)


def tell_rest(settings: Settings, job_id: str, epoch: int) -> None:
    """Tell the webhooks of a terminal job all that they were not told yet; says in the job what was given up.

    That is everything where the job wrote all its records at once, and the last chunk where it was stopped.

    Raises:
        RetriableError: one of them does not take it now.
    """
    with Store.opened(settings) as store:
        with store.read() as session:
            job = get_job(session, job_id)
        with telling_of(settings, store, job, epoch, refuse_when_ending) as telling:
            first = telling.next_chunk
            for chunk in range(first, chunk_total(job.rows or 0)) if first is not None else ():
                with store.read() as session:
                    page = get_page(session, job_id, chunk)
                if page is not None:
                    _tell_staged(settings, job, telling, page)
            if warnings := telling.new_warnings():
                with store.write() as session:
                    warnings = [*get_job(session, job_id).warnings, *warnings]
                    set_values(session, job_id, epoch=epoch, warnings=warnings)


@stage("report", "report events")
def report_events(settings: Settings, job_id: str, epoch: int) -> None:
    """The task of this part of the last stage."""
    tell_rest(settings, job_id, epoch)


def _tell_staged(settings: Settings, job: Job, telling: Telling, page: Page) -> None:
    try:
        (staged,) = Stage(settings.stage_path(job.id, job.stage_epoch or 0)).chunks(page.chunk, page.chunk)
    except FatalError as error:
        return telling.give_up(page, str(error))
    return telling.tell(page, staged.frame)
