"""How the clients of vendors speak HTTP: what every call keeps to, and what may be repeated.

A connection is kept between calls; a call has an end in time, its answer one in size. What is said of a call,
in the log and in errors, holds no secret. Each try has an id of its own, which goes to the vendor as
`X-Request-Id`.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Protocol, TypeVar
from uuid import uuid4

import httpx
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

from connectors.outgoing import guarded_client, operators_client
from connectors.redaction import Redaction
from connectors.vendor_answer import Answer
from connectors.vendor_body import Body, FileBody, FileForm, opened
from schemas.errors import (
    FatalError,
    NotAllowedError,
    OutcomeUnknownError,
    RetriableError,
    VendorBusyError,
    VendorRefusedError,
)

T = TypeVar("T")
LOGGER = logging.getLogger("lading.vendors")
ANSWER_BYTES = 64 * 2**20
"""TeamTracks tells the id of each of a million created objects in 39 MB."""
REQUEST_ID_HEADER = "X-Request-Id"


class Authorization(Protocol):
    """How a client shows who it is."""

    def headers(self) -> Mapping[str, str]:
        """Those that go with every call."""
        ...

    def renew(self) -> bool:
        """Called after a 401: True where the headers are others now, so that the call is made again."""
        ...


@dataclass(frozen=True)
class FixedHeaders:
    """Shows a token or key that is good until somebody withdraws it: there is nothing to get another with."""

    shown: Mapping[str, str]

    def headers(self) -> Mapping[str, str]:
        """Always the same."""
        return self.shown

    def renew(self) -> bool:
        """False."""
        return False


@dataclass(frozen=True)
class Pace:
    """How often a vendor is called, and how long a call may take.

    Attributes:
        interval_seconds: between the answer to one call and the beginning of the next, at least.
        tries: of a call that may be repeated.
        first_wait_seconds: before the second try at most; doubled before each further one, with jitter.
        most_wait_seconds: between two tries; a vendor that asks for more is not waited for here.
        call_seconds: from looking up the name to the last byte of the answer.
        file_seconds: the same for a call that sends a file.
    """

    interval_seconds: float = 0.0
    tries: int = 5
    first_wait_seconds: float = 1.0
    most_wait_seconds: float = 30.0
    call_seconds: float = 30.0
    file_seconds: float = 360.0


class _Turns:
    """Keeps calls apart, as the vendor sees them: from the answer to one to the beginning of the next."""

    def __init__(self) -> None:
        self._ended_at = float("-inf")

    @contextmanager
    def taken(self, interval_seconds: float, sleep: Callable[[float], None]) -> Iterator[None]:
        """A block for one call, entered when it may begin."""
        while (left := self._ended_at + interval_seconds - time.monotonic()) > 0:
            sleep(left)
        try:
            yield
        finally:
            self._ended_at = time.monotonic()


@dataclass(frozen=True)
class VendorHttp:
    """The API at one address, for one client, which makes its calls one after the other.

    Attributes:
        url: that paths are appended to; without a slash at its end.

    Raises, of every call:
        RetriableError: nothing happened, or what happened does no harm when it happens again.
        VendorBusyError: likewise; the vendor takes nothing for now, and may have said for how long.
        VendorRefusedError: the vendor says no; nothing happened.
        NotAllowedError: the address is one that may not be called.
    """

    url: str
    _client: httpx.Client
    _redaction: Redaction
    _pace: Pace = Pace()
    _authorization: Authorization | None = None
    _sleep: Callable[[float], None] = time.sleep
    _turns: _Turns = field(default_factory=_Turns)

    def authorized(self, authorization: Authorization) -> "VendorHttp":
        """The same API, called by whoever shows this."""
        return replace(self, _authorization=authorization)

    def paced(self, pace: Pace) -> "VendorHttp":
        """The same API, called so often; turns are those of the one that this was made from."""
        return replace(self, _pace=pace)

    def hide(self, secret: str) -> None:
        """Let this be read in no message and no log from now on."""
        self._redaction.hide(secret)

    def said(self, text: str) -> str:
        """The text without secrets."""
        return self._redaction(text)

    def get(self, path: str, decode: Callable[[bytes], T], *, params: Mapping[str, str] | None = None) -> T:
        """What the answer says, once there is one that can be read.

        Args:
            decode: of a body; a `ValueError` means that it can't be read.
        """
        return self.repeatable("GET", path, decode, params=params)

    def repeatable(
        self,
        method: str,
        path: str,
        decode: Callable[[bytes], T],
        *,
        body: Body | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> T:
        """The same for any call that may happen twice: it is repeated after faults, with growing waits."""
        call = _Call(method, path, body, params or {}, headers or {})
        tries = Retrying(
            sleep=self._sleep,
            stop=self._is_over,
            wait=self._wait_seconds,
            retry=retry_if_exception_type((RetriableError, OutcomeUnknownError)),
            before_sleep=self._log_repeat,
            reraise=True,
        )
        try:
            result: T = tries(self._once, call, decode)
        except OutcomeUnknownError as error:
            raise RetriableError(str(error)) from error
        return result

    def post_once(
        self,
        path: str,
        decode: Callable[[bytes], T],
        *,
        body: Body,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> T:
        """The same for a POST that must not happen twice: it is made once.

        Raises:
            OutcomeUnknownError: it was sent, and no answer came that says what became of it.
        """
        try:
            return self._once(_Call("POST", path, body, params or {}, headers or {}), decode)
        except (NotAllowedError, VendorRefusedError):
            raise
        except FatalError as error:
            raise OutcomeUnknownError(str(error)) from error

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _once(self, call: "_Call", decode: Callable[[bytes], T]) -> T:
        answer = self._answer(call)
        authorization = self._authorization
        if answer.status == HTTPStatus.UNAUTHORIZED and authorization is not None and authorization.renew():
            answer = self._answer(call)
        if not answer.is_success:
            raise answer.fault(self._redaction)
        try:
            return decode(answer.body)
        except ValueError as error:
            message = self.said(f"{call.what} was answered with {answer.status} and a body that can't be read")
            raise OutcomeUnknownError(message) from error

    def _answer(self, call: "_Call") -> Answer:
        """What came back, whatever it says."""
        request_id = str(uuid4())
        try:
            with self._turns.taken(self._pace.interval_seconds, self._sleep):
                answer = self._sent(call, request_id)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise RetriableError(self._fault(call, request_id, "could not be made", error)) from error
        except UnicodeEncodeError:
            message = (
                f"{call.what} could not be made: a secret or option has a character that no header can hold"
            )
            raise FatalError(message) from None  # the cause holds the secret
        except httpx.TransportError as error:
            raise OutcomeUnknownError(self._fault(call, request_id, "got no whole answer", error)) from error
        LOGGER.info(self.said(f"{call.what} was answered with {answer.status} (request {request_id})"))
        return answer

    def _sent(self, call: "_Call", request_id: str) -> Answer:
        own = {} if self._authorization is None else self._authorization.headers()
        with opened(call.body) as (content, content_headers):
            response = self._client.request(
                call.method,
                self.url + call.path,
                params=call.params or None,
                headers={**content_headers, **own, **call.headers, REQUEST_ID_HEADER: request_id},
                timeout=self._pace.file_seconds if call.sends_file else self._pace.call_seconds,
                **content,
            )
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(call.what, response.status_code, headers, response.content)

    def _fault(self, call: "_Call", request_id: str, what: str, error: Exception) -> str:
        message = self.said(f"{call.what} {what}: {error} (request {request_id})")
        LOGGER.warning(message)
        return message

    def _is_over(self, state: RetryCallState) -> bool:
        return stop_after_attempt(self._pace.tries)(state) or _asked(state) > self._pace.most_wait_seconds

    def _wait_seconds(self, state: RetryCallState) -> float:
        growing = wait_random_exponential(self._pace.first_wait_seconds, self._pace.most_wait_seconds)
        return max(growing(state), _asked(state))

    def _log_repeat(self, state: RetryCallState) -> None:
        wait = 0.0 if state.next_action is None else state.next_action.sleep
        LOGGER.warning("repeated in %.1f s, try %d", wait, state.attempt_number + 1)


def vendor_http(
    url: str,
    *,
    is_guarded: bool,
    secrets: Iterable[str],
    pace: Pace | None = None,
    sleep: Callable[[float], None] = time.sleep,
    look: Callable[[], None] = lambda: None,
) -> VendorHttp:
    """The API at this address.

    Args:
        is_guarded: a tenant chose the address, which must be on the open internet and https.
        secrets: that must be read in no message and no log.
        sleep: waits between tries; may raise what is to end them.
        look: called now and then amid a call; may raise what is to end it.
    """
    make = guarded_client if is_guarded else operators_client
    pace = pace or Pace()
    client = make(seconds=pace.call_seconds, limit_bytes=ANSWER_BYTES, look=look)
    return VendorHttp(url.rstrip("/"), client, Redaction(secrets), pace, _sleep=sleep)


@dataclass(frozen=True)
class _Call:
    method: str
    path: str
    body: Body | None
    params: Mapping[str, str]
    headers: Mapping[str, str]

    @property
    def what(self) -> str:
        """For people; without the query, which may hold addresses of mail."""
        return f"{self.method} {self.path}"

    @property
    def sends_file(self) -> bool:
        return isinstance(self.body, FileForm | FileBody)


def _asked(state: RetryCallState) -> float:
    """For how many seconds the vendor asked us to wait."""
    error = None if state.outcome is None else state.outcome.exception()
    return error.wait_seconds if isinstance(error, VendorBusyError) else 0.0
