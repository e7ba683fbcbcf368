"""Lists of jobs, newest first, a page at a time, for people and systems that look for one."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, literal, tuple_
from sqlmodel import Session, col, select

from schemas.job import JobState
from store.backend import is_storable
from store.tables import DefinitionVersion, Job, Upload, UtcDateTime


@dataclass(frozen=True)
class JobFilter:
    """Which jobs are wanted; None wants all.

    Attributes:
        definition: its whole name.
        file: a part of the file's name, in any case.
        creation_path: the whole of it, or what stands before or after its colon; in any case.
        received_after, received_before: neither is included.
    """

    state: JobState | None = None
    definition: str | None = None
    file: str | None = None
    creation_path: str | None = None
    received_after: datetime | None = None
    received_before: datetime | None = None


def page_of_jobs(
    session: Session,
    tenant: str,
    wanted: JobFilter,
    *,
    limit: int,
    before: tuple[datetime, str] | None = None,
    definitions: frozenset[str] | None = None,
) -> Sequence[Job]:
    """The tenant's newest jobs that are wanted, newest first.

    Args:
        before: `received_at` and `id` of the last job of the page before this one; None begins.
        definitions: names of the only ones whose jobs may be seen; None: all.
    """
    texts = (wanted.definition, wanted.file, wanted.creation_path)
    if not all(text is None or is_storable(text) for text in texts):
        return []
    query = select(Job).where(Job.tenant == tenant, *_conditions(tenant, wanted))
    if before is not None:
        last = tuple_(literal(before[0], UtcDateTime), literal(before[1]))
        query = query.where(tuple_(col(Job.received_at), col(Job.id)) < last)
    if definitions is not None:
        query = query.where(_of_definitions(definitions))
    return session.exec(query.order_by(col(Job.received_at).desc(), col(Job.id).desc()).limit(limit)).all()


def _conditions(tenant: str, wanted: JobFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.state is not None:
        yield col(Job.state) == wanted.state
    if wanted.definition is not None:
        yield _of_definitions([wanted.definition])
    if wanted.file is not None:
        named = col(Upload.file_name).icontains(wanted.file, autoescape=True)
        yield col(Job.upload_id).in_(select(Upload.id).where(Upload.tenant == tenant, named))
    if wanted.creation_path is not None:
        path = literal(":") + col(Job.creation_path) + ":"
        yield path.icontains(f":{wanted.creation_path}:", autoescape=True)
    if wanted.received_after is not None:
        yield col(Job.received_at) > wanted.received_after
    if wanted.received_before is not None:
        yield col(Job.received_at) < wanted.received_before


def _of_definitions(names: Iterable[str]) -> ColumnElement[bool]:
    named = select(DefinitionVersion.id).where(col(DefinitionVersion.name).in_(names))
    return col(Job.definition_id).in_(named)
