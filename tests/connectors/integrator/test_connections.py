"""What connections to servers and folders mean, and which can be none."""

from datetime import UTC, datetime

import pytest

from connectors.integrator.connections import connection_problems, root_of
from connectors.integrator.unfit import UnfitError
from connectors.resources import ConnectionView

SERVER = {"type": "sftp", "hostURI": "files.example.org", "username": "me"}


def view(kind="ftp", secrets=None, **block):
    now = datetime.now(UTC)
    document = {"type": kind, "name": "files", kind: block}
    return ConnectionView("0" * 24, kind, document, now, now, secrets or {})


def problems_of(document):
    return [(found.code, found.field) for found in connection_problems(document)]


@pytest.mark.parametrize(
    ("block", "url", "options"),
    [
        ({}, "sftp://me@files.example.org", {}),
        ({"type": "ftp", "port": 2121}, "ftp://me@files.example.org:2121", {}),
        ({"type": "ftps", "hostURI": "10.0.0.7"}, "ftp://me@10.0.0.7", {"tls": True}),
        ({"hostURI": "::1", "port": 22}, "sftp://me@[::1]:22", {}),
        ({"hostKey": "ssh-ed25519 AAAA"}, "sftp://me@files.example.org", {"host_key": "ssh-ed25519 AAAA"}),
    ],
)
def test_a_server_is_where_its_block_says(block, url, options):
    root = root_of(view(**SERVER | block, secrets={"ftp.password": "sealed:x", "other.password": "y"}))
    assert (root.url, root.options, root.secrets) == (url, options, {"password": "sealed:x"})


def test_a_folder_lies_on_this_machine():
    assert root_of(view("filesystem", ping={"directoryPath": "/srv"})).url == ""


@pytest.mark.parametrize(
    ("block", "found"),
    [
        ({"type": None}, ("missing_required_field", "ftp.type")),
        ({"type": "scp"}, ("invalid_field", "ftp.type")),
        ({"hostURI": ""}, ("missing_required_field", "ftp.hostURI")),
        ({"hostURI": "sftp://files.example.org"}, ("invalid_field", "ftp.hostURI")),
        ({"hostURI": "h/../x"}, ("invalid_field", "ftp.hostURI")),
        ({"hostURI": ["h"]}, ("invalid_field", "ftp.hostURI")),
        ({"username": None}, ("missing_required_field", "ftp.username")),
        ({"username": "me@home"}, ("invalid_field", "ftp.username")),
        ({"port": 0}, ("invalid_field", "ftp.port")),
        ({"port": True}, ("invalid_field", "ftp.port")),
        ({"port": "22"}, ("invalid_field", "ftp.port")),
        ({"password": {"a": "b"}}, ("invalid_field", "ftp.password")),
        ({"type": "ftp", "hostKey": "ssh-ed25519 AAAA"}, ("invalid_field", "ftp.hostKey")),
    ],
)
def test_what_can_be_no_server_is_told_with_its_field(block, found):
    assert problems_of({"type": "ftp", "ftp": SERVER | block}) == [found]
    with pytest.raises(UnfitError) as unfit:
        root_of(view(**SERVER | block))
    assert [(problem.code, problem.field) for problem in unfit.value.problems] == [found]


@pytest.mark.parametrize(
    ("document", "found"),
    [
        ({"type": "ftp"}, [("missing_required_field", "ftp")]),
        ({"type": "ftp", "ftp": "x"}, [("invalid_field", "ftp")]),
        ({"type": "filesystem"}, []),
        ({"type": "filesystem", "filesystem": []}, [("invalid_field", "filesystem")]),
        ({"type": "http", "http": 7}, []),
    ],
)
def test_a_block_is_an_object(document, found):
    assert problems_of(document) == found


@pytest.mark.parametrize(
    "block",
    [
        {"authKey": "******"},
        {"useImplicitFtps": True},
        {"requireSocketReUse": True},
        {"userDirectoryIsRoot": True},
        {"pgpEncryptKey": "******"},
        {"enableHostVerification": False},
        {"usePassiveMode": False},
    ],
    ids=lambda block: next(iter(block)),
)
def test_what_is_not_served_can_be_kept_and_is_told_where_it_would_be_used(block):
    (name,) = block
    assert problems_of({"type": "ftp", "ftp": SERVER | block}) == []
    with pytest.raises(UnfitError) as unfit:
        root_of(view(**SERVER | block))
    assert [(problem.code, problem.field) for problem in unfit.value.problems] == [
        ("not_supported", f"ftp.{name}")
    ]


def test_a_connection_is_pinged_with_either_method(integrator):
    for method in ("GET", "POST"):
        answer = integrator.http.request(method, f"/v1/connections/{integrator.database}/ping")
        assert (answer.status_code, answer.json()) == (200, {"code": 200})
