"""What became of a job's rows: its errors and outcomes page by page."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import JSONResponse
from typing_extensions import TypedDict

from api.access import Reader
from api.context import Context, CurrentContext
from api.documentation import answers
from api.job_resources import job_seen_by
from api.paging import PageQuery, next_page, position_of
from api.problems import EXPIRED, INVALID_REQUEST, NOT_ENDED, NOT_FOUND, ProblemError
from schemas.chunk import CHUNK_ROWS, LETTERS, Page
from schemas.job import Outcome
from schemas.principal import Principal
from store.pages import FILE_CHUNK, chunk_of_error, list_errors, list_pages
from store.tables import Job
from tasks.error_document import ErrorDocument, error_document

router = APIRouter(tags=["jobs"])
SCANNED_CHUNKS = 100
"""So many chunks one request looks through for rows of one outcome; then the page ends, full or not."""


class RowsQuery(PageQuery):
    """Which rows are wanted."""

    outcome: Annotated[Outcome | None, Field(description="Rows that this became of.")] = None


class ErrorsPage(TypedDict):
    """Errors in the order of the file."""

    errors: list[ErrorDocument]
    errors_total: int
    next: Annotated[str | None, Field(description="Address of the next page; null: this is the last.")]


class RowDocument(TypedDict):
    """What became of one row."""

    row: Annotated[int, Field(description="1-based, as a spreadsheet counts.")]
    ordinal: Annotated[int, Field(description="0-based, among the data rows.")]
    outcome: Outcome
    intended: Annotated[str | None, Field(description="What a failed row was to do: create or update.")]
    target_id: Annotated[str | None, Field(description="The key of its record at the destination, as JSON.")]


class RowsPage(TypedDict):
    """Rows in the order of the file."""

    rows: list[RowDocument]
    next: Annotated[
        str | None,
        Field(description="Address of the next page, which may be there even when this one has few."),
    ]


_ERROR = {
    "row": 3380,
    "line": 3380,
    "sheet": None,
    "column": "A",
    "field": "date",
    "code": "type.date",
    "message": "not a date of the form %m/%d/%Y",
    "value": "1975-02-23T02:58:41.000Z",
}
_ROW = {"row": 2, "ordinal": 0, "outcome": "created", "intended": None, "target_id": '["ISCGEM860706"]'}


@router.get(
    "/jobs/{job_id}/errors",
    summary="List the errors of a job",
    responses=answers(
        ErrorsPage,
        {"errors": [_ERROR], "errors_total": 1, "next": None},
        NOT_FOUND,
        EXPIRED,
        INVALID_REQUEST,
    ),
)
async def list_job_errors(
    service: CurrentContext, who: Reader, job_id: str, wanted: Annotated[PageQuery, Query()]
) -> JSONResponse:
    """Every error of every row, with its place and value, as far as the file has been read."""
    return JSONResponse(await service.quick(_errors, service, who, job_id, wanted))


@router.get(
    "/jobs/{job_id}/rows",
    summary="List what became of each row",
    responses=answers(RowsPage, {"rows": [_ROW], "next": None}, NOT_FOUND, NOT_ENDED, EXPIRED, INVALID_REQUEST),
)
async def list_job_rows(
    service: CurrentContext, who: Reader, job_id: str, wanted: Annotated[RowsQuery, Query()]
) -> JSONResponse:
    """Each row of a job that has ended, its outcome and the id of its record."""
    return JSONResponse(await service.quick(_rows, service, who, job_id, wanted))


def require_end(job: Job, *, reported: bool = False) -> None:
    """Refuse to tell what is not decided yet.

    Raises:
        ProblemError: 409; the job is not terminal, or its report is not written.
    """
    if not job.state.terminal or (reported and job.reported_at is None):
        lacks = ", and its report is not written yet" if job.state.terminal else ""
        said = f"job {job.id} is {job.state.value}{lacks}"
        members = {"state": job.state.value}
        raise ProblemError(NOT_ENDED, said, headers={"Retry-After": "1"}, members=members)


def gone(what: str, job: Job, removed_on: str) -> ProblemError:
    """The problem that something was removed when its time was over."""
    return ProblemError(EXPIRED, f"the {what} of job {job.id} were removed on {removed_on}; its counts stay")


def _errors(service: Context, who: Principal, job_id: str, wanted: PageQuery) -> ErrorsPage:
    path = f"/jobs/{job_id}/errors"
    chunk, skipped = position_of(service, path, wanted.cursor) or (FILE_CHUNK, 0)
    shown: list[ErrorDocument] = []
    following: str | None = None
    with service.store.read() as session:
        job = job_seen_by(session, who, job_id)
        if job.errors_purged_at is not None:
            raise gone("errors", job, f"{job.errors_purged_at:%Y-%m-%d}")
        at, index = chunk, -1
        for error in list_errors(session, job_id, chunk):
            at, before = chunk_of_error(error), at
            index = index + 1 if at == before else 0
            if at == chunk and index < skipped:
                continue
            if len(shown) == wanted.limit:
                following = next_page(service, path, wanted, [at, index])
                break
            shown.append(error_document(error))
    return {"errors": shown, "errors_total": job.errors, "next": following}


def _rows(service: Context, who: Principal, job_id: str, wanted: RowsQuery) -> RowsPage:
    path = f"/jobs/{job_id}/rows"
    first: int = (position_of(service, path, wanted.cursor) or [0])[0]
    shown: list[RowDocument] = []
    with service.store.read() as session:
        job = job_seen_by(session, who, job_id)
        if job.purged_at is not None:
            raise gone("rows", job, f"{job.purged_at:%Y-%m-%d}")
        require_end(job)
        for page in list_pages(session, job_id, first // CHUNK_ROWS):
            if page.chunk - first // CHUNK_ROWS == SCANNED_CHUNKS:
                return {"rows": shown, "next": next_page(service, path, wanted, [page.chunk * CHUNK_ROWS])}
            for row in _documents(page, wanted.outcome, first):
                if len(shown) == wanted.limit:
                    return {"rows": shown, "next": next_page(service, path, wanted, [row["ordinal"]])}
                shown.append(row)
    return {"rows": shown, "next": None}


def _documents(page: Page, outcome: Outcome | None, first_ordinal: int) -> Iterator[RowDocument]:
    """The rows of the page with this outcome, from that ordinal on."""
    wanted = {letter for letter, (became, _) in LETTERS.items() if outcome in {None, became}}
    for index, letter in enumerate(page.letters):
        ordinal = page.chunk * CHUNK_ROWS + index
        if letter in wanted and ordinal >= first_ordinal:
            became, intended = LETTERS[letter]
            yield {
                "row": page.row_numbers[index],
                "ordinal": ordinal,
                "outcome": became,
                "intended": intended,
                "target_id": page.target_ids[index],
            }
