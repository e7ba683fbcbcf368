"""What an import is to be made of: the path, the URL or the source of the definition that is meant."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from destinations.places import FoundFile, opened_place
from schemas.authority import refuse_beyond, refuse_source_beyond
from schemas.definition import Definition
from schemas.errors import FatalError, NotFoundError
from schemas.import_request import ImportRequest
from schemas.place_secrets import unsealing
from schemas.principal import OPERATOR_TENANT, refuse_no_tenant
from schemas.settings import Settings
from schemas.source import Source
from store.database import Store, Transaction
from store.definitions import get_definition
from store.fetches import is_done, last_fetches
from store.jobs import get_job
from store.source_tables import Fetch
from tasks.accepting import Plan, plan_job
from tasks.fetching import ContentMark, Fetched, file_of_place, opened_path
from tasks.stage import stage
from tasks.web_files import file_of_web

MOST_FILES = 1_000
"""That one run imports; the next one goes on."""


@dataclass(frozen=True)
class Wish:
    """One request, looked up in the store.

    Attributes:
        source: what is meant: a file of this machine by its path, or a source.
        is_operator: False where a tenant's rules hold.
    """

    plan: Plan
    definition: str
    source: Path | Source
    is_operator: bool

    @property
    def url(self) -> str:
        """What tells this place from others."""
        return self.source.url if isinstance(self.source, Source) else str(self.source.absolute())

    @property
    def is_pattern(self) -> bool:
        """True where it may mean several files."""
        return isinstance(self.source, Source) and self.source.is_pattern


@dataclass(frozen=True)
class Listing:
    """The files of a pattern.

    Attributes:
        sources: path or URL of each that is to be imported, in order of name.
        unchanged: how many are as they were when they were imported.
        left: how many more there are than one run imports.
    """

    sources: tuple[str, ...]
    unchanged: int = 0
    left: int = 0


def looked_up(session: Transaction, settings: Settings, request: ImportRequest) -> Wish:
    """What the request asks for, as far as the store knows.

    Raises:
        NotFoundError: the tenant sees no such definition.
        NotAllowedError: the definition or the source says more than the tenant may.
        FatalError: nothing is named that could be imported.
    """
    tenant = settings.tenant if request.tenant is None else request.tenant
    refuse_no_tenant(tenant)
    stored = get_definition(session, tenant, request.definition, request.definition_version)
    is_operator = request.tenant in {None, OPERATOR_TENANT}
    refuse_beyond(is_operator, stored.definition)
    source = _meant(stored.definition, request.source)
    refuse_source_beyond(is_operator, stored.name, source if isinstance(source, Source) else str(source))
    plan = plan_job(session, tenant, stored, request.mode, validate_only=request.validate_only)
    return Wish(plan, stored.name, source, is_operator)


def is_pattern(settings: Settings, request: ImportRequest) -> bool:
    """True where the request may mean several files; raises as `looked_up`."""
    with Store.opened(settings) as store, store.read() as session:
        return looked_up(session, settings, request).is_pattern


@stage("list")
def list_files(settings: Settings, request: ImportRequest) -> Listing:
    """Find the files of the pattern that the request names.

    Raises:
        NotFoundError: there are none, and there should be: not only changed ones are asked for.
        FatalError, RetriableError: as `OpenPlace.find`.
    """
    with Store.opened(settings) as store, store.read() as session:
        wish = looked_up(session, settings, request)
        done = done_before(session, wish) if request.only_changed else {}
    if isinstance(wish.source, Path):
        raise FatalError(f"{wish.source} is one file, no pattern")
    with opened_place(wish.source, unsealing(settings, wish.plan.tenant)) as place:
        found = place.find(wish.source.address.path)
        if not found and not request.only_changed:
            raise NotFoundError(f"no file matches {wish.source.address.path} on {place.shown}")
    return _listing(wish.source, found, done)


def done_before(session: Transaction, wish: Wish) -> dict[str, Fetch]:
    """By URL, what was fetched for the definition and needs no job like this one while it stays the same."""
    fetches = last_fetches(session, wish.plan.tenant, wish.definition)
    return {url: fetch for url, fetch in fetches.items() if _did_the_same(session, wish.plan, fetch)}


@contextmanager
def fetched(settings: Settings, wish: Wish, known: ContentMark | None) -> Iterator[Fetched | None]:
    """The file that is wished for, open; None where it is as it was when this was known of it.

    Raises:
        NotFoundError, NotAllowedError, FatalError, RetriableError: as the place of the file has it.
    """
    if isinstance(wish.source, Path):
        with opened_path(wish.source) as file:
            yield file
    elif wish.source.is_pattern:
        raise FatalError(f"{wish.source.url} is a pattern for several files, each of which is a job of its own")
    elif wish.source.is_web:
        with file_of_web(settings, wish.source.url, known, is_operator=wish.is_operator) as answer:
            yield answer
    else:
        with file_of_place(settings, wish.plan.tenant, wish.source, known) as found:
            yield found


def _did_the_same(session: Transaction, plan: Plan, fetch: Fetch) -> bool:
    job = get_job(session, fetch.job_id)
    same = (job.definition_id, job.mode, job.kind) == (plan.definition_id, plan.mode, plan.kind)
    return same and is_done(session, job)


def _listing(source: Source, found: list[FoundFile], done: dict[str, Fetch]) -> Listing:
    urls = {source.at(file.path).url: file.version for file in found}
    changed = [
        url for url, version in urls.items() if not version or url not in done or done[url].etag != version
    ]
    unchanged, left = len(urls) - len(changed), max(0, len(changed) - MOST_FILES)
    return Listing(tuple(changed[:MOST_FILES]), unchanged, left)


def _meant(definition: Definition, named: str | None) -> Path | Source:
    own = definition.source
    if named is None or not named.strip():
        if own is None:
            raise FatalError(f"no source is named, and the definition {definition.name!r} has none of its own")
        return own
    if own is not None and own.covers(named):
        return own.model_copy(update={"url": named})
    return _source(named) if "://" in named else _local(named)


def _local(named: str) -> Path | Source:
    path = Path(named).expanduser()
    # A name may have a bracket in it without being a pattern.
    if path.exists() or not re.search(r"[*?\[]", named):
        return path
    return _source(str(path.resolve()))


def _source(url: str) -> Source:
    try:
        return Source(url=url)
    except ValidationError as error:
        said = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise FatalError(f"{url.partition('?')[0]!r} is no source: {said}") from error
