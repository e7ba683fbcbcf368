import ipaddress
import socket
import ssl
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

import httpx
import pytest

from connectors.outgoing import _Rules, guarded_client, is_public, operators_client
from schemas.errors import FatalError, NotAllowedError
from tests.tasks.https_server import Certificate, serving

NOT_PUBLIC = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "240.0.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "::1",
    "::",
    "fe80::1",
    "fc00::1",
    "ff02::1",
    "::ffff:10.0.0.1",
    "64:ff9b::a00:1",
    "2002:a00:1::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:db8::1",
]


class Answers(BaseHTTPRequestHandler):
    """Says what the path asks for."""

    protocol_version = "HTTP/1.1"
    seen: list

    def do_GET(self):
        type(self).seen.append((self.path, self.headers["Host"], self.client_address))
        if self.path == "/away":
            self.answer(302, b"", ("Location", "http://localhost:1/"))
        elif self.path == "/large":
            self.answer(200, b"x" * 5_000)
        else:
            self.answer(200, b"here")

    def answer(self, status, body, *headers):
        self.send_response(status)
        for name, value in (*headers, ("Content-Length", str(len(body)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def answers():
    return type("Ours", (Answers,), {"seen": []})


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return Certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def here(certificate):
    """A guarded client that takes loopback for the open internet, and trusts the certificate."""
    with guarded_client(
        seconds=5, limit_bytes=1_000, is_allowed=lambda a: a.is_loopback, verify=certificate.trusting()
    ) as client:
        yield client


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_that_is_not_on_the_open_internet_is_not_public(address):
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8"])
def test_an_address_on_the_open_internet_is_public(address):
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "0x7f.1", "2130706433", "[::ffff:127.0.0.1]", "10.0.0.1"]
)
def test_a_guarded_client_connects_to_no_private_address_however_it_is_written(host):
    with guarded_client(seconds=5) as client, pytest.raises(NotAllowedError) as refused:
        client.get(f"https://{host}/")
    assert refused.value.rule == "outgoing.address"


def test_a_name_of_which_one_address_is_private_is_refused():
    rules = _Rules({"https"}, is_public, 5, 1_000, lambda: None)
    assert rules.checked("one.example", ["8.8.8.8", "1.1.1.1"]) == ["8.8.8.8", "1.1.1.1"]
    with pytest.raises(NotAllowedError):
        rules.checked("two-faced.example", ["8.8.8.8", "10.0.0.1"])


def test_a_guarded_client_speaks_https_only():
    with guarded_client(seconds=5) as client, pytest.raises(NotAllowedError) as refused:
        client.get("http://example.org/")
    assert refused.value.rule == "outgoing.scheme"


def test_the_certificate_is_checked_against_the_name_and_the_connection_is_kept(here, answers, certificate):
    with serving(answers, certificate) as url:
        assert [here.get(f"{url}/").text for _ in range(2)] == ["here", "here"]
        with pytest.raises(httpx.NetworkError):
            here.get(url.replace("localhost", "127.0.0.1"))
        (_, host, first), (_, _, second) = answers.seen
    assert url.endswith(host)
    assert first == second


def test_an_authority_that_nobody_knows_is_not_trusted(answers, certificate):
    with (
        serving(answers, certificate) as url,
        guarded_client(seconds=5, is_allowed=lambda _: True) as client,
        pytest.raises(httpx.NetworkError, match=r"(?i)certificate"),
    ):
        client.get(url)
    assert answers.seen == []


def test_a_redirect_is_not_followed_and_where_a_call_asks_for_it_checked_anew(here, answers, certificate):
    with serving(answers, certificate) as url:
        assert here.get(f"{url}/away").status_code == 302
        with pytest.raises(NotAllowedError, match="https"):
            here.get(f"{url}/away", follow_redirects=True)


def test_an_answer_has_a_limit(here, answers, certificate):
    with serving(answers, certificate) as url, pytest.raises(FatalError, match="more than the 1,000 bytes"):
        here.get(f"{url}/large")


@contextmanager
def trickling(piece: bytes):
    """A server that goes on answering, a piece at a time, until nobody listens."""

    def trickle(connection):
        with connection:
            connection.recv(65_536)
            while not done.wait(0.02):
                try:
                    connection.sendall(piece)
                except OSError:
                    return

    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=lambda: trickle(listening.accept()[0]))
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        done.set()
        thread.join()


@pytest.mark.parametrize(
    "piece", [b"H", b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\nx"], ids=["head", "body"]
)
def test_a_server_that_answers_without_end_is_left_in_time(piece):
    with trickling(piece) as url, operators_client(seconds=0.3) as client:
        began = time.monotonic()
        with pytest.raises((httpx.TimeoutException, httpx.NetworkError)):
            client.get(url)
        assert time.monotonic() - began < 5


@pytest.mark.parametrize("piece", [b"", b"HTTP/1.1 200 OK\r\n\r\nx"], ids=["silent", "never done"])
def test_a_call_that_is_not_wanted_any_more_is_left_soon(piece):
    def refuse():
        raise InterruptedError

    with trickling(piece) as url, operators_client(seconds=60, look=refuse) as client:
        began = time.monotonic()
        with pytest.raises(InterruptedError):
            client.get(url)
        assert time.monotonic() - began < 5


@pytest.mark.slow
def test_a_call_that_is_wanted_goes_on_with_a_side_that_is_late_to_take_and_to_answer(here, certificate):
    taken, late_seconds, body = [], 2.5, bytes(20_000_000)

    def take_late():
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.path)
        with context.wrap_socket(listening.accept()[0], server_side=True) as connection:
            time.sleep(late_seconds)
            taken.append(len(connection.recv(65_536).partition(b"\r\n\r\n")[2]))
            while sum(taken) < len(body):
                taken.append(len(connection.recv(1_000_000)))
            time.sleep(late_seconds)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=take_late)
        thread.start()
        url = f"https://localhost:{listening.getsockname()[1]}"
        answer = here.post(url, content=body, timeout=60)
        thread.join()
    assert (answer.text, sum(taken)) == ("ok", len(body))


def test_the_operator_may_call_any_address(answers):
    with serving(answers) as url, operators_client(seconds=5) as client:
        assert client.get(url).text == "here"


def test_what_the_environment_says_of_proxies_counts_for_nothing(answers, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    with serving(answers) as url, operators_client(seconds=5) as client:
        assert client.get(url).status_code == 200


def test_a_name_that_leads_nowhere_is_a_fault_of_the_network():
    with operators_client(seconds=5) as client, pytest.raises(httpx.NetworkError, match=r"nowhere\.invalid"):
        client.get("http://nowhere.invalid/")
