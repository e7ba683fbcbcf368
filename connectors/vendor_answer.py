"""What an answer of a vendor means for whoever made the call."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from schemas.clock import utc_now
from schemas.errors import LadingError, OutcomeUnknownError, VendorBusyError, VendorRefusedError

MOST_SAID_CHARS = 500
_MOST_READ_BYTES = 64 * 1024
_LATER = frozenset({HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
_FIXES: Mapping[int, str] = {
    HTTPStatus.UNAUTHORIZED: "; set the secrets of the connection anew",
    HTTPStatus.FORBIDDEN: "; look at the secrets of the connection, and at what the vendor lets them do",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "; the file is larger than the vendor takes",
}


@dataclass(frozen=True)
class Answer:
    """An answer that came whole.

    Attributes:
        what: the call, for people: method and path.
        headers: names in small letters.
    """

    what: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_success(self) -> bool:
        """True for 200 to 299."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    def fault(self, masked: Callable[[str], str]) -> LadingError:
        """What an answer that is no success is told as, sorted by what the caller should do.

        Args:
            masked: gives a text without the secrets in it.
        """
        came = f"{masked(self.what)} was answered with {self.status}{_quoted(self.body, masked)}"
        if self.status in _LATER:
            return VendorBusyError(came, wait_seconds=retry_after_seconds(self.headers))
        if HTTPStatus.MULTIPLE_CHOICES <= self.status < HTTPStatus.BAD_REQUEST:
            message = f"{came}, which leads elsewhere; set the url of the connection to where the API itself is"
            return VendorRefusedError(message, status=self.status)
        if self.status < HTTPStatus.INTERNAL_SERVER_ERROR:
            return VendorRefusedError(came + _FIXES.get(self.status, ""), status=self.status)
        return OutcomeUnknownError(f"{came}; whether it took effect is not known")


def retry_after_seconds(headers: Mapping[str, str]) -> float:
    """What `Retry-After` says, in seconds or as a moment; 0 where it says nothing or is past."""
    said = headers.get("retry-after", "").strip()
    if said.isascii() and said.isdecimal():
        return float(said)
    try:
        moment = parsedate_to_datetime(said)
    except ValueError:
        return 0.0
    return max(0.0, (_aware(moment) - utc_now()).total_seconds())


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _quoted(body: bytes, masked: Callable[[str], str]) -> str:
    """What the vendor said in a body of whatever kind; empty where it said nothing for people."""
    text = body[:_MOST_READ_BYTES].decode("utf-8", "replace").strip()
    try:
        found = json.loads(body)
    except ValueError:
        said = "" if text.startswith("<") else text
    else:
        said = _message(found) or text
    # First masked, then cut: half a secret would be known by nobody as one.
    said = " ".join(masked(said).split())
    return f": {said[:MOST_SAID_CHARS]}" if said else ""


def _message(found: object) -> str:
    """The sentence in an object that tells an error or several, in the words that vendors have for its key."""
    if not isinstance(found, Mapping):
        return ""
    errors = found.get("errors")
    several = errors if isinstance(errors, list) else ()
    said = [_sentence(error) for error in several if isinstance(error, Mapping)]
    return "; ".join(filter(None, said)) or _sentence(found)


def _sentence(found: Mapping[str, object]) -> str:
    texts = (found.get(key) for key in ("message", "error", "detail", "title"))
    return next((text for text in texts if isinstance(text, str)), "")
