"""What became of each row: the pages of a job and the errors of its rows, chunk by chunk."""

import json
import zlib
from collections.abc import Iterable, Iterator
from itertools import groupby

from sqlalchemy import delete
from sqlmodel import Session, col, func, select

from schemas.chunk import Page, chunk_of
from schemas.row_error import RowError
from store.tables import ErrorPage, PageRow

FILE_CHUNK = -1
"""Stands for the file as a whole where an error belongs to no row."""


def put_page(session: Session, job_id: str, page: Page) -> None:
    """Keep the copy of a page; a repeated copy changes nothing."""
    session.merge(PageRow(job_id=job_id, chunk=page.chunk, body=page.to_bytes()))


def list_pages(session: Session, job_id: str) -> Iterator[Page]:
    """The job's pages in order of chunk."""
    query = select(PageRow).where(PageRow.job_id == job_id).order_by(col(PageRow.chunk))
    for stored in session.exec(query.execution_options(yield_per=100)):
        yield Page.from_bytes(stored.chunk, stored.body)


def put_errors(session: Session, job_id: str, stage: str, errors: Iterable[RowError]) -> int:
    """Keep what a stage found wrong, replacing what it said of the same chunks before; gives how many."""
    ordered = sorted(errors, key=lambda e: -1 if e.ordinal is None else e.ordinal)
    for chunk, group in groupby(ordered, key=_chunk):
        found = [vars(error) for error in group]
        body = zlib.compress(json.dumps(found, ensure_ascii=False).encode(), 1)
        session.merge(ErrorPage(job_id=job_id, chunk=chunk, stage=stage, errors=len(found), body=body))
    return len(ordered)


def clear_errors(session: Session, job_id: str) -> None:
    """Forget every error of the job, because its file is about to be read anew."""
    session.execute(delete(ErrorPage).where(col(ErrorPage.job_id) == job_id))


def count_errors(session: Session, job_id: str) -> int:
    """How many errors are kept for the job."""
    total = session.exec(select(func.sum(ErrorPage.errors)).where(ErrorPage.job_id == job_id)).one()
    return int(total or 0)


def list_errors(session: Session, job_id: str) -> Iterator[RowError]:
    """The job's errors in the order of the file; those of one row in the order in which they were found."""
    query = select(ErrorPage).where(ErrorPage.job_id == job_id).order_by(col(ErrorPage.chunk))
    stored = session.exec(query.execution_options(yield_per=100))
    for _, pages in groupby(stored, key=lambda page: page.chunk):
        in_order = sorted(pages, key=lambda page: _STAGES.index(page.stage))
        errors = [RowError(**error) for page in in_order for error in json.loads(zlib.decompress(page.body))]
        yield from sorted(errors, key=lambda e: -1 if e.ordinal is None else e.ordinal)


_STAGES = ("validate", "duplicates", "import")


def _chunk(error: RowError) -> int:
    return FILE_CHUNK if error.ordinal is None else chunk_of(error.ordinal)
