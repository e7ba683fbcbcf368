"""A job whose records go to a vendor, while somebody works on it: its client, its parts, and how it waits."""

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, partial
from typing import TypeVar

import polars as pl

from connectors.client import Client, Handle
from schemas.chunk import BLOCK_ROWS
from schemas.clock import utc_now
from schemas.definition import Definition
from schemas.destination import Verdict
from schemas.destination_document import ConnectionDestination
from schemas.errors import (
    DeliveryError,
    DestinationError,
    OutcomeUnknownError,
    RetriableError,
    StoreBusyError,
    VendorBusyError,
)
from schemas.settings import Settings
from store.database import Store
from store.definitions import job_definition
from store.deliveries import begin_delivery, get_delivery, keep_handle, list_deliveries, move_delivery
from store.delivery_tables import Delivery, DeliveryState
from store.jobs import get_job, set_values
from store.tables import Job
from tasks.halting import looking_at
from tasks.staging import VERDICT, Stage
from tasks.vendor_clients import client_of
from tasks.vendor_destination import connection_of

R = TypeVar("R")
LONGEST_WAIT_SECONDS = 15.0
_GROWTH = 1.5
_PAGE = re.compile(r"https?://[\x21\x23-\x3b\x3d\x3f-\x7e]{1,2000}")
"""Printable ASCII without quotes and angle brackets."""
_TICK_SECONDS = 0.5
"""How often somebody looks, while it waits, whether the job is to end."""


@dataclass(frozen=True)
class VendorJob:
    """The job under the lease of this epoch."""

    settings: Settings
    store: Store
    job: Job
    epoch: int
    definition: Definition
    client: Client
    look: Callable[[], None]

    @cached_property
    def staged(self) -> Stage:
        """Its checked rows."""
        return Stage(self.settings.stage_path(self.job.id, self.job.stage_epoch or 0))

    @cached_property
    def good_in_blocks(self) -> Sequence[int]:
        """How many rows of each block of checked rows passed."""
        blocks = -(-(self.job.rows or 0) // BLOCK_ROWS)
        return [self.good_rows(block, ()).height for block in range(blocks)]

    def good_rows(self, block: int, columns: Sequence[str]) -> pl.DataFrame:
        """These columns of the rows of the block that passed, in the order of the file."""
        return self.staged.block(block, list(columns)).filter(pl.col(VERDICT) == int(Verdict.GOOD))

    @property
    def fields(self) -> Mapping[str, str]:
        """What the vendor calls a field → its name."""
        names = [field.name for field in self.definition.fields]
        return dict(zip(self.client.headers(self.definition), names, strict=True))

    def deliveries(self) -> Sequence[Delivery]:
        """The parts as they stand."""
        with self.store.read() as session:
            return list_deliveries(session, self.job.id)

    def delivery(self, part: int) -> Delivery:
        """The part as it stands."""
        with self.store.read() as session:
            return get_delivery(session, self.job.id, part)

    def begin(self, part: int) -> Delivery:
        """The part as it stands, with the time since when somebody works on it."""
        with self.store.write() as session:
            return begin_delivery(session, self.job.id, part, epoch=self.epoch)

    def move(self, part: int, to: DeliveryState, **values: object) -> None:
        """Write down where the part stands from now on."""
        with self.store.write() as session:
            move_delivery(session, self.job.id, part, to, epoch=self.epoch, **values)

    def keep(self, part: int, handle: Handle) -> None:
        """Keep what the vendor gave us of the part so far."""
        with self.store.write() as session:
            keep_handle(session, self.job.id, part, handle, epoch=self.epoch)

    def note_link(self, link: str | None) -> None:
        """Keep where the vendor shows the import, where that can be the address of a page."""
        if link is not None and _PAGE.fullmatch(link):
            with self.store.write() as session:
                set_values(session, self.job.id, epoch=self.epoch, vendor_link=link)

    def patiently(self, what: str, since: datetime | None, call: Callable[[], R]) -> R:
        """What a call gives that may be repeated, however often the vendor is not ready, until the deadline.

        Args:
            what: is tried, for people.
            since: when the time began that the vendor has.

        Raises:
            DeliveryError: `vendor.deadline`, the time is over.
        """
        pauses = self.pauses()
        while True:
            self.look()
            try:
                return call()
            except StoreBusyError:
                raise
            except (RetriableError, OutcomeUnknownError) as error:
                asked = error.wait_seconds if isinstance(error, VendorBusyError) else 0.0
                self.refuse_late(what, since, str(error))
                self.wait(max(asked, next(pauses)))

    def pauses(self) -> Iterator[float]:
        """The seconds before each further question: longer and longer, never less than the vendor allows."""
        seconds = self.client.poll_seconds
        while True:
            yield seconds
            seconds = max(self.client.poll_seconds, min(seconds * _GROWTH, LONGEST_WAIT_SECONDS))

    def refuse_late(self, what: str, since: datetime | None, said: str) -> None:
        """Nothing, while the vendor's time is not over.

        Raises:
            DeliveryError: `vendor.deadline`, it is.
        """
        limit = timedelta(seconds=self.settings.vendor_deadline_seconds)
        if since is not None and utc_now() - since >= limit:
            raise DeliveryError(
                "vendor.deadline",
                f"{what} took longer than the {limit.total_seconds():,.0f} s that "
                f"LADING_VENDOR_DEADLINE_SECONDS allows; the vendor's last word: {said}",
            )

    def wait(self, seconds: float) -> None:
        """Wait, unless the work on the job is to stop."""
        _wait(self.look, seconds)


@contextmanager
def vendor_job(settings: Settings, job_id: str, epoch: int) -> Iterator[VendorJob]:
    """The job for as long as the block runs, with an open client.

    Raises:
        DestinationError: the connection is not there any more, or can't be used.
    """
    with Store.opened(settings) as store:
        with store.read() as session:
            job = get_job(session, job_id)
            definition = job_definition(session, job)
            destination = definition.destination
            if not isinstance(destination, ConnectionDestination):
                raise DestinationError(f"the records of the definition {definition.name!r} go to no vendor")
            connection = connection_of(session, job, destination)
        look = looking_at(store, job_id)
        sleep = partial(_wait, look)
        with client_of(settings, store, connection, destination.container, sleep=sleep, look=look) as client:
            yield VendorJob(settings, store, job, epoch, definition, client, look)


def _wait(look: Callable[[], None], seconds: float) -> None:
    """Wait, unless what is looked at now and then stops the work on the job."""
    ends_at = time.monotonic() + seconds
    while (left := ends_at - time.monotonic()) > 0:
        look()
        time.sleep(min(left, _TICK_SECONDS))
    look()
