"""Somebody who looks at the pages over a real socket, with a browser that knows no JavaScript."""

from collections.abc import Callable, Iterator, Sequence
from html.parser import HTMLParser

import httpx
import pytest

from flows.run import resume
from schemas.principal import Scope
from store.database import Store
from store.definitions import put_definition
from store.jobs import get_job
from store.keys import NewKey

SMALL = b"Id,Name,Amount\n1,Ada,3\n2,Bob,x\n3,Eve,-4\n"
"""Three rows of the definition `things`, of which the second and third are wrong."""


class Page(HTMLParser):
    """A page as somebody sees it: its words, and the hidden fields of its forms."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__()
        self.status = answer.status_code
        self.path = answer.url.raw_path.decode()
        self.html = answer.text
        self.fields: dict[str, str] = {}
        self._words: list[str] = []
        self._is_unseen = False
        self.feed(answer.text)

    @property
    def text(self) -> str:
        """All words, with one blank between them."""
        return " ".join(" ".join(self._words).split())

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        self._is_unseen = tag in {"script", "style"}
        if tag == "input" and named.get("type") == "hidden":
            self.fields[named["name"]] = named.get("value") or ""

    def handle_data(self, data):
        if not self._is_unseen:
            self._words.append(data)


class Person:
    """Somebody with a browser of their own, who signs in when they have a key."""

    def __init__(self, service, key: NewKey | None = None) -> None:
        self.service = service
        self.key = key
        self.http = httpx.Client(base_url=service.url, timeout=30, trust_env=False, follow_redirects=True)
        if key is not None:
            assert self.sign_in(key.token).status == 200

    def sign_in(self, token: str, **fields: str) -> Page:
        """The page that signing in leads to."""
        return self.send("/ui/sign-in", self.get("/ui/sign-in"), token=token, **fields)

    def get(self, path: str, **query: str) -> Page:
        """The page at this address, wherever it leads."""
        return Page(self.http.get(path, params=query or None))

    def send(self, path: str, page: Page, **fields: str) -> Page:
        """Send a form of the page, with the hidden fields that it has."""
        return Page(self.http.post(path, data={**page.fields, **fields}))

    def upload(self, name: str, content: bytes, definition: str = "things", **fields: str) -> Page:
        """Upload a file; the page that this leads to."""
        token = self.get("/ui/upload").fields["csrf"]
        data = {"csrf": token, "definition": definition, "mode": "", **fields}
        return Page(self.http.post("/ui/upload", data=data, files={"file": (name, content)}))

    def imported(self, name: str, content: bytes = SMALL, definition: str = "things", **fields: str) -> str:
        """Upload a file and bring its job to its end; the id of the job."""
        job_id = self.upload(name, content, definition, **fields).path.rpartition("/")[2]
        resume(self.service.settings, job_id)
        return job_id


@pytest.fixture
def define(service, tenant, make_definition) -> Callable[..., None]:
    """Keeps the definition `things`, or what is said otherwise, for the test's tenant or another."""

    def keep(whose: str = tenant, **changes: object) -> None:
        with Store.opened(service.settings) as store, store.write() as session:
            put_definition(session, whose, make_definition(**changes))

    return keep


@pytest.fixture
def visit(service, tenant):
    """Makes somebody of the test's tenant or another, who signed in with a new key of these scopes."""
    people = []

    def come(*scopes: Scope, whose: str = tenant, definitions: Sequence[str] | None = None) -> Person:
        wanted = scopes or (Scope.IMPORTS_CREATE, Scope.IMPORTS_READ)
        people.append(Person(service, service.key(whose, *wanted, definitions=definitions)))
        return people[-1]

    yield come
    for person in people:
        person.http.close()


@pytest.fixture
def stranger(service) -> Iterator[Person]:
    """Somebody who has no key."""
    person = Person(service)
    with person.http:
        yield person


@pytest.fixture
def person(visit, define) -> Person:
    """Somebody of the test's tenant, which has the definition `things`."""
    define()
    return visit()


@pytest.fixture
def change(service) -> Callable[..., None]:
    """Sets columns of a job."""

    def to(job_id: str, **values: object) -> None:
        with Store.opened(service.settings) as store, store.write() as session:
            job = get_job(session, job_id)
            for name, value in values.items():
                setattr(job, name, value)
            session.add(job)

    return to
