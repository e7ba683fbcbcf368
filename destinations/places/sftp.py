"""Files of an SFTP server, whose key must be known beforehand."""

import base64
import binascii
import errno
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, NoReturn, cast

import paramiko
from fsspec.implementations.sftp import SFTPFileSystem
from paramiko.pkey import UnknownKeyType

from destinations.places.driver import CALL_SECONDS
from schemas.errors import FatalError, LadingError, RetriableError
from schemas.place import Address, PlaceOption

_WAITING_READS = 32
"""Requests for blocks that are under way at a time: quick enough over far connections, and flat in memory."""


class _Refuse(paramiko.MissingHostKeyPolicy):
    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> NoReturn:
        del client
        raise FatalError(
            f"the SFTP server {hostname} shows a key that is not known: {key.get_name()} {key.get_base64()}; "
            "where it is the right one, say it in `options: {host_key: ...}` or put it into ~/.ssh/known_hosts"
        )


class _Sftp(SFTPFileSystem):  # type: ignore[misc]
    """fsspec's filesystem, which would take any server for the right one."""

    def _connect(self) -> None:
        told = dict(self.ssh_kwargs)
        host_key = told.pop("host_key", None)
        self.client = paramiko.SSHClient()
        self.client.set_missing_host_key_policy(_Refuse())
        if host_key is None:
            self.client.load_system_host_keys()
        else:
            name = self.host if told["port"] == paramiko.config.SSH_PORT else f"[{self.host}]:{told['port']}"
            key = _public_key(host_key)
            self.client.get_host_keys().add(name, key.get_name(), key)
        try:
            self.client.connect(self.host, **told)
            self.ftp = self.client.open_sftp()
        except BaseException:
            self.client.close()
            raise
        channel = self.ftp.get_channel()
        if channel is not None:
            channel.settimeout(CALL_SECONDS)


class SftpDriver:
    """One session of an SFTP server; a `Driver`."""

    def __init__(self, files: _Sftp) -> None:
        self.files = files
        self.meaning = meaning

    def read(self, path: str) -> BinaryIO:
        """The bytes of the file."""
        remote = self.files.ftp.open(path, "rb")
        remote.prefetch(remote.stat().st_size, _WAITING_READS)
        return cast(BinaryIO, remote)

    def put(self, source: Path, path: str, temporary: str) -> None:
        """Send the file under its temporary name, look whether all of it is there, and rename it."""
        self.files.makedirs(path.rpartition("/")[0] or "/", exist_ok=True)
        self.files.ftp.put(str(source), temporary)
        try:
            self.files.ftp.posix_rename(temporary, path)
        except OSError:
            # The plain rename of the protocol is refused where a file of that name is there: it goes first.
            self._remove(path)
            self.files.ftp.rename(temporary, path)

    def close(self) -> None:
        """Close the session."""
        self.files.client.close()

    def _remove(self, path: str) -> None:
        try:
            self.files.ftp.remove(path)
        except OSError as error:
            if error.errno != errno.ENOENT:
                raise


def open_driver(address: Address, options: Mapping[str, PlaceOption], secrets: Mapping[str, str]) -> SftpDriver:
    """A session that is logged in: by password, by the key in a file, else by the keys of who runs Lading."""
    own_keys = "password" not in secrets and "key_file" not in options
    files = _Sftp(
        address.host,
        port=address.port or paramiko.config.SSH_PORT,
        username=address.user,
        password=secrets.get("password"),
        key_filename=options.get("key_file"),
        passphrase=secrets.get("passphrase"),
        host_key=options.get("host_key"),
        look_for_keys=own_keys,
        allow_agent=own_keys,
        timeout=CALL_SECONDS,
        banner_timeout=CALL_SECONDS,
        auth_timeout=CALL_SECONDS,
        channel_timeout=CALL_SECONDS,
        skip_instance_cache=True,
    )
    return SftpDriver(files)


def meaning(error: Exception) -> type[LadingError] | None:
    """What an error of the session asks of the caller."""
    # A key in a file that wants a passphrase is an AuthenticationException, too.
    if isinstance(error, (paramiko.AuthenticationException, paramiko.BadHostKeyException)):
        return FatalError
    return RetriableError if isinstance(error, paramiko.SSHException) else None


def _public_key(text: str) -> paramiko.PKey:
    kind, _, encoded = text.strip().partition(" ")
    try:
        return paramiko.PKey.from_type_string(kind, base64.b64decode(encoded.split()[0], validate=True))
    except (IndexError, binascii.Error, paramiko.SSHException, UnknownKeyType) as error:
        raise FatalError(
            "the option 'host_key' is no public key such as `ssh-ed25519 AAAA...`; `ssh-keyscan HOST` prints "
            "the server's"
        ) from error
