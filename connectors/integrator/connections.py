"""What a connection to a server or a folder means: where its files lie, and how one comes in there.

Fields of the block `ftp` as the vendor's schemas have them (https://github.com/celigo/ai, read 2026-11-28);
`hostKey` is Lading's own, because a server that could be any is sent nothing.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.integrator.unfit import UnfitError, invalid, missing, unsupported
from connectors.integrator.wire import ApiError
from connectors.resources import ConnectionView, Document
from schemas.place import PlaceOption

FTP, FILE_SYSTEM = "ftp", "filesystem"
_SCHEMES: Mapping[str, tuple[str, Mapping[str, PlaceOption]]] = {
    "ftp": ("ftp", {}),
    "ftps": ("ftp", {"tls": True}),
    "sftp": ("sftp", {}),
}
"""The protocol, as documents say it → the scheme of our URLs, and its options."""

_HOST = re.compile(r"[A-Za-z0-9.-]+|\[?[0-9A-Fa-f:.]+\]?")
_USER = re.compile(r"[^@:/\s]+")
_HIGHEST_PORT = 65_535
_UNSERVED: Mapping[str, str] = {
    "authKey": "keys in documents are not served; say a password, or use those in ~/.ssh where Lading runs",
    "useImplicitFtps": "implicit TLS is not served; explicit TLS is",
    "requireSocketReUse": "data connections that take up a TLS session are not served",
    "userDirectoryIsRoot": "paths from the user's own folder are not served; directoryPath is the whole path",
    **dict.fromkeys(("pgpEncryptKey", "pgpDecryptKey"), "files are not encrypted"),
}


@dataclass(frozen=True)
class Root:
    """Where the paths of a connection begin.

    Attributes:
        url: without a path; empty for this machine.
        secrets: as they are kept: references, or sealed for the tenant.
    """

    url: str = ""
    options: Mapping[str, PlaceOption] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)


def connection_problems(document: Document) -> Iterator[ApiError]:
    """All that keeps a document from being a connection to a server or a folder; nothing for other types."""
    kind = document.get("type")
    if kind not in (FTP, FILE_SYSTEM):
        return
    block = document.get(kind)
    if block is None and kind == FTP:
        yield missing(FTP)
    elif block is not None and not isinstance(block, Mapping):
        yield invalid(kind, f"{kind} is an object")
    elif kind == FTP and block is not None:
        yield from _server_problems(block)


def root_of(connection: ConnectionView) -> Root:
    """Where the connection leads.

    Raises:
        UnfitError: it leads nowhere that is served.
    """
    block = connection.document.get(FTP)
    if connection.type == FILE_SYSTEM:
        return Root()
    if not isinstance(block, Mapping):
        raise UnfitError(missing(FTP))
    if problems := (*_server_problems(block), *_unserved(block)):
        raise UnfitError(*problems)
    scheme, options = _SCHEMES[block["type"]]
    told = {"host_key": block["hostKey"]} if block.get("hostKey") else {}
    port = f":{block['port']}" if block.get("port") else ""
    password = connection.secrets.get(f"{FTP}.password")
    return Root(
        f"{scheme}://{block['username']}@{_host(block['hostURI'])}{port}",
        {**options, **told},
        {} if password is None else {"password": password},
    )


def _server_problems(block: Mapping[str, Any]) -> Iterator[ApiError]:
    for name in ("type", "hostURI", "username"):
        if block.get(name) is None or block[name] == "":
            yield missing(f"{FTP}.{name}")
        elif not isinstance(block[name], str):
            yield invalid(f"{FTP}.{name}", f"{name} is a text")
    if block.get("password") is not None and not isinstance(block["password"], str):
        yield invalid(f"{FTP}.password", "password is a text")
    kind, host, user, port = (block.get(name) for name in ("type", "hostURI", "username", "port"))
    if isinstance(kind, str) and kind and kind not in _SCHEMES:
        yield invalid(f"{FTP}.type", f"type is one of {', '.join(_SCHEMES)}")
    if isinstance(host, str) and host and not _HOST.fullmatch(host):
        yield invalid(f"{FTP}.hostURI", "hostURI is the name of a server or its IP address, and no more")
    if isinstance(user, str) and user and not _USER.fullmatch(user):
        yield invalid(f"{FTP}.username", "a username with '@', ':', '/' or white space in it is not served")
    is_port = isinstance(port, int) and not isinstance(port, bool) and 0 < port <= _HIGHEST_PORT
    if port is not None and not is_port:
        yield invalid(f"{FTP}.port", f"port is a whole number, 1 to {_HIGHEST_PORT}")
    if (key := block.get("hostKey")) is not None and not (isinstance(key, str) and kind == "sftp"):
        yield invalid(
            f"{FTP}.hostKey", "hostKey is the public key of an sftp server, such as ssh-ed25519 AAAA..."
        )


def _unserved(block: Mapping[str, Any]) -> Iterator[ApiError]:
    for name, message in _UNSERVED.items():
        if block.get(name):
            yield unsupported(f"{FTP}.{name}", message)
    if block.get("enableHostVerification") is False:
        yield unsupported(f"{FTP}.enableHostVerification", "a server that could be any is sent nothing")
    if block.get("usePassiveMode") is False:
        yield unsupported(f"{FTP}.usePassiveMode", "active mode is not served")


def _host(name: str) -> str:
    """The host as it stands in a URL: an IPv6 address in brackets."""
    return f"[{name.strip('[]')}]" if ":" in name else name
