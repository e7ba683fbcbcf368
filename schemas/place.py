"""Where a file lies, on whatever filesystem: how a definition names it."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Annotated, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.patterns import PASSWORD_IN_URL, REFERENCE_PATTERN
from schemas.webhook import REFERENCE, SEALED

PlaceOption = str | int | bool
DISK = "file"
_PLAIN_TEXT = r"^[^\x00-\x1f\x7f]{1,4000}$"
_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<host>[^/]*)(?P<path>.*)", re.DOTALL)
_HOST = re.compile(r"(?:(?P<user>[^@:]+)@)?(?P<host>[^@:\[\]]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>\d{1,5}))?")


@dataclass(frozen=True)
class PlaceKeys:
    """What the places of one scheme may be told.

    Attributes:
        options: each with the type of its value.
        secrets: what is named, and never written into a definition.
    """

    options: Mapping[str, type[PlaceOption]]
    secrets: frozenset[str] = frozenset()


PLACE_KEYS: Mapping[str, PlaceKeys] = MappingProxyType(
    {
        DISK: PlaceKeys({}),
        "ftp": PlaceKeys({"tls": bool, "encoding": str}, frozenset({"password"})),
        "sftp": PlaceKeys({"host_key": str, "key_file": str}, frozenset({"password", "passphrase"})),
        "s3": PlaceKeys(
            {"endpoint_url": str, "region": str, "key": str, "anonymous": bool},
            frozenset({"key", "secret", "token"}),
        ),
    }
)
"""Scheme → the keys of its places. `file` is a path of this machine, written with or without the scheme."""


@dataclass(frozen=True)
class Address:
    """A URL of a place, taken apart.

    Attributes:
        host: of `s3`, the bucket; empty for a file of this machine.
        path: from the root of the place, with its leading slash; of `s3`, the key below the bucket.
    """

    scheme: str
    host: str
    user: str | None
    port: int | None
    path: str

    @property
    def shown(self) -> str:
        """The place without its path, for messages."""
        return "this machine" if self.scheme == DISK else f"{self.scheme}://{self.host}"


def address_of(url: str) -> Address:
    """The parts of the URL of a place, or of a path of this machine.

    Raises:
        ValueError: it is neither.
    """
    found = _URL.fullmatch(url)
    if found is None:
        return Address(DISK, "", None, None, url)
    scheme, host, path = found["scheme"].lower(), found["host"], found["path"]
    if scheme == DISK:
        if host not in {"", "localhost"}:
            raise ValueError("a file of this machine is file:///folder/name, with three slashes, or a path")
        return Address(DISK, "", None, None, path)
    parts = _HOST.fullmatch(host)
    if parts is None or len(path) < 2:
        raise ValueError(f"the URL is none of the form {scheme}://host/folder/name")
    port = int(parts["port"]) if parts["port"] else None
    return Address(scheme, parts["host"].strip("[]"), parts["user"], port, path)


class Place(BaseModel):
    """A file, or files, on this machine, an FTP or SFTP server or in a store that speaks S3.

    Attributes:
        url: a path, `file:///folder/name`, `ftp://user@host/folder/name`, `sftp://user@host/folder/name` or
            `s3://bucket/folder/name`.
        options: what the place needs to know beside: of `ftp` `tls`, `encoding`; of `sftp` `host_key`,
            `key_file`; of `s3` `endpoint_url`, `region`, `key`, `anonymous`.
        secrets: what nobody should see, as `env:NAME`, an environment variable of whoever opens the place; the
            secret itself, which is kept sealed; or the mask, for the one that is kept: of `ftp` `password`; of
            `sftp` `password`, `passphrase`; of `s3` `key`, `secret`, `token`.
    """

    # An input may hold what nobody should see: a password in a URL.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    other_schemes: ClassVar[frozenset[str]] = frozenset()
    """What a subclass takes beside, and looks into itself."""

    url: Annotated[str, Field(min_length=1, max_length=2_000)]
    options: dict[str, PlaceOption] = {}
    secrets: Annotated[dict[str, Annotated[str, Field(pattern=_PLAIN_TEXT)]], Field(repr=False)] = {}

    @property
    def address(self) -> Address:
        """The parts of the URL."""
        return address_of(self.url)

    @property
    def are_secrets_kept_safely(self) -> bool:
        """False while one can be read here, or is only a mask: such a place is not stored."""
        return all(secret.startswith((REFERENCE, SEALED)) for secret in self.secrets.values())

    @model_validator(mode="after")
    def _holds_no_secret(self) -> Self:
        if PASSWORD_IN_URL.match(self.url):
            raise ValueError(
                "the URL has a password in it; take it out, put it into an environment variable and name that: "
                "`secrets: {password: env:NAME}`"
            )
        return self

    @model_validator(mode="after")
    def _scheme_is_known(self) -> Self:
        scheme = self.address.scheme
        if scheme == "ftps":
            raise ValueError("FTP with TLS is ftp://host/folder/name with `options: {tls: true}`")
        if scheme not in {*PLACE_KEYS, *self.other_schemes}:
            known = ", ".join(f"{name}://" for name in sorted({*PLACE_KEYS, *self.other_schemes}))
            raise ValueError(f"there are no places of the kind {scheme}://; known are a path, {known}")
        if scheme == DISK:
            self._refuse_folder_above()
        return self

    @model_validator(mode="after")
    def _keys_are_known(self) -> Self:
        keys = PLACE_KEYS.get(self.address.scheme, PlaceKeys({}))
        for name, value in self.options.items():
            if name in keys.secrets - keys.options.keys():
                raise ValueError(f"{name!r} is a secret: `secrets: {{{name}: env:NAME}}`, not an option")
            self._refuse_unknown("option", name, keys.options.keys())
            if type(value) is not keys.options[name]:
                wanted = "true or false" if keys.options[name] is bool else "a text"
                raise ValueError(f"the option {name!r} is {wanted}, not {value!r}")
        for name, secret in self.secrets.items():
            self._refuse_unknown("secret", name, keys.secrets)
            if secret.startswith(REFERENCE) and not re.fullmatch(REFERENCE_PATTERN, secret):
                raise ValueError(
                    f"the secret {name!r} is no reference such as env:NAME, an environment variable"
                )
            if name in self.options:
                raise ValueError(f"{name!r} stands among the options and among the secrets")
        return self

    def _refuse_unknown(self, what: str, name: str, known: Collection[str]) -> None:
        if name not in known:
            names = ", ".join(sorted(known)) or "none"
            raise ValueError(f"a place of {self.address.scheme}:// has no {what} {name!r}; known: {names}")

    def _refuse_folder_above(self) -> None:
        if ".." in PurePosixPath(self.address.path).parts:
            raise ValueError("the path has a '..' in it; write out where it leads")
        if "\0" in self.address.path:
            raise ValueError("the path has a NUL in it, which no name of a file may hold")
