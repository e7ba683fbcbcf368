"""What an FTP server hears of a client that was told `tls`: login and files come encrypted, or not at all."""

import socket
import ssl
import threading
from contextlib import contextmanager

import pytest

from destinations.places import opened_place
from schemas.errors import FatalError
from schemas.place import Place
from tests.tasks.https_server import Certificate

ANSWERS = {"USER": b"331 and the password", "QUIT": b"221 bye"}


@pytest.fixture
def certificate(tmp_path):
    return Certificate(tmp_path)


@contextmanager
def scripted_ftp_server(certificate):
    """Says yes to one client; gives its port, and each command with whether it came encrypted."""
    heard = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.path)

    def serve():
        connection, _ = listening.accept()
        connection.sendall(b"220 scripted\r\n")
        try:
            while line := connection.recv(1_000):
                word = line.split()[0].decode()
                heard.append((line.decode().strip(), isinstance(connection, ssl.SSLSocket)))
                connection.sendall(ANSWERS.get(word, b"200 yes") + b"\r\n")
                if word == "AUTH":
                    connection = context.wrap_socket(connection, server_side=True)
        except OSError:
            pass  # the client does not trust us, or has gone
        finally:
            connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve)
        thread.start()
        yield listening.getsockname()[1], heard
        thread.join(30)


def place_at(port, monkeypatch):
    monkeypatch.setenv("LADING_TEST_FTP", "geheim")
    return Place(
        url=f"ftp://me@localhost:{port}/out/x.csv",
        options={"tls": True},
        secrets={"password": "env:LADING_TEST_FTP"},
    )


def test_login_and_files_are_encrypted(certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.path))
    with (
        scripted_ftp_server(certificate) as (port, heard),
        opened_place(place_at(port, monkeypatch)),
    ):
        pass
    assert heard[0] == ("AUTH TLS", False)
    assert heard[1:] == [
        ("USER me", True),
        ("PASS geheim", True),
        ("PBSZ 0", True),
        ("PROT P", True),
    ]


def test_a_certificate_that_nobody_vouches_for_is_refused_before_the_login(certificate, monkeypatch):
    with (
        scripted_ftp_server(certificate) as (port, heard),
        pytest.raises(FatalError, match="certificate"),
        opened_place(place_at(port, monkeypatch)),
    ):
        pass
    assert heard == [("AUTH TLS", False)]
