"""Files are fetched from where they lie, within limits; and left alone where they are as they were."""

import hashlib
from http.server import BaseHTTPRequestHandler

import pytest

from schemas.errors import FatalError, NotAllowedError, NotFoundError, RetriableError
from schemas.import_request import ImportRequest
from schemas.settings import Settings
from store.database import Store
from store.definitions import put_definition
from store.uploads import get_upload
from tasks.bringing import bring
from tasks.sources import is_pattern, list_files
from tests.tasks.https_server import serving

GOOD = b"Id,Name,Amount\na,A,1\n"


class Web:
    """What a server has to say, and what it was asked."""

    def __init__(self):
        self.answers = {}
        self.asked = []

    def has(self, path, body=GOOD, status=200, **headers):
        self.answers[path] = (status, body, {name.replace("_", "-"): value for name, value in headers.items()})

    def handler(self):
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                web.asked.append((self.path, dict(self.headers)))
                status, body, headers = web.answers.get(self.path, (404, b"", {}))
                etag = headers.get("ETag")
                if etag is not None and self.headers.get("If-None-Match") == etag:
                    status, body = 304, b""
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if "Content-Length" not in headers and status != 304:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        return Handler


@pytest.fixture
def web():
    web = Web()
    with serving(web.handler()) as url:
        web.url = url
        yield web


@pytest.fixture
def ask(lading, make_definition):
    """Brings a source for the definition `things`, which is kept with these changes."""

    def asked(source, /, *, settings=None, tenant=None, only_changed=False, **changes):
        with Store.opened(lading.settings) as store, store.write() as session:
            put_definition(session, tenant or "local", make_definition(**changes))
        request = ImportRequest(source, "things", tenant=tenant, only_changed=only_changed)
        return bring(settings or lading.settings, request)

    return asked


def upload_of(lading, taken):
    with Store.opened(lading.settings) as store, store.read() as session:
        return get_upload(session, lading.job(taken.job_id).upload_id)


def test_a_file_of_the_web_becomes_a_job_under_the_name_that_the_server_gives_it(lading, web, ask):
    web.has("/export?key=1", Content_Disposition="attachment; filename*=UTF-8''Stra%C3%9Fe.csv")
    upload = upload_of(lading, ask(f"{web.url}/export?key=1"))
    assert (upload.file_name, upload.sha256) == ("Straße.csv", hashlib.sha256(GOOD).hexdigest())


def test_else_it_is_called_as_the_address_from_which_it_came_at_last(lading, web, ask):
    web.has("/latest", b"", 302, Location="/files/orders%201.csv?sig=2")
    web.has("/files/orders%201.csv?sig=2")
    assert upload_of(lading, ask(f"{web.url}/latest")).file_name == "orders 1.csv"


def test_the_source_that_the_definition_names_is_fetched_where_none_is_named(lading, web, ask):
    web.has("/things.csv")
    assert upload_of(lading, ask(None, source={"url": f"{web.url}/things.csv"})).file_name == "things.csv"
    with pytest.raises(FatalError, match="no source is named, and the definition 'things' has none"):
        ask(" ")


@pytest.mark.parametrize(
    ("status", "error"),
    [(404, NotFoundError), (410, NotFoundError), (401, FatalError), (403, FatalError), (429, RetriableError),
     (500, RetriableError), (503, RetriableError), (304, FatalError), (206, FatalError)],
)  # fmt: skip
def test_an_answer_is_sorted_by_what_helps(web, ask, status, error):
    web.has("/a.csv?token=secret", status=status)
    with pytest.raises(error, match=f"/a.csv was answered with {status}") as told:
        ask(f"{web.url}/a.csv?token=secret")
    assert type(told.value) is error
    assert "secret" not in str(told.value)


def test_a_file_that_is_cut_short_is_tried_again(web, ask):
    web.has("/a.csv", Content_Length="1000")
    with pytest.raises(RetriableError, match=r"fetching .*/a\.csv failed"):
        ask(f"{web.url}/a.csv")


def test_a_server_that_is_away_is_tried_again(ask):
    with pytest.raises(RetriableError, match=r"fetching http://127\.0\.0\.1:1/a\.csv failed"):
        ask("http://127.0.0.1:1/a.csv")


def test_a_server_that_sends_us_round_and_round_is_not_followed_for_ever(web, ask):
    web.has("/a", b"", 302, Location="/a")
    with pytest.raises(FatalError, match="can't be fetched"):
        ask(f"{web.url}/a")
    assert len(web.asked) == 6


def test_no_more_bytes_are_fetched_than_a_request_may_have(lading, web, ask, tmp_path):
    small = lading.settings.model_copy(update={"upload_limit_bytes": 10})
    web.has("/a.csv")
    with pytest.raises(FatalError, match="more than the 10 bytes"):
        ask(f"{web.url}/a.csv", settings=small)
    (tmp_path / "a.csv").write_bytes(GOOD)
    with pytest.raises(FatalError, match="more than the 10 bytes of LADING_UPLOAD_LIMIT_BYTES"):
        ask(f"file://{tmp_path}/a.csv", settings=small)
    assert [path.name for path in lading.settings.uploads_path.iterdir()] == []


@pytest.mark.parametrize(
    ("source", "rule"),
    [("/etc/passwd", "source.url"), ("http://example.org/a.csv", "source.url"), ("s3://b/a.csv", "source.url"),
     ("https://127.0.0.1/a.csv", "outgoing.address")],
)  # fmt: skip
def test_a_tenant_fetches_from_the_open_internet_only(ask, source, rule):
    with pytest.raises(NotAllowedError) as refused:
        ask(source, tenant="acme")
    assert refused.value.rule == rule


def test_the_same_answer_is_skipped_and_not_even_sent(lading, web, ask):
    web.has("/a.csv", ETag='"1"')
    first = ask(f"{web.url}/a.csv", only_changed=True)
    lading.finish(first.job_id)
    again = ask(f"{web.url}/a.csv", only_changed=True)
    assert again.job_id == first.job_id
    assert again.skipped == f"the content is the same as that of job {first.job_id}; nothing is to be done"
    assert [headers.get("If-None-Match") for _, headers in web.asked] == [None, '"1"']
    web.has("/a.csv", b"Id,Name,Amount\na,A,2\n", ETag='"2"')
    assert ask(f"{web.url}/a.csv", only_changed=True).skipped is None


def test_without_a_tag_the_bytes_decide(lading, web, ask):
    web.has("/a.csv")
    first = ask(f"{web.url}/a.csv", only_changed=True)
    lading.finish(first.job_id)
    assert ask(f"{web.url}/a.csv", only_changed=True).job_id == first.job_id
    assert ask(f"{web.url}/a.csv").job_id != first.job_id


def test_the_same_content_is_imported_again_where_it_was_not_or_otherwise(lading, ask, tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(GOOD)
    first = ask(str(path), only_changed=True)
    assert ask(str(path), only_changed=True) == first, "nobody worked on it: it is taken up"
    lading.cancel(first.job_id)
    second = ask(str(path), only_changed=True)
    assert (second.job_id != first.job_id, second.skipped) == (True, None)
    lading.finish(second.job_id)
    assert ask(str(path), only_changed=True).skipped is not None
    assert ask(str(path), only_changed=True, policies={"max_errors": 1}).skipped is None


def test_a_pattern_finds_its_files_in_order_of_name_without_those_that_are_as_they_were(lading, ask, tmp_path):
    for name in ("b.csv", "a.csv", "c.txt"):
        (tmp_path / name).write_bytes(GOOD)
    request = ImportRequest(str(tmp_path / "*.csv"), "things", only_changed=True)
    lading.finish(ask(str(tmp_path / "a.csv")).job_id)
    assert is_pattern(lading.settings, request)
    assert list_files.fn(lading.settings, request).sources == (str(tmp_path / "a.csv"), str(tmp_path / "b.csv"))
    lading.finish(
        bring(lading.settings, ImportRequest(f"file://{tmp_path}/a.csv", "things", only_changed=True)).job_id
    )
    same = ImportRequest(f"file://{tmp_path}/*.csv", "things", only_changed=True)
    listing = list_files.fn(lading.settings, same)
    assert (listing.sources, listing.unchanged) == ((f"file://{tmp_path}/b.csv",), 1)


def test_a_pattern_without_files_is_an_error_only_where_there_should_be_some(lading, ask, tmp_path):
    (tmp_path / "a.csv").write_bytes(GOOD)
    ask(str(tmp_path / "a.csv"))
    with pytest.raises(NotFoundError, match=r"no file matches .*/\*\.xlsx on this machine"):
        list_files.fn(lading.settings, ImportRequest(str(tmp_path / "*.xlsx"), "things"))
    wanted = ImportRequest(str(tmp_path / "*.xlsx"), "things", only_changed=True)
    assert list_files.fn(lading.settings, wanted).sources == ()


def test_a_file_whose_name_looks_like_a_pattern_is_a_file(lading, ask, tmp_path):
    path = tmp_path / "a[1].csv"
    path.write_bytes(GOOD)
    assert upload_of(lading, ask(str(path))).file_name == "a[1].csv"


def test_a_url_that_is_none_says_why(ask):
    with pytest.raises(FatalError, match="'gopher://host/a' is no source: there are no places of the kind"):
        ask("gopher://host/a")


def test_fetching_takes_no_longer_than_the_settings_say(web, ask, lading):
    hurried = Settings(home=lading.settings.home, fetch_seconds=1e-6)
    web.has("/a.csv")
    with pytest.raises(RetriableError, match="took longer"):
        ask(f"{web.url}/a.csv", settings=hurried)
