"""Real servers of files for tests, each over a folder or a bucket of its own."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import aioftp
import asyncssh

USER, PASSWORD = "lading", "of-the-tests"
BUCKET = "lading-tests"
VARIABLE = "LADING_TEST_PLACE_PASSWORD"
"""The environment variable in which the tests keep the password of all servers."""


@dataclass(frozen=True)
class FileServer:
    """A server that is up.

    Attributes:
        url: of its root, without a slash at its end.
        options, secrets: as a place has them; `VARIABLE` must hold `PASSWORD`.
        folder: what it serves; None where its files are nowhere on the disk.
    """

    url: str
    options: dict[str, str | int | bool] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    folder: Path | None = None

    def place(self, path: str, **more: object) -> dict[str, object]:
        """The document of a place at this path, which has no leading slash."""
        return {"url": f"{self.url}/{path}", "options": self.options, "secrets": self.secrets, **more}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def ftp_server(folder: Path, password: str) -> Iterator[FileServer]:
    """An FTP server of aioftp."""
    user = aioftp.User(USER, password, base_path=folder, home_path="/")
    server = aioftp.Server([user])
    with _loop() as run:
        run(server.start("127.0.0.1", 0))
        try:
            url = f"ftp://{USER}@127.0.0.1:{server.server_port}"
            yield FileServer(url, secrets={"password": f"env:{VARIABLE}"}, folder=folder)
        finally:
            run(server.close())


class _Login(asyncssh.SSHServer):
    def __init__(self, password: str) -> None:
        self._password = password

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == (USER, self._password)


@contextmanager
def sftp_server(folder: Path, password: str) -> Iterator[FileServer]:
    """An SFTP server of asyncssh."""
    key = asyncssh.generate_private_key("ssh-ed25519")

    def files(channel: asyncssh.SSHServerChannel) -> asyncssh.SFTPServer:
        return asyncssh.SFTPServer(channel, chroot=os.fsencode(folder))

    async def listen() -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            "127.0.0.1",
            0,
            server_factory=lambda: _Login(password),
            server_host_keys=[key],
            sftp_factory=files,
        )

    with _loop() as run:
        server = run(listen())
        try:
            shown = key.export_public_key().decode().split()
            yield FileServer(
                f"sftp://{USER}@127.0.0.1:{server.get_port()}",
                {"host_key": " ".join(shown[:2])},
                {"password": f"env:{VARIABLE}"},
                folder,
            )
        finally:
            server.close()
            run(server.wait_closed())


@contextmanager
def s3_server(folder: Path, password: str) -> Iterator[FileServer]:
    """SeaweedFS, a store that speaks S3 and looks at signatures; its one bucket is `BUCKET`."""
    known = {"accessKey": USER, "secretKey": password}
    identities = [{"name": USER, "credentials": [known], "actions": ["Admin", "Read", "Write", "List"]}]
    (folder / "s3.json").write_text(json.dumps({"identities": identities}))
    port = free_port()
    ports = {name: _port_pair() for name in ("master", "volume", "filer")}
    told = [f"-{name}.port={first}" for name, first in ports.items()]
    told += [f"-{name}.port.grpc={first + 1}" for name, first in ports.items()]
    command = [
        str(Path(sys.executable).with_name("weed")),
        *("-logtostderr", "server", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", *told),
        *("-s3", f"-s3.port={port}", f"-s3.port.grpc={free_port()}", "-s3.port.iceberg=0", "-s3.port.lance=0"),
        f"-s3.config={folder / 's3.json'}",
        *("-volume.max=20", "-master.volumeSizeLimitMB=64", "-master.telemetry=false"),
    ]
    with (folder / "weed.log").open("wb") as log, ExitStack() as stack:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
        stack.callback(process.wait)
        stack.callback(process.kill)
        url = f"http://127.0.0.1:{port}"
        _await_answer(process, url, folder / "weed.log")
        options: dict[str, str | int | bool] = {"endpoint_url": url, "region": "us-east-1", "key": USER}
        server = FileServer(f"s3://{BUCKET}", options, {"secret": f"env:{VARIABLE}"})
        _make_bucket(url, password)
        yield server


def _make_bucket(url: str, password: str) -> None:
    import s3fs  # noqa: PLC0415

    files = s3fs.S3FileSystem(key=USER, secret=password, endpoint_url=url, skip_instance_cache=True)
    deadline = time.monotonic() + 30
    while True:
        try:
            files.mkdir(BUCKET)
            files.pipe_file(f"{BUCKET}/first", b"there is room")
            files.rm_file(f"{BUCKET}/first")
        except OSError:
            # It answers before it has a volume to write to.
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            break
    files.close_session(files.loop, files.s3)


def _await_answer(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except urllib.error.HTTPError as answer:
            answer.close()
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"SeaweedFS does not answer: {log.read_text()[-2000:]}")


def _port_pair() -> int:
    """A free port after which another free one follows."""
    while True:
        first = free_port()
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", first + 1))
            return first


@contextmanager
def _loop() -> Iterator[object]:
    """A loop in a thread of its own; what is given runs a coroutine there, and waits for it."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield lambda coroutine: asyncio.run_coroutine_threadsafe(coroutine, loop).result(30)
    finally:
        asyncio.run_coroutine_threadsafe(_end_all(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
        loop.close()


async def _end_all() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
