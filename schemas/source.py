"""The key `source` of a definition: from where its files are fetched, and when."""

import re
from typing import ClassVar, Self
from zoneinfo import available_timezones

from pydantic import model_validator

from schemas.cron import refuse_no_cron
from schemas.place import DISK, Place

WEB = frozenset({"https", "http"})
_MARKS = re.compile(r"[*?\[]")


class Source(Place):
    """A file, or a pattern for several, that is fetched when it is asked for, or at set times.

    Attributes:
        url: as of any place, or an `https://` or `http://` address. A path may have the marks `*`, `?`, `[a-z]`
            and, for folders, `**`: all files that match are meant; an address of the web has none.
        cron: when it is fetched: minute, hour, day of the month, month, day of the week; None: never by itself.
        timezone: IANA zone in which `cron` is meant.
    """

    other_schemes: ClassVar[frozenset[str]] = WEB

    cron: str | None = None
    timezone: str = "UTC"

    @property
    def is_web(self) -> bool:
        """True where it is asked for over HTTP."""
        return self.address.scheme in WEB

    @property
    def is_pattern(self) -> bool:
        """True where it may mean several files."""
        return not self.is_web and _MARKS.search(self.address.path) is not None

    @property
    def is_local(self) -> bool:
        """True for files of this machine."""
        return self.address.scheme == DISK

    def covers(self, url: str) -> bool:
        """True where that URL is this source, or may be one of its files: in the same folder, or below."""
        if url == self.url:
            return True
        fixed = _MARKS.split(self.url, maxsplit=1)[0].rpartition("/")[0] + "/"
        return self.is_pattern and url.startswith(fixed) and ".." not in url.split("/")

    def at(self, path: str) -> "Source":
        """The same place, for the one file of this path (as in `Address.path`)."""
        return self.model_copy(update={"url": self.url.removesuffix(self.address.path) + path})

    @model_validator(mode="after")
    def _times_are_known(self) -> Self:
        if self.cron is not None:
            refuse_no_cron(self.cron)
        if self.timezone not in available_timezones():
            raise ValueError(f"there is no time zone {self.timezone!r}; use an IANA name such as Europe/Berlin")
        return self

    @model_validator(mode="after")
    def _host_is_one(self) -> Self:
        if not self.is_local and _MARKS.search(self.address.host):
            raise ValueError("a pattern is for paths; the host has none")
        return self
