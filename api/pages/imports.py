"""Recent imports: a list that can be searched, a page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query
from starlette.responses import RedirectResponse, Response

from api.context import Context, CurrentContext
from api.pages.job_view import JobLine, is_over, job_line
from api.pages.rendering import render
from api.pages.visitor import SignedIn, Visitor
from api.paging import position_of
from schemas.job import JobState
from schemas.signing import Purpose
from store.definitions import list_definitions
from store.job_lists import JobFilter, page_of_jobs
from store.tables import Job

PAGE_JOBS = 25
_Text = Annotated[str, Query(max_length=500)]


@dataclass(frozen=True)
class Search:
    """What was asked for; empty texts ask for nothing."""

    file: str
    definition: str
    state: str
    creation_path: str
    cursor: str

    @property
    def is_set(self) -> bool:
        """True when not every import is wanted."""
        return any((self.file, self.definition, self.state, self.creation_path))

    @property
    def filter(self) -> JobFilter:
        """The same for the job store."""
        return JobFilter(
            state=JobState(self.state) if self.state else None,
            definition=self.definition or None,
            file=self.file or None,
            creation_path=self.creation_path or None,
        )

    def path(self, cursor: str = "") -> str:
        """The address of this search, from the cursor on."""
        asked = {
            "file": self.file,
            "definition": self.definition,
            "state": self.state,
            "creation_path": self.creation_path,
            "before": cursor,
        }
        query = urlencode({name: text for name, text in asked.items() if text})
        return f"/ui?{query}" if query else "/ui"


def search(
    file: _Text = "",
    definition: _Text = "",
    state: JobState | Literal[""] = "",
    creation_path: _Text = "",
    before: _Text = "",
) -> Search:
    """What the address asks for."""
    return Search(file.strip(), definition, state, creation_path.strip(), before)


def register(router: APIRouter) -> None:
    """Add the route."""
    router.get("")(imports_page)


async def imports_page(
    service: CurrentContext, who: SignedIn, wanted: Annotated[Search, Depends(search)]
) -> Response:
    """The page; whoever may not look at imports is led to where they may go."""
    if not who.may_read:
        return RedirectResponse(who.places[0].href, 303)
    lines, older, is_moving, definitions = await service.quick(_page, service, who, wanted)
    return render(
        "imports.html",
        visitor=who,
        here="/ui",
        search=wanted,
        imports=lines,
        is_moving=is_moving,
        definitions=definitions,
        states=[state.value for state in JobState],
        newest=wanted.path(),
        older=older and wanted.path(older),
    )


def _page(service: Context, who: Visitor, wanted: Search) -> tuple[Sequence[JobLine], str, bool, Sequence[str]]:
    tenant, allowed = who.principal.tenant, who.principal.definitions
    with service.store.read() as session:
        found = page_of_jobs(
            session,
            tenant,
            wanted.filter,
            limit=PAGE_JOBS + 1,
            before=_before(service, wanted.cursor),
            definitions=allowed,
        )
        jobs = found[:PAGE_JOBS]
        lines = [job_line(service, session, job) for job in jobs]
        names = [d.name for d in list_definitions(session, tenant) if who.principal.may_use(d.name)]
    older = _cursor(service, jobs[-1]) if len(found) > PAGE_JOBS else ""
    return lines, older, not all(map(is_over, jobs)), names


def _cursor(service: Context, job: Job) -> str:
    return service.signer.sign(Purpose.CURSOR, ["/ui", job.received_at.isoformat(), job.id])


def _before(service: Context, cursor: str) -> tuple[datetime, str] | None:
    position = position_of(service, "/ui", cursor or None)
    return None if position is None else (datetime.fromisoformat(position[0]), position[1])
