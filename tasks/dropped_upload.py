"""Stage 1 of a dropped file: its bytes are taken, and the one job that the drop may have is made."""

from collections.abc import Iterator
from contextlib import contextmanager

from schemas.definition import Mode
from schemas.drop import DropState
from schemas.errors import FatalError, NoSpaceError, RetriableError
from schemas.settings import Settings
from store.database import Store
from store.definitions import get_definition
from store.drops import get_drop, locked_drop, refuse_drop, take_drop
from store.source_tables import Drop
from tasks.accepting import Origin, Plan, new_job, plan_job, take_in
from tasks.claiming import claimed_file
from tasks.copying import Copy, copied, told
from tasks.file_names import plain_name
from tasks.stage import stage
from tasks.upload import Accepted
from tasks.whole_files import content_of, is_open_for_writing

CREATION_PATH = "DROP"


def accept_drop(
    settings: Settings, drop_id: str, mode: Mode | None = None, *, validate_only: bool = False
) -> Accepted:
    """Store the dropped file and make its job; the one that is there already where it has one.

    A drop that no job can be made of remembers why, and is not tried again.

    Raises:
        NotFoundError: there is no such drop, or its file or definition is gone.
        NotAllowedError: the definition's database or table is not the tenant's to use.
        FatalError: the file can't be read.
        RetriableError: somebody writes on the file, or there is no room for it now.
    """
    with Store.opened(settings) as store:
        with store.read() as session:
            drop = get_drop(session, drop_id)
        if drop.job_id is not None:
            return Accepted(drop.job_id, is_new=False)
        with _refused(store, drop_id):
            return _accepted(settings, store, drop, _plan(store, drop, mode, validate_only=validate_only))


@stage("upload")
def upload_dropped(settings: Settings, drop_id: str, mode: Mode | None, validate_only: bool) -> Accepted:
    """The task of this stage, for a file that was dropped."""
    return accept_drop(settings, drop_id, mode, validate_only=validate_only)


@contextmanager
def _refused(store: Store, drop_id: str) -> Iterator[None]:
    """Note in the drop what keeps it from ever being a job."""
    try:
        yield
    except NoSpaceError as error:
        raise RetriableError(f"the dropped file waits: {error}") from error
    except FatalError as error:
        with store.write() as session:
            refuse_drop(session, drop_id, str(error))
        raise


def _plan(store: Store, drop: Drop, mode: Mode | None, *, validate_only: bool) -> Plan:
    with store.read() as session:
        stored = get_definition(session, drop.tenant, drop.definition)
        return plan_job(session, drop.tenant, stored, mode, validate_only=validate_only)


def _accepted(settings: Settings, store: Store, drop: Drop, plan: Plan) -> Accepted:
    path = claimed_file(drop)
    with told(f"{path} could not be read"), path.open("rb") as original:
        before = content_of(path.lstat())
        with copied(settings, original, str(path)) as copy:
            if (
                copy.size_bytes != drop.size_bytes
                or content_of(path.lstat()) != before
                or is_open_for_writing(path)
            ):
                # Whoever wrote on it went on after a pause; it is announced again later, as it is then.
                raise RetriableError(f"somebody writes on the dropped file {drop.file_name!r}; it waits")
            return _made(settings, store, drop, plan, copy)


def _made(settings: Settings, store: Store, drop: Drop, plan: Plan, copy: Copy) -> Accepted:
    with store.write() as session:
        taken = locked_drop(session, drop.id)
        if taken.job_id is not None:
            return Accepted(taken.job_id, is_new=False)
        if taken.state is not DropState.WAITING:
            raise FatalError(f"the dropped file {drop.file_name!r} was refused: {taken.reason}")
        upload = take_in(session, settings, plan, copy, plain_name(drop.file_name))
        job = new_job(session, settings, plan, upload, Origin(CREATION_PATH))
        take_drop(session, taken, job.id)
        return Accepted(job.id, is_new=True)
