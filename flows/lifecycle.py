"""The one lifecycle of an import, written once: with Prefect's engine or without it, new or resumed."""

import logging
import time
from traceback import format_tb
from typing import ParamSpec, Protocol, TypeVar

from schemas.destination_document import ConnectionDestination
from schemas.errors import (
    BytesExpiredError,
    CancelRequestedError,
    ConflictError,
    DeliveryError,
    DestinationError,
    FatalError,
    LadingError,
    LastStepError,
    LeaseLostError,
    RetriableError,
)
from schemas.import_request import ImportRequest
from schemas.job import Ending, JobKind, JobState
from schemas.settings import Settings
from store.database import Store
from store.definitions import definition_of
from store.jobs import add_event, earlier_import, get_job, refuse_cancelled, refuse_expired
from store.leases import held_lease, is_free
from store.tables import Job
from tasks.await_vendor import await_vendor
from tasks.bringing import Taken
from tasks.delivering import report_events
from tasks.ending import refuse_when_ending
from tasks.hand_over import hand_over
from tasks.import_rows import import_last_step, import_rows, plan_segments
from tasks.poll import poll
from tasks.report import report
from tasks.stage import BACKOFF_SECONDS, StageTask
from tasks.staging import Stage
from tasks.upload import upload
from tasks.validate import validate

P = ParamSpec("P")
R = TypeVar("R")
LOGGER = logging.getLogger("lading.lifecycle")
WAIT_SECONDS = 0.5
"""How often we look whether another worker is done."""


class Call(Protocol):
    """How a stage's task is run."""

    def __call__(self, task: StageTask[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run the task to its end; raises what the stage raises."""
        ...


def directly(task: StageTask[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Run the stage without Prefect's engine, with the retries that its task declares."""
    for attempt in range(task.retries):
        try:
            return task.fn(*args, **kwargs)
        except RetriableError as error:
            LOGGER.warning("%s: %s; trying again", task.name, error)
            time.sleep(BACKOFF_SECONDS * 2**attempt)
    return task.fn(*args, **kwargs)


def accept(call: Call, settings: Settings, request: ImportRequest) -> Taken:
    """Take the file and give the job that will import it, or was interrupted doing so, or did it already."""
    return call(upload, settings, request)


def bring_to_end(call: Call, settings: Settings, job_id: str) -> None:
    """Bring the job from wherever it stands to a terminal state, and report it.

    Earlier jobs that were interrupted while importing into the same destination are brought to their end
    first; those that somebody works on are waited for. So is this job itself where somebody else works on it.

    Raises:
        RetriableError: a stage gave up for now; the job stays where it is and can be resumed.
    """
    with Store.opened(settings) as store:
        while _job(store, job_id).reported_at is None:
            _try_to_end(call, settings, store, job_id)


def work_on(call: Call, settings: Settings, store: Store, job_id: str, epoch: int) -> None:
    """The same under a lease that the caller holds, for a job that no earlier import stands before.

    Raises:
        RetriableError: a stage gave up for now; the job stays where it is and can be resumed.
        LeaseLostError: somebody else took the lease since.
        ProcessEndsError: this process is about to end; the job stays where it is.
    """
    if not _job(store, job_id).state.terminal:
        _work(call, settings, store, job_id, epoch)
    _report(call, settings, store, job_id, epoch)


def _try_to_end(call: Call, settings: Settings, store: Store, job_id: str) -> None:
    """Work on the job under its lease; where somebody else has it, wait a moment."""
    epoch = None
    try:
        with held_lease(store, settings, job_id) as epoch:
            _clear_the_way(call, settings, store, job_id)
            work_on(call, settings, store, job_id, epoch)
    except (LeaseLostError, ConflictError) as error:
        if _job(store, job_id).lease_epoch == epoch:
            raise
        LOGGER.warning("%s", error)
        time.sleep(WAIT_SECONDS)


def abandon(call: Call, settings: Settings, job_id: str) -> None:
    """End an interrupted job as `cancelled`: what it committed stays, the rest is unprocessed.

    Raises:
        ConflictError: somebody works on it.
    """
    with Store.opened(settings) as store, held_lease(store, settings, job_id) as epoch:
        call(poll, settings, job_id, epoch, Ending(JobState.CANCELLED, "job.abandoned", "abandoned"))
        _report(call, settings, store, job_id, epoch)


def _report(call: Call, settings: Settings, store: Store, job_id: str, epoch: int) -> None:
    """Tell whoever wants to know; the checked rows are kept until webhooks were told of all of them."""
    job = _job(store, job_id)
    if job.reported_at is None:
        if job.has_events:
            _step(store, job_id, "events")
            call(report_events, settings, job_id, epoch)
        _step(store, job_id, "report")
        call(report, settings, job_id)


def _clear_the_way(call: Call, settings: Settings, store: Store, job_id: str) -> None:
    job = _job(store, job_id)
    while not job.state.terminal and (earlier := _next_earlier(store, job)):
        if _is_cancelled(store, job):
            return
        earlier_id, free = earlier
        if free:
            _step(store, job_id, "resumes", f"first resumes the interrupted job {earlier_id}")
            bring_to_end(call, settings, earlier_id)
        else:
            _step(store, job_id, "waits", f"waits for job {earlier_id}, which imports into the same table")
            _await_free(store, earlier_id, job)


def _next_earlier(store: Store, job: Job) -> tuple[str, bool] | None:
    """The id of the first earlier import into the same table, and whether nobody works on it."""
    with store.read() as session:
        earlier = earlier_import(session, job)
        return None if earlier is None else (earlier.id, is_free(session, earlier))


def _await_free(store: Store, job_id: str, waiting: Job) -> None:
    while not _is_done_or_free(store, job_id) and not _is_cancelled(store, waiting):
        refuse_when_ending()
        time.sleep(WAIT_SECONDS)


def _is_done_or_free(store: Store, job_id: str) -> bool:
    with store.read() as session:
        job = get_job(session, job_id)
        return job.state.terminal or is_free(session, job)


def _is_cancelled(store: Store, job: Job) -> bool:
    return _job(store, job.id).cancel_requested_at is not None


def _work(call: Call, settings: Settings, store: Store, job_id: str, epoch: int) -> None:
    """Validate and import as far as it is not done yet, then account for every row."""
    ending = _ending(call, settings, store, job_id, epoch)
    if not _job(store, job_id).state.terminal:
        _step(store, job_id, "poll")
        call(poll, settings, job_id, epoch, ending)


def _ending(call: Call, settings: Settings, store: Store, job_id: str, epoch: int) -> Ending:
    """How the job is to end, once there is nothing more to do for its rows."""
    job = _job(store, job_id)
    if job.ending is not None:
        return Ending.from_stored(job.ending)
    if job.kind is JobKind.INVOKE and job.state is JobState.IMPORTING and job.stage_epoch is None:
        return Ending()  # its records were in the memory of a process that is gone; what it wrote has pages
    try:
        _validate_and_import(call, settings, store, job_id, epoch)
    except (LeaseLostError, ConflictError):
        raise
    except CancelRequestedError:
        return Ending(JobState.CANCELLED, "job.cancelled", "cancelled on request")
    except FatalError as error:
        return Ending(JobState.FAILED, _code(error), str(error))
    except LadingError:
        raise
    except OSError as error:
        raise RetriableError(f"job {job_id} stays where it is: {error.strerror or error}") from error
    except Exception as error:  # noqa: BLE001
        # A fault of ours must not keep the destination from everybody else; its message may quote a value.
        LOGGER.error("job %s: %s\n%s", job_id, type(error).__name__, "".join(format_tb(error.__traceback__)))  # noqa: TRY400
        return Ending(JobState.FAILED, "job.failed", f"a fault inside Lading: {type(error).__name__}")
    return Ending()


def _code(error: FatalError) -> str:
    if isinstance(error, LastStepError | DeliveryError):
        return error.code
    if isinstance(error, BytesExpiredError):
        return "upload.expired"
    return "destination.mismatch" if isinstance(error, DestinationError) else "job.failed"


def _validate_and_import(call: Call, settings: Settings, store: Store, job_id: str, epoch: int) -> None:
    if not _is_staged(settings, _job(store, job_id)):
        _stage(store, job_id, "validate")
        call(validate, settings, job_id, epoch)
    job = _job(store, job_id)
    if job.kind is not JobKind.VALIDATE and not job.state.terminal:
        import_into = _deliver if _goes_to_vendor(store, job) else _load
        import_into(call, settings, store, job, epoch)


def _deliver(call: Call, settings: Settings, store: Store, job: Job, epoch: int) -> None:
    _stage(store, job.id, "import")
    call(hand_over, settings, job.id, epoch)
    _stage(store, job.id, "poll", "asks the vendor")
    call(await_vendor, settings, job.id, epoch)


def _load(call: Call, settings: Settings, store: Store, job: Job, epoch: int) -> None:
    spans = plan_segments(settings, job.rows or 0)
    for number, span in enumerate(spans, start=1):
        _stage(store, job.id, "import", f"{number}/{len(spans)}")
        call(import_rows, settings, job.id, epoch, span, number, len(spans))
    if spans and _has_last_step(store, job):
        _stage(store, job.id, "complete")
        call(import_last_step, settings, job.id, epoch)


def _goes_to_vendor(store: Store, job: Job) -> bool:
    with store.read() as session:
        definition = definition_of(session, job.definition_id).definition
    return isinstance(definition.destination, ConnectionDestination)


def _has_last_step(store: Store, job: Job) -> bool:
    with store.read() as session:
        return definition_of(session, job.definition_id).definition.in_mode(job.mode).has_last_step


def _is_staged(settings: Settings, job: Job) -> bool:
    if job.state not in {JobState.READY, JobState.IMPORTING} or job.stage_epoch is None:
        return False
    return Stage(settings.stage_path(job.id, job.stage_epoch)).is_whole(job.rows or 0)


def _stage(store: Store, job_id: str, name: str, detail: str | None = None) -> None:
    """Note that a stage begins which changes something, unless the job is to end."""
    refuse_when_ending()
    with store.write() as session:
        refuse_cancelled(session, job_id)
        refuse_expired(session, job_id)
        add_event(session, job_id, name, detail)


def _step(store: Store, job_id: str, name: str, detail: str | None = None) -> None:
    with store.write() as session:
        add_event(session, job_id, name, detail)


def _job(store: Store, job_id: str) -> Job:
    with store.read() as session:
        return get_job(session, job_id)
