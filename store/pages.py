"""What became of each row: the pages of a job and the errors of its rows, chunk by chunk."""

import json
import zlib
from collections.abc import Iterable, Iterator
from itertools import groupby

from sqlalchemy import delete, inspect
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel, col, select

from schemas.chunk import Page, chunk_of
from schemas.row_error import RowError
from store.backend import is_postgres
from store.tables import ErrorPage, PageRow

FILE_CHUNK = -1
"""Stands for the file as a whole where an error belongs to no row."""


def put_page(session: Session, job_id: str, page: Page) -> None:
    """Keep the copy of a page; a repeated copy changes nothing."""
    put_pages(session, job_id, [page])


def put_pages(session: Session, job_id: str, pages: Iterable[Page]) -> None:
    """Keep the copies of pages; repeated copies change nothing."""
    _put(session, PageRow, [{"job_id": job_id, "chunk": p.chunk, "body": p.to_bytes()} for p in pages])


def list_pages(session: Session, job_id: str, first_chunk: int = 0) -> Iterator[Page]:
    """The job's pages in order of chunk, from that chunk on."""
    wanted = PageRow.job_id == job_id, col(PageRow.chunk) >= first_chunk
    query = select(PageRow.chunk, PageRow.body).where(*wanted).order_by(col(PageRow.chunk))
    for chunk, body in session.exec(query.execution_options(yield_per=100)):
        yield Page.from_bytes(chunk, body)


def get_page(session: Session, job_id: str, chunk: int) -> Page | None:
    """The page of this chunk (0-based); None where there is none."""
    found = session.get(PageRow, (job_id, chunk))
    return None if found is None else Page.from_bytes(chunk, found.body)


def put_errors(session: Session, job_id: str, stage: str, errors: Iterable[RowError]) -> int:
    """Keep what a stage found wrong, replacing what it said of the same chunks before; gives how many."""
    ordered = sorted(errors, key=lambda e: -1 if e.ordinal is None else e.ordinal)
    for chunk, group in groupby(ordered, key=chunk_of_error):
        found = [vars(error) for error in group]
        body = zlib.compress(json.dumps(found, ensure_ascii=False).encode(), 1)
        new = {"job_id": job_id, "chunk": chunk, "stage": stage, "errors": len(found), "body": body}
        _put(session, ErrorPage, [new])
    return len(ordered)


def clear_errors(session: Session, job_id: str) -> None:
    """Forget every error of the job, because its file is about to be read anew."""
    session.execute(delete(ErrorPage).where(col(ErrorPage.job_id) == job_id))


def list_errors(session: Session, job_id: str, first_chunk: int = FILE_CHUNK) -> Iterator[RowError]:
    """The job's errors in the order of the file; those of one row in the order in which they were found.

    Args:
        first_chunk: from there on; `FILE_CHUNK` begins with those of the file as a whole.
    """
    columns = select(ErrorPage.chunk, ErrorPage.stage, ErrorPage.body)
    wanted = ErrorPage.job_id == job_id, col(ErrorPage.chunk) >= first_chunk
    query = columns.where(*wanted).order_by(col(ErrorPage.chunk))
    stored = session.exec(query.execution_options(yield_per=100))
    for _, pages in groupby(stored, key=lambda page: page[0]):
        in_order = sorted(pages, key=lambda page: _STAGES.index(page[1]))
        errors = [RowError(**error) for *_, body in in_order for error in json.loads(zlib.decompress(body))]
        yield from sorted(errors, key=lambda e: -1 if e.ordinal is None else e.ordinal)


def _put(session: Session, table: type[SQLModel], rows: list[dict[str, object]]) -> None:
    """Insert each row or replace the one with its key, in one step: another worker may be doing the same."""
    if not rows:
        return
    insert = (postgresql.insert if is_postgres(session) else sqlite.insert)(table)
    keys = [column.name for column in inspect(table, raiseerr=True).primary_key]
    new = {name: insert.excluded[name] for name in rows[0] if name not in keys}
    session.execute(insert.on_conflict_do_update(index_elements=keys, set_=new), rows)


_STAGES = ("validate", "duplicates", "import")


def chunk_of_error(error: RowError) -> int:
    """The chunk under which the error is kept."""
    return FILE_CHUNK if error.ordinal is None else chunk_of(error.ordinal)
