"""Files that clients bring in parts: what is taken, what is refused, and what is left on the disk."""

import io
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest

from schemas.client_file import FilePart, FileRules
from schemas.clock import utc_now
from schemas.errors import BodyError, NoSpaceError, NotFoundError, PartRefusedError
from schemas.settings import Settings
from store.client_files import find_client_file
from store.database import Store
from tasks.client_files import open_client_file, take_part
from tasks.purge import purge_home

CONTENT = bytes(range(256)) * 10
RULES = FileRules(smallest_part_bytes=1_000, tenant_bytes=10_000, kept_seconds=3_600)
KEPT = FileRules(smallest_part_bytes=1_000, tenant_bytes=10_000, kept_seconds=None)


class Client:
    """Brings parts of one file."""

    def __init__(self, settings, store, tenant="acme", *, rules=RULES, directory=None, name="rows.csv"):
        self.settings, self.store, self.tenant = settings, store, tenant
        self.rules, self.directory, self.name = rules, directory, name
        self.hash = str(uuid4())

    def bring(self, start=0, end=None, content=CONTENT, total=None):
        end = len(content) if end is None else end
        piece = io.BytesIO(content[start:end])
        total = len(content) if total is None else total
        part = FilePart(self.hash, piece, self.name, self.directory, start, end - start, total)
        return take_part(self.settings, self.store, self.tenant, part, self.rules)

    def refused(self, *args, **kwargs):
        with pytest.raises(PartRefusedError) as refusal:
            self.bring(*args, **kwargs)
        return refusal.value.reason

    def content(self):
        opened = open_client_file(self.settings, self.store, self.tenant, self.hash)
        with opened.file:
            return opened.file.read()


@pytest.fixture(params=["settings", "on_postgres"], ids=["sqlite", "postgres"])
def home(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def store(home):
    with Store.opened(home) as store:
        yield store


@pytest.fixture
def client(home, store):
    return Client(home, store)


def on_disk(settings):
    return sorted(path.name for path in settings.uploads_path.rglob("*") if path.is_file())


def test_a_whole_file_comes_in_one_part(client):
    kept = client.bring()
    assert (kept.is_whole, kept.file_name, kept.size_bytes) == (True, "rows.csv", 2_560)
    assert client.content() == CONTENT


def test_parts_make_the_file_when_the_last_one_came_and_are_gone_then(client):
    assert [client.bring(start, end).is_whole for start, end in ((0, 1_000), (1_000, 2_000))] == [False, False]
    with pytest.raises(NotFoundError, match="not to its end"):
        client.content()
    assert client.bring(2_000, 2_560).is_whole
    assert client.content() == CONTENT
    assert len(on_disk(client.settings)) == 1


def test_an_empty_file_is_a_file(client):
    assert client.bring(content=b"").is_whole
    assert client.content() == b""


def test_a_last_part_may_be_larger_than_the_others(client):
    client.bring(0, 1_000)
    assert client.bring(1_000, 2_560).is_whole


def test_a_repeated_part_is_harmless_before_and_after_the_last(client):
    client.bring(0, 1_000)
    client.bring(1_000, 2_000)
    assert not client.bring(0, 1_000).is_whole
    assert client.bring(2_000, 2_560).is_whole
    assert client.bring(1_000, 2_000).is_whole
    assert client.bring(2_000, 2_560).is_whole
    assert client.content() == CONTENT


def test_the_same_last_part_from_two_connections_at_once_makes_one_file(client):
    client.bring(0, 1_000)
    with ThreadPoolExecutor(4) as pool:
        assert all(kept.is_whole for kept in pool.map(lambda _: client.bring(1_000, 2_560), range(4)))
    assert client.content() == CONTENT
    assert len(on_disk(client.settings)) == 1


def test_each_part_that_does_not_fit_has_its_reason(client):
    assert client.refused(1_000, 2_000) == "NoSuchUpload"
    assert client.refused(0, 999) == "EntityTooSmall"
    client.bring(0, 1_000)
    assert client.refused(2_000, 2_560) == "InvalidPartOrder"
    assert client.refused(1_000, 2_001) == "InvalidPart"  # not as large as the first
    assert client.refused(1_000, 2_560, total=2_000) == "InvalidPart"  # ends behind the file
    assert client.refused(1_000, 2_000, total=9_999) == "InvalidPart"  # of another file
    assert client.refused(0, 1_000, content=CONTENT[::-1]) == "InvalidPart"  # other bytes than before
    client.bring(1_000, 2_560)
    assert client.refused(0, 1_000, content=CONTENT[::-1]) == "InvalidPart"
    assert client.content() == CONTENT


def test_a_part_across_those_that_are_there_is_refused_and_leaves_nothing(client):
    client.bring(0, 1_000)
    client.bring(1_000, 2_000)
    before = on_disk(client.settings)
    assert client.refused(1, 1_001) == "InvalidPart"
    assert client.refused(500, 1_500, content=bytes(2_560)) == "InvalidPart"
    assert client.refused(1_000, 2_560) == "InvalidPart"
    assert on_disk(client.settings) == before
    client.bring(2_000, 2_560)
    assert client.content() == CONTENT


def test_the_same_id_of_another_tenant_is_another_file(client, home, store):
    client.bring(0, 1_000)
    other = Client(home, store, "globex")
    other.hash = client.hash
    assert other.refused(1_000, 2_560) == "NoSuchUpload"
    with pytest.raises(NotFoundError):
        other.content()


def test_names_in_a_directory_do_not_clash(home, store):
    directory = str(uuid4())
    clients = [Client(home, store, rules=KEPT, directory=directory) for _ in range(3)]
    names = [client.bring(content=b"Id").file_name for client in clients]
    assert names == ["rows.csv", "rows (1).csv", "rows (2).csv"]
    assert Client(home, store, rules=KEPT, directory=str(uuid4())).bring(content=b"Id").file_name == "rows.csv"
    assert clients[1].bring(content=b"Id").file_name == "rows (1).csv"


def test_a_file_has_a_limit_and_so_have_all_of_a_tenant_together(home, store):
    small = Settings(home=home.home, upload_limit_bytes=2_000)
    with pytest.raises(BodyError) as refused:
        Client(small, store).bring()
    assert refused.value.status == 413
    for _ in range(3):
        Client(home, store).bring()
    with pytest.raises(NoSpaceError, match="7680 of the 10000 bytes"):
        Client(home, store).bring()
    assert Client(home, store, "globex").bring().is_whole


def test_files_that_are_begun_at_once_share_what_the_tenant_may_keep(home, store):
    clients = [Client(home, store) for _ in range(6)]
    ready = threading.Barrier(len(clients))

    def begin(client):
        ready.wait()
        try:
            return client.bring().is_whole
        except NoSpaceError:
            return False

    with ThreadPoolExecutor(len(clients)) as threads:
        assert sum(threads.map(begin, clients)) == 3


@pytest.fixture
def clock(monkeypatch):
    """Moves the clock by so many minutes."""
    began = utc_now()

    def later(minutes):
        for module in ("tasks.client_files", "tasks.purge", "store.uploads"):
            monkeypatch.setattr(f"{module}.utc_now", lambda: began + timedelta(minutes=minutes))

    return later


def test_a_temporary_file_is_there_for_an_hour_and_then_gone_its_bytes_too(client, clock):
    client.bring()
    clock(59)
    assert purge_home(client.settings).uploads == 0
    assert client.content() == CONTENT
    clock(61)
    with pytest.raises(NotFoundError, match="time is over"):
        client.content()
    assert client.refused(1_000, 2_560) == "NoSuchUpload"
    assert purge_home(client.settings).uploads == 1
    assert on_disk(client.settings) == []


def test_a_temporary_file_that_is_over_may_be_brought_anew(client, clock):
    client.bring(0, 1_000)
    clock(61)
    assert client.bring(content=CONTENT[::-1]).is_whole
    assert client.content() == CONTENT[::-1]


def test_purge_removes_what_has_had_its_time_and_nothing_else(home, store, clock):
    over, unfinished = Client(home, store), Client(home, store, rules=KEPT, directory=str(uuid4()))
    over.bring()
    unfinished.bring(0, 1_000)
    kept = Client(home, store, rules=KEPT, directory=str(uuid4()))
    kept.bring(content=b"kept")
    clock(61)
    purge_home(home)
    assert len(on_disk(home)) == 2  # the part, and what is kept
    clock(60 * 24 * 400)
    purge_home(home)
    assert kept.content() == b"kept"
    assert len(on_disk(home)) == 1
    with store.read() as session:
        assert find_client_file(session, "acme", unfinished.hash, utc_now()) is None


def test_a_file_of_which_no_part_is_on_the_disk_yet_is_not_abandoned(client):
    client.bring(0, 1_000)
    shutil.rmtree(client.settings.parts_path)
    purge_home(client.settings)
    client.bring(0, 1_000)
    assert client.bring(1_000, 2_560).is_whole


def test_a_part_that_was_lost_on_the_disk_may_be_brought_again(client):
    client.bring(0, 1_000)
    shutil.rmtree(client.settings.parts_path)
    client.bring(0, 1_000)
    assert client.bring(1_000, 2_560).is_whole
    assert client.content() == CONTENT
