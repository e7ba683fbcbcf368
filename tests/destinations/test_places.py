"""Places on a disk and on real servers: what each does alike, and how each says what it can't."""

import socket
import threading

import pytest

from destinations.places import opened_place
from schemas.errors import FatalError, NotFoundError, RetriableError
from schemas.place import Place
from tests.servers.file_servers import FileServer, free_port

KINDS = ("disk", "ftp", "sftp", pytest.param("s3", marks=pytest.mark.slow))
SERVERS = ("ftp", "sftp", pytest.param("s3", marks=pytest.mark.slow))


@pytest.fixture
def server(request, tmp_path):
    if request.param == "disk":
        return FileServer(str(tmp_path / "disk"), folder=tmp_path / "disk")
    return request.getfixturevalue(f"{request.param}_files")


def at(server, path, **more):
    return Place.model_validate(server.place(path, **more))


def put(server, path, content, tmp_path, mark="job"):
    source = tmp_path / "source"
    source.write_bytes(content)
    place = at(server, path)
    with opened_place(place) as opened:
        opened.put(source, place.address.path, mark)


def got(server, path):
    place = at(server, path)
    with opened_place(place) as opened, opened.reading(place.address.path) as stream:
        return stream.read()


@pytest.mark.parametrize("server", KINDS, indirect=True)
def test_a_file_is_there_whole_under_its_name_and_is_written_over(server, tmp_path):
    large = bytes(range(256)) * 80_000  # more than one part of S3
    put(server, "made/for/it/a b.csv", large, tmp_path)
    assert got(server, "made/for/it/a b.csv") == large
    put(server, "made/for/it/a b.csv", b"again", tmp_path)
    assert got(server, "made/for/it/a b.csv") == b"again"
    with opened_place(at(server, "x")) as opened:
        assert [file.name for file in opened.find(at(server, "made/for/it/*").address.path)] == ["a b.csv"]


@pytest.mark.parametrize("server", KINDS, indirect=True)
def test_files_are_found_by_pattern_and_a_new_version_is_told_apart(server, tmp_path):
    for name in ("b.csv", "a.csv", "a.txt"):
        put(server, f"found/{name}", name.encode(), tmp_path)
    pattern = at(server, "found/?.csv").address.path
    with opened_place(at(server, "x")) as opened:
        found = opened.find(pattern)
        assert [(file.path, file.size_bytes) for file in found] == [
            (at(server, "found/a.csv").address.path, 5),
            (at(server, "found/b.csv").address.path, 5),
        ]
        assert [file.path for file in opened.find(found[0].path)] == [found[0].path]
        assert opened.find(at(server, "nowhere/*.csv").address.path) == []
    put(server, "found/a.csv", b"a longer one", tmp_path)
    with opened_place(at(server, "x")) as opened:
        again = opened.find(pattern)
    assert again[0].version != found[0].version
    assert again[1].version == found[1].version != ""


@pytest.mark.parametrize("server", KINDS, indirect=True)
def test_a_file_that_is_not_there_is_not_found(server):
    with pytest.raises(NotFoundError, match=r"reading .*nothing\.csv on .* failed"):
        got(server, "nothing.csv")


@pytest.mark.parametrize("server", KINDS, indirect=True)
def test_what_an_interrupted_put_left_is_cleared_and_nothing_else(server, tmp_path):
    put(server, "left/.x.csv.job.part", b"half", tmp_path)
    put(server, "left/x.csv", b"whole", tmp_path, mark="other")
    with opened_place(at(server, "x")) as opened:
        for _ in range(2):
            opened.clear(at(server, "left/x.csv").address.path, "job")
        found = opened.find(at(server, "left/*").address.path)
        hidden = opened.find(at(server, "left/.*").address.path)
    assert ([file.name for file in found], hidden) == (["x.csv"], [])


@pytest.mark.parametrize("server", SERVERS, indirect=True)
def test_a_wrong_password_is_fatal_and_not_told(server, monkeypatch):
    monkeypatch.setenv("LADING_TEST_WRONG", "geheim-und-falsch")
    secret = "secret" if server.url.startswith("s3") else "password"
    place = at(server, "x.csv", secrets={secret: "env:LADING_TEST_WRONG"})
    with pytest.raises(FatalError) as caught, opened_place(place) as opened:
        opened.find(place.address.path)
    assert type(caught.value) is FatalError
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize("server", SERVERS, indirect=True)
def test_a_variable_that_is_not_set_is_named_before_anything_is_called(server):
    place = at(server, "x.csv", secrets=dict.fromkeys(server.secrets, "env:LADING_TEST_UNSET"))
    with pytest.raises(FatalError, match="LADING_TEST_UNSET, which is not set"), opened_place(place):
        pass


@pytest.mark.parametrize("scheme", ["ftp", "sftp", "s3"])
@pytest.mark.usefixtures("place_password")
def test_a_server_that_is_away_may_be_tried_again(scheme):
    port = free_port()
    place = (
        Place(
            url="s3://bucket/x.csv",
            options={"endpoint_url": f"http://127.0.0.1:{port}", "key": "k"},
            secrets={"secret": "env:LADING_TEST_PLACE_PASSWORD"},
        )
        if scheme == "s3"
        else Place(url=f"{scheme}://u@127.0.0.1:{port}/x.csv", options={})
    )
    with pytest.raises(RetriableError), opened_place(place) as opened:
        opened.find(place.address.path)


def test_an_sftp_server_with_another_key_is_not_trusted(sftp_files):
    unknown = Place.model_validate(sftp_files.place("x.csv") | {"options": {}})
    with pytest.raises(FatalError, match="shows a key that is not known: ssh-ed25519"), opened_place(unknown):
        pass
    other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE/Wgf6OZhNl7WXr5NHvQdqCYMBqCLCSOlX1Nx/jjY/h"
    with pytest.raises(FatalError), opened_place(at(sftp_files, "x.csv", options={"host_key": other})):
        pass
    with (
        pytest.raises(FatalError, match="no public key"),
        opened_place(at(sftp_files, "x.csv", options={"host_key": "ssh-ed25519 nonsense"})),
    ):
        pass


def test_an_ftp_server_that_stops_half_way_is_an_error_and_no_end():
    with socket.create_server(("127.0.0.1", 0)) as control, socket.create_server(("127.0.0.1", 0)) as data:
        port = control.getsockname()[1]
        passive = "227 ok (127,0,0,1,{},{})".format(*divmod(data.getsockname()[1], 256))
        said = {"USER": "230 in", "TYPE": "200 ok", "PASV": passive, "RETR": "150 comes"}

        def half():
            connection, _ = control.accept()
            with connection, connection.makefile("rwb", buffering=0) as lines:
                lines.write(b"220 hello\r\n")
                for line in lines:
                    word = line.split()[0].decode()
                    lines.write(said[word].encode() + b"\r\n")
                    if word == "RETR":
                        with data.accept()[0] as half_way:
                            half_way.sendall(b"a,b\r\n1,")
                        lines.write(b"451 the disk failed\r\n")

        thread = threading.Thread(target=half)
        thread.start()
        place = Place(url=f"ftp://u@127.0.0.1:{port}/x.csv")
        with opened_place(place) as opened, opened.reading("/x.csv") as stream:
            assert stream.read(5) == b"a,b\r\n"
            with pytest.raises(RetriableError, match="the disk failed"):
                stream.read()
        thread.join()
