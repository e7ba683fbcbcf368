"""What every client of a vendor is promised of its calls, against a server that does what a test says."""

import json
import logging
import threading
import time
import tracemalloc
from collections.abc import Callable
from contextlib import contextmanager
from datetime import timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from itertools import pairwise

import pytest

from connectors.outgoing import guarded_client
from connectors.redaction import Redaction
from connectors.vendor_body import FileBody, FileForm, JsonBody
from connectors.vendor_http import Pace, VendorHttp, vendor_http
from schemas.clock import utc_now
from schemas.errors import (
    NotAllowedError,
    OutcomeUnknownError,
    RetriableError,
    VendorBusyError,
    VendorRefusedError,
)
from tests.tasks.https_server import Certificate, serving

SECRET = "s3cret/+ \"of' the vendor"
OK = b'{"said": "here"}'


def says(status: int, body: bytes = OK, **headers: str) -> Callable[["Scripted"], None]:
    def answer(handler):
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def hangs_up(handler):
    handler.close_connection = True


def breaks_off(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"said"')
    handler.close_connection = True


class Scripted(BaseHTTPRequestHandler):
    """Takes each request whole, and answers with the next step of the script, the last one without end."""

    protocol_version = "HTTP/1.1"
    script: list
    seen: list

    def answer(self):
        body = bytearray()
        for _ in range(int(self.headers.get("Content-Length", 0)) // 65_536 + 1):
            body += self.rfile.read(min(65_536, int(self.headers.get("Content-Length", 0)) - len(body)))
        self.seen.append(
            (self.command, self.path, self.headers, bytes(body), time.monotonic(), self.client_address)
        )
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        step(self)

    def do_GET(self):
        self.answer()

    def do_POST(self):
        self.answer()

    def do_PUT(self):
        self.answer()

    def log_message(self, *_):
        pass


class Vendor:
    """The scripted server, and how long was slept between tries instead of sleeping."""

    def __init__(self, url, handler):
        self.url = url
        self.seen = handler.seen
        self.slept = []

    def http(self, **how) -> VendorHttp:
        return vendor_http(self.url, is_guarded=False, secrets=[SECRET], sleep=self.slept.append, **how)


@pytest.fixture
def vendor():
    @contextmanager
    def of(*script):
        handler = type("Ours", (Scripted,), {"script": list(script), "seen": []})
        with serving(handler) as url:
            yield Vendor(url, handler)

    return of


def said(body: bytes) -> str:
    return json.loads(body)["said"]


def test_a_call_that_may_be_repeated_is_until_it_is_well(vendor):
    with vendor(says(500), hangs_up, breaks_off, says(200, b"<html>"), says(200)) as v:
        http = v.http()
        assert http.get("/job/1", said, params={"a": "b c"}) == "here"
        http.close()
    assert [(method, path) for method, path, *_ in v.seen] == [("GET", "/job/1?a=b+c")] * 5
    assert len(v.slept) == 4
    assert [bound for bound, wait in zip((1, 2, 4, 8), v.slept, strict=True) if wait > bound] == []


def test_after_so_many_tries_it_is_an_error_that_says_to_come_again(vendor):
    with vendor(says(500, b'{"message": "out of order"}')) as v:
        http = v.http(pace=Pace(tries=3))
        with pytest.raises(RetriableError, match="GET /job/1 was answered with 500: out of order"):
            http.get("/job/1", said)
        http.close()
    assert len(v.seen) == 3


@pytest.mark.parametrize(
    ("told", "message"),
    [
        (b'{"errors": [{"code": "a", "message": "no"}, 7, {"message": "nor that"}]}', "no; nor that"),
        (b'{"errors": {}, "error": "no"}', "no"),
        (b'{"errors": []}', r'{"errors": \[\]}'),
        (b'["no"]', r'\["no"\]'),
        (b"<html>no</html>", "422"),
    ],
)
def test_what_a_vendor_says_of_its_refusal_is_quoted_whatever_its_shape(vendor, told, message):
    with vendor(says(422, told)) as v:
        http = v.http()
        with pytest.raises(VendorRefusedError, match=f"{message}$"):
            http.get("/job/1", said)
        http.close()


@pytest.mark.parametrize("status", [429, 503])
def test_the_vendor_says_for_how_long_to_wait_and_is_waited_for(vendor, status):
    with vendor(says(status, Retry_After="7"), says(200)) as v:
        http = v.http()
        assert http.get("/", said) == "here"
        http.close()
    assert v.slept == [7.0]


def test_a_moment_is_understood_as_well(vendor):
    later = format_datetime(utc_now() + timedelta(seconds=20), usegmt=True)
    with vendor(says(429, Retry_After=later), says(200)) as v:
        http = v.http()
        http.get("/", said)
        http.close()
    assert 17 < v.slept[0] <= 20


def test_who_asks_for_more_than_is_waited_here_is_told_to_the_caller(vendor):
    with vendor(says(429, Retry_After="3600")) as v:
        http = v.http()
        with pytest.raises(VendorBusyError) as busy:
            http.get("/", said)
        http.close()
    assert (busy.value.wait_seconds, v.slept, len(v.seen)) == (3600.0, [], 1)


@pytest.mark.parametrize("wait", ["soon", "-1", "", "Wed, 21 Oct 2015 07:28:00 GMT"])
def test_a_wait_that_nobody_understands_or_that_is_over_is_none(vendor, wait):
    with vendor(says(429, Retry_After=wait)) as v:
        http = v.http()
        with pytest.raises(VendorBusyError) as busy:
            http.post_once("/", said, body=JsonBody(b"{}"))
        http.close()
    assert busy.value.wait_seconds == 0


@pytest.mark.parametrize("status", [400, 403, 404, 409, 422])
def test_a_refusal_is_final_and_quotes_the_vendor(vendor, status):
    with vendor(says(status, b'{"error": "no such\\n track"}')) as v:
        http = v.http()
        with pytest.raises(VendorRefusedError, match=f"was answered with {status}: no such track") as refused:
            http.get("/", said)
        http.close()
    assert (refused.value.status, len(v.seen)) == (status, 1)


def test_a_redirect_is_not_followed(vendor):
    with vendor(says(302, b"", Location="http://localhost:1/")) as v:
        http = v.http()
        with pytest.raises(VendorRefusedError, match="leads elsewhere; set the url of the connection"):
            http.get("/", said)
        http.close()


@pytest.mark.parametrize("fault", [hangs_up, breaks_off, says(500), says(502), says(504), says(200, b"<html>")])
def test_a_post_whose_answer_is_lost_or_says_nothing_is_unknown_and_made_once(vendor, fault):
    with vendor(fault, says(200)) as v:
        http = v.http()
        with pytest.raises(OutcomeUnknownError, match="POST /jobs "):
            http.post_once("/jobs", said, body=JsonBody(b'{"a": 1}'))
        http.close()
    assert [body for _, _, _, body, *_ in v.seen] == [b'{"a": 1}']
    assert v.slept == []


def test_a_post_that_reached_nobody_did_not_happen():
    http = vendor_http("http://127.0.0.1:1", is_guarded=False, secrets=[])
    with pytest.raises(RetriableError, match=r"POST /jobs could not be made: .*refused"):
        http.post_once("/jobs", said, body=JsonBody(b"{}"))
    http.close()


def test_a_post_that_the_vendor_did_not_take_did_not_happen(vendor):
    with vendor(says(503, Retry_After="2")) as v:
        http = v.http()
        with pytest.raises(VendorBusyError) as busy:
            http.post_once("/jobs", said, body=JsonBody(b"{}"))
        http.close()
    assert (busy.value.wait_seconds, len(v.seen)) == (2.0, 1)


def test_an_answer_that_comes_too_slowly_is_given_up(vendor):
    left = threading.Event()

    def waits(handler):
        left.wait(10)
        handler.close_connection = True

    with vendor(waits) as v:
        http = v.http(pace=Pace(call_seconds=0.3))
        began = time.monotonic()
        said = r"POST /jobs got no whole answer: the call took longer than the 0\.3 s"
        with pytest.raises(OutcomeUnknownError, match=said):
            http.post_once("/jobs", said, body=JsonBody(b"{}"))
        assert time.monotonic() - began < 5
        left.set()
        http.close()


class Tokens:
    """An authorization whose token is renewed so many times."""

    def __init__(self, renewals):
        self.number, self.renewals = 1, renewals

    def headers(self):
        return {"Authorization": f"Bearer {self.number}"}

    def renew(self):
        self.renewals -= 1
        self.number += 1
        return self.renewals >= 0


def test_a_token_that_ran_out_is_renewed_and_the_call_made_again(vendor):
    with vendor(says(401), says(200)) as v:
        http = v.http().authorized(Tokens(5))
        assert http.post_once("/jobs", said, body=JsonBody(b"{}")) == "here"
        http.close()
    assert [headers["Authorization"] for _, _, headers, *_ in v.seen] == ["Bearer 1", "Bearer 2"]


@pytest.mark.parametrize(("renewals", "calls"), [(5, 2), (0, 1)])
def test_a_new_token_that_is_not_taken_either_is_a_refusal(vendor, renewals, calls):
    with vendor(says(401)) as v:
        http = v.http().authorized(Tokens(renewals))
        with pytest.raises(VendorRefusedError, match=r"401.*set the secrets of the connection anew") as refused:
            http.get("/", said)
        http.close()
    assert (refused.value.status, len(v.seen)) == (401, calls)


def test_no_secret_is_read_in_a_log_or_a_message_however_it_is_spelled(vendor, caplog):
    caplog.set_level(logging.DEBUG, "lading")
    echo = json.dumps({"message": "x" * 480 + f" {SECRET} is wrong, and t0ken"}).encode()
    with vendor(says(400, echo), says(500, SECRET.encode()), says(200)) as v:
        http = v.http()
        http.hide("t0ken")
        with pytest.raises(VendorRefusedError) as refused:
            http.get("/s3cret%2F%2B%20%22of%27%20the%20vendor", said)
        assert http.get("/t0ken", said) == "here"
        http.close()
    told = str(refused.value) + caplog.text
    assert told.count("******") >= 4
    assert [part for part in ("s3cret", "t0ken", "vendor,", "of'") if part in told] == []


def test_each_try_has_an_id_that_goes_to_the_vendor_and_into_the_log(vendor, caplog):
    caplog.set_level(logging.INFO, "lading")
    with vendor(says(500), says(200)) as v:
        http = v.http()
        http.get("/", said)
        http.close()
    first, second = (headers["X-Request-Id"] for _, _, headers, *_ in v.seen)
    assert first != second
    assert first in caplog.text
    assert second in caplog.text


def test_calls_are_never_closer_together_than_the_limit_however_they_are_made(vendor):
    with vendor(says(500), says(200)) as v:
        http = vendor_http(v.url, is_guarded=False, secrets=[])
        paced = http.paced(Pace(interval_seconds=0.15, first_wait_seconds=0.001))
        paced.get("/", said)
        paced.get("/", said)
        paced.authorized(Tokens(0)).post_once("/", said, body=JsonBody(b"{}"))
        http.close()
    times = [at for *_, at, _ in v.seen]
    assert len(times) == 4
    assert min(later - earlier for earlier, later in pairwise(times)) > 0.15


def test_a_connection_is_kept_between_calls(vendor):
    with vendor(says(200)) as v:
        http = v.http()
        for _ in range(3):
            http.get("/", said)
        http.close()
    assert len({address for *_, address in v.seen}) == 1


def test_files_are_sent_as_a_form_or_as_they_are_whole_or_in_pieces_anew_for_each_try(vendor, tmp_path):
    path = tmp_path / "rows.csv"
    path.write_bytes(b"0123456789")
    with vendor(says(500), says(200)) as v:
        http = v.http()
        http.repeatable("POST", "/form", said, body=FileForm("file", path, "my.csv", "text/csv"))
        http.repeatable("PUT", "/whole", said, body=FileBody(path), headers={"Content-Range": "bytes 0-10/10"})
        http.repeatable("PUT", "/piece", said, body=FileBody(path, offset=3, size_bytes=4))
        http.close()
    failed, form, whole, piece = v.seen
    for _, _, headers, body, *_ in (failed, form):
        assert headers["Content-Type"].startswith("multipart/form-data; boundary=")
        assert b'name="file"; filename="my.csv"\r\nContent-Type: text/csv\r\n\r\n0123456789\r\n' in body
    assert (whole[3], whole[2]["Content-Range"], whole[2]["Content-Length"]) == (
        b"0123456789",
        "bytes 0-10/10",
        "10",
    )
    assert (piece[3], piece[2]["Transfer-Encoding"]) == (b"3456", None)


@pytest.mark.parametrize("body", [lambda path: FileForm("file", path, "a.csv"), FileBody])
def test_a_large_file_is_never_whole_in_memory(tmp_path, body):
    path = tmp_path / "large.bin"
    with path.open("wb") as file:
        file.truncate(64 * 2**20)

    class Swallows(Scripted):
        def answer(self):
            left = int(self.headers["Content-Length"])
            while left:
                left -= len(self.rfile.read(min(left, 2**18)))
            says(200)(self)

    with serving(Swallows) as url:
        http = vendor_http(url, is_guarded=False, secrets=[])
        tracemalloc.start()
        try:
            assert http.post_once("/", said, body=body(path)) == "here"
            peak_bytes = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        http.close()
    assert peak_bytes < 8 * 2**20


def test_an_address_of_a_tenant_is_called_through_the_guard(tmp_path):
    class Ours(Scripted):
        script, seen = [says(200)], []

    certificate = Certificate(tmp_path)
    with serving(Ours, certificate) as url:
        for address in (url, url.replace("https", "http")):
            guarded = vendor_http(address, is_guarded=True, secrets=[])
            with pytest.raises(NotAllowedError):
                guarded.post_once("/", said, body=JsonBody(b"{}"))
            guarded.close()
        assert Ours.seen == []
        client = guarded_client(seconds=5, is_allowed=lambda a: a.is_loopback, verify=certificate.trusting())
        http = VendorHttp(url, client, Redaction())
        assert http.get("/", said) == "here"
        http.close()
