"""One webhook of one job: what it is told next, when it is tried again, and when it is given up."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import SystemRandom
from urllib.parse import urlsplit

import httpx
import polars as pl

from schemas.chunk import Page
from schemas.clock import utc_now
from schemas.definition import Definition
from schemas.errors import FatalError, NotAllowedError, RetriableError
from schemas.secret_key import Seal
from schemas.webhook import Webhook
from schemas.webhook_secrets import opened_key
from store.database import Store
from store.event_cursors import put_event_cursor
from store.face_tables import EventCursor
from tasks.record_events import (
    EVENT_OF_LETTER,
    RecordTold,
    message_body,
    message_id,
    signed_headers,
    told_records,
)

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 300.0
LONGEST_ASKED_SECONDS = 3_600.0
"""A receiver that asks for a longer pause is tried again all the same."""
SAVE_EVENTS, SAVE_SECONDS = 20, 1.0
"""After so many events, or so much time, it is written down how far we are."""
_CHANCE = SystemRandom()
_GONE = 410


@dataclass(frozen=True)
class Receiving:
    """What all webhooks of a job share.

    Attributes:
        give_up_seconds: one that failed for so long is given up.
        seal: opens the secrets of whoever's definition it is.
        look: called now and then; what it raises is to stop the work.
    """

    store: Store
    epoch: int
    definition: Definition
    give_up_seconds: float
    seal: Callable[[], Seal]
    look: Callable[[], None]


@dataclass(frozen=True)
class _Failure:
    """Why an event was not taken.

    Attributes:
        pause_seconds: that the receiver asked for.
    """

    reason: str
    is_final: bool = False
    pause_seconds: float = 0.0


class Receiver:
    """One webhook of one job.

    Attributes:
        cursor: how far it was told; its `state` has `failures`, `failing_since` and `next_at` while it fails,
            `gave_up`, the reason, when it is told no more, and `warned`, how many were said to be given up.
    """

    def __init__(self, receiving: Receiving, hook: Webhook, cursor: EventCursor, client: httpx.Client) -> None:
        self.cursor = cursor
        self._receiving = receiving
        self._hook = hook
        self._client = client
        self._saved_at = 0.0
        self._unsaved = 0

    def tell(self, page: Page, frame: pl.DataFrame) -> None:
        """Tell of the records of this chunk that it was not told of.

        Raises:
            RetriableError: it does not take one now.
        """
        if not self._goes_on_at(page):
            return
        for record in told_records(self.cursor.job_id, self._receiving.definition, page, frame):
            if record.place >= self.cursor.record and record.event in self._hook.events:
                if not self._is_told(record):
                    break
                self.cursor.record = record.place + 1
                self._save_now_and_then()
        self._done_with(page)

    def give_up(self, page: Page, reason: str) -> None:
        """Count the records of this chunk, and of all that follow, as not told."""
        if self._goes_on_at(page):
            self.cursor.state = {**self.cursor.state, "gave_up": self.cursor.state.get("gave_up", reason)}
            self._done_with(page)

    def new_warning(self) -> str | None:
        """For people, where more was given up than was said before."""
        given_up = self.cursor.given_up
        if given_up == self.cursor.state.get("warned", 0):
            return None
        self.cursor.state = {**self.cursor.state, "warned": given_up}
        self._save()
        return f"{given_up:,} events were not delivered to {self._name}: {self.cursor.state.get('gave_up')}"

    @property
    def _name(self) -> str:
        """Without path and query, which may hold what only the receiver should know."""
        return f"webhook {self.cursor.webhook + 1} ({urlsplit(self._hook.url).hostname})"

    def _goes_on_at(self, page: Page) -> bool:
        if page.chunk > self.cursor.chunk:
            self.cursor.chunk, self.cursor.record = page.chunk, 0
        return page.chunk == self.cursor.chunk

    def _done_with(self, page: Page) -> None:
        """The chunk is behind us; where we gave up, what was left of it is counted."""
        if "gave_up" in self.cursor.state:
            left = (EVENT_OF_LETTER.get(letter) for letter in page.letters[self.cursor.record :])
            self.cursor.given_up += sum(event in self._hook.events for event in left)
        self.cursor.chunk, self.cursor.record = page.chunk + 1, 0
        self._save()

    def _is_told(self, record: RecordTold) -> bool:
        """True when the receiver took it, false when it is given up.

        Raises:
            RetriableError: neither; it is tried again later.
        """
        state, now = self.cursor.state, utc_now()
        if "gave_up" in state:
            return False
        if "next_at" in state and now < datetime.fromisoformat(state["next_at"]):
            raise RetriableError(f"{self._name} is tried again at {state['next_at']}")
        failure = self._post(record, now)
        if failure is None:
            self.cursor.state = {}
            return True
        self._note(failure, now)
        if "gave_up" not in self.cursor.state:
            raise RetriableError(f"{self._name} {failure.reason}; the job goes on with it later")
        return False

    def _note(self, failure: _Failure, now: datetime) -> None:
        failures = self.cursor.state.get("failures", 0) + 1
        since = self.cursor.state.get("failing_since", now.isoformat())
        is_over = (now - datetime.fromisoformat(since)).total_seconds() >= self._receiving.give_up_seconds
        if failure.is_final or is_over:
            self.cursor.state = {"gave_up": f"it {failure.reason}"}
        else:
            pause = min(FIRST_PAUSE_SECONDS * 2.0 ** min(failures - 1, 30), LONGEST_PAUSE_SECONDS)
            pause = max(pause * _CHANCE.uniform(0.5, 1.5), failure.pause_seconds)
            next_at = now + timedelta(seconds=pause)
            self.cursor.state = {
                "failures": failures,
                "failing_since": since,
                "next_at": next_at.isoformat(),
            }
        self._save()

    def _post(self, record: RecordTold, now: datetime) -> _Failure | None:
        try:
            key = opened_key(self._hook.secret, self._receiving.seal)
        except FatalError as error:
            return _Failure(f"can't be told, because {error}", is_final=True)
        body = message_body(record, now)
        message = message_id(self.cursor.job_id, record.ordinal, self.cursor.webhook)
        headers = signed_headers(key, message, body, now)
        try:
            with (
                self._client.stream("POST", self._hook.url, content=body, headers=headers) as answer,
                # Read, so that the connection can be used again; what it says counts for nothing.
                suppress(FatalError, httpx.TransportError),
            ):
                answer.read()
        except NotAllowedError as error:
            return _Failure(f"may not be called: {error}", is_final=True)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return _Failure(f"could not be reached ({type(error).__name__})")
        if answer.is_success:
            return None
        return _Failure(f"answered {answer.status_code}", answer.status_code == _GONE, _asked_pause(answer))

    def _save_now_and_then(self) -> None:
        self._unsaved += 1
        if self._unsaved >= SAVE_EVENTS or time.monotonic() - self._saved_at >= SAVE_SECONDS:
            self._save()
            self._receiving.look()

    def _save(self) -> None:
        self._unsaved, self._saved_at = 0, time.monotonic()
        with self._receiving.store.write() as session:
            put_event_cursor(session, self.cursor, epoch=self._receiving.epoch)


def _asked_pause(answer: httpx.Response) -> float:
    said = answer.headers.get("Retry-After", "")
    return min(float(said), LONGEST_ASKED_SECONDS) if said.isascii() and said.isdecimal() else 0.0
