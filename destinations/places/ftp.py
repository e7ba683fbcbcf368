"""Files of an FTP server, in the clear or, with `tls`, on a connection whose certificate is checked."""

import ftplib
import io
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, cast

from fsspec.implementations.ftp import FTPFileSystem

from destinations.places.driver import CALL_SECONDS, READ_BYTES
from schemas.errors import FatalError, LadingError, NoSpaceError, NotFoundError, RetriableError
from schemas.place import Address, PlaceOption

_NO_ROOM = frozenset({"452", "552"})
_NOT_KNOWN = frozenset({"500", "502", "504"})


class _Ftp(FTPFileSystem):  # type: ignore[misc]
    """fsspec's filesystem, which would take any certificate."""

    def _connect(self) -> None:
        told = {"timeout": self.timeout, "encoding": self.encoding}
        secured = ssl.create_default_context() if self.tls else None
        self.ftp = ftplib.FTP(**told) if secured is None else ftplib.FTP_TLS(context=secured, **told)  # noqa: S321
        try:
            self.ftp.connect(self.host, self.port)
            self.ftp.login(*self.cred)
        except BaseException:
            self.ftp.close()
            raise


class FtpDriver:
    """One connection to an FTP server; a `Driver`.

    fsspec would send and fetch a file in parts, each on a connection of its own and with `REST`, which not
    every server allows for writing; here a file is one `STOR` or `RETR`.
    """

    def __init__(self, files: _Ftp) -> None:
        self.files = files
        self.meaning = meaning

    def read(self, path: str) -> BinaryIO:
        """The bytes of the file."""
        return cast(BinaryIO, _Download(self.files.ftp, path))

    def put(self, source: Path, path: str, temporary: str) -> None:
        """Send the file under its temporary name, look whether all of it is there, and rename it."""
        self.files.makedirs(path.rpartition("/")[0] or "/", exist_ok=True)
        with source.open("rb") as stream:
            self.files.ftp.storbinary(f"STOR {temporary}", stream, READ_BYTES)
        self._refuse_cut(source.stat().st_size, temporary)
        try:
            self.files.ftp.rename(temporary, path)
        except ftplib.error_perm:
            # Some servers rename over no file; where that was the reason, it goes first.
            self.files.ftp.delete(path)
            self.files.ftp.rename(temporary, path)

    def close(self) -> None:
        """Close the connection, without waiting for the server to agree."""
        self.files.ftp.close()

    def _refuse_cut(self, size_bytes: int, path: str) -> None:
        try:
            there = self.files.ftp.size(path)
        except ftplib.error_perm as error:
            if _code(error) not in _NOT_KNOWN:
                raise
            return
        if there != size_bytes:
            raise ConnectionError(f"{there} of {size_bytes} bytes arrived")


class _Download(io.RawIOBase):
    """A file on its way; at its end the server says whether that was all."""

    def __init__(self, ftp: ftplib.FTP, path: str) -> None:
        ftp.voidcmd("TYPE I")
        self._ftp = ftp
        self._connection = ftp.transfercmd(f"RETR {path}")
        self._done = False

    def read(self, size: int = -1) -> bytes:
        """The next bytes, `READ_BYTES` at most; none at the end of the file."""
        if self._done:
            return b""
        data = self._connection.recv(min(size, READ_BYTES) if size > 0 else READ_BYTES)
        if not data:
            self._connection.close()
            self._ftp.voidresp()
            self._done = True
        return data

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._connection.close()


def open_driver(address: Address, options: Mapping[str, PlaceOption], secrets: Mapping[str, str]) -> FtpDriver:
    """A connection that is logged in; as `anonymous` where no user is named."""
    files = _Ftp(
        address.host,
        port=address.port or ftplib.FTP_PORT,
        username=address.user,
        password=secrets.get("password"),
        timeout=CALL_SECONDS,
        encoding=options.get("encoding", "utf-8"),
        tls=options.get("tls", False),
        use_listings_cache=False,
        skip_instance_cache=True,
    )
    return FtpDriver(files)


def meaning(error: Exception) -> type[LadingError] | None:
    """What an answer of the server, or of its certificate, asks of the caller."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return FatalError
    if not isinstance(error, ftplib.Error):
        return None
    if _code(error) in _NO_ROOM:
        return NoSpaceError
    if _code(error) == "550":
        return NotFoundError
    refused = isinstance(error, ftplib.error_perm) or _code(error) == "430"
    return FatalError if refused else RetriableError


def _code(error: Exception) -> str:
    return str(error)[:3]
