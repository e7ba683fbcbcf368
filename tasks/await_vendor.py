"""Stage 4 for a vendor: ask what became of what was handed over, until it is told or its time is over."""

from schemas.errors import DeliveryError, VendorRefusedError
from schemas.settings import Settings
from store.delivery_tables import Delivery, DeliveryState
from store.jobs import get_job
from tasks.artifacts import keep_link
from tasks.stage import stage
from tasks.vendor_job import VendorJob, vendor_job
from tasks.vendor_told import Told


def ask(settings: Settings, job_id: str, epoch: int) -> None:
    """Keep what the vendor tells of each part, which then needs no network any more.

    Raises:
        CancelRequestedError: somebody asked for the job's end.
        ProcessEndsError: this process is about to end.
        DeliveryError: the vendor refused or gave up a part, one was lost, or its time is over.
    """
    with vendor_job(settings, job_id, epoch) as vendor:
        for delivery in vendor.deliveries():
            if delivery.state is DeliveryState.ACCEPTED:
                await_part(vendor, delivery.part)
        with vendor.store.read() as session:
            link = get_job(session, job_id).vendor_link
        if link is not None:
            keep_link(job_id, link)
        for delivery in vendor.deliveries():
            if (trouble := trouble_of(delivery)) is not None:
                raise trouble


@stage("poll", "poll the vendor")
def await_vendor(settings: Settings, job_id: str, epoch: int) -> None:
    """The task of this stage."""
    ask(settings, job_id, epoch)


def await_part(vendor: VendorJob, part: int) -> None:
    """Look at an accepted part, no faster than the vendor allows, until nothing of it changes any more.

    Raises:
        DeliveryError: its time is over, or the vendor knows nothing of it.
    """
    delivery = vendor.delivery(part)
    vendor.note_link(vendor.client.link(delivery.handle))
    told = _told(vendor, delivery) if vendor.client.tells else Told()
    vendor.move(part, DeliveryState.DONE, result=told.to_bytes())


def _told(vendor: VendorJob, delivery: Delivery) -> Told:
    part, pauses = delivery.part, vendor.pauses()
    what = f"the vendor's work on part {part}"
    while True:
        try:
            look = vendor.patiently(what, delivery.accepted_at, lambda: vendor.client.look(delivery.handle))
        except VendorRefusedError as refusal:
            raise DeliveryError(
                "vendor.failed", f"the vendor took part {part} and tells nothing of it: {refusal}"
            ) from refusal
        vendor.note_link(look.link)
        if look.done or look.failed is not None:
            return Told.of(look, vendor.fields)
        vendor.refuse_late(what, delivery.accepted_at, "it is not done")
        vendor.wait(next(pauses))


def trouble_of(delivery: Delivery) -> DeliveryError | None:
    """Why the job can't end well, as far as this part goes; None where it can."""
    if delivery.state is DeliveryState.LOST:
        return DeliveryError(
            "vendor.unknown",
            f"the answer to part {delivery.part} was lost, and whether the vendor took it can't be found out "
            f"({delivery.reason}); its {delivery.records:,} rows are unconfirmed and were not sent again",
        )
    told = None if delivery.result is None else Told.from_bytes(delivery.result)
    if told is None or told.failed is None:
        return None
    return DeliveryError("vendor.failed", f"the vendor did not take part {delivery.part}: {told.failed}")
