"""Stage 3 for a vendor: hand the good rows over, part by part, each at most once."""

from collections.abc import Callable

from connectors.client import Part, RecordsRefusedError
from schemas.errors import OutcomeUnknownError, RetriableError, VendorRefusedError
from schemas.job import JobState
from schemas.settings import Settings
from store.deliveries import list_deliveries, plan_deliveries
from store.delivery_tables import Delivery, DeliveryState
from store.jobs import note_progress, transition
from tasks.artifacts import import_progress
from tasks.await_vendor import await_part, trouble_of
from tasks.stage import stage
from tasks.vendor_file import part_sizes, written_part
from tasks.vendor_job import VendorJob, vendor_job
from tasks.vendor_told import Told, refused_record

OnProgress = Callable[[int, int], None]


def deliver(settings: Settings, job_id: str, epoch: int, on_progress: OnProgress) -> None:
    """Hand over every part that was not handed over before; after one that the vendor refused, no more.

    A part is marked before the call that hands it over, so one that is found so marked may be there already: it
    is looked for at the vendor; where that can't be done it is lost: not sent again, its rows unconfirmed.

    Raises:
        CancelRequestedError: somebody asked for the job's end.
        ProcessEndsError: this process is about to end.
        DeliveryError: the vendor was not ready for a part within its time.
        DestinationError: the connection can't be used.
    """
    with vendor_job(settings, job_id, epoch) as vendor:
        _begin(vendor)
        deliveries = vendor.deliveries()
        total = sum(delivery.records for delivery in deliveries)
        for delivery in deliveries:
            state = _delivered(vendor, delivery, total)
            done = delivery.first_record + delivery.records
            _note_progress(vendor, done, total, on_progress)
            if state is not DeliveryState.LOST and trouble_of(vendor.delivery(delivery.part)) is not None:
                break
            if done < total and state is not delivery.state:
                vendor.wait(vendor.client.pause_seconds)


@stage("import", "import by a vendor")
def hand_over(settings: Settings, job_id: str, epoch: int) -> None:
    """The task of this stage."""
    deliver(settings, job_id, epoch, import_progress(job_id))


def _begin(vendor: VendorJob) -> None:
    sizes = None if vendor.deliveries() else part_sizes(vendor)
    with vendor.store.write() as session:
        transition(session, vendor.job.id, JobState.IMPORTING, epoch=vendor.epoch)
        if sizes and not list_deliveries(session, vendor.job.id):
            plan_deliveries(session, vendor.job.id, sizes, epoch=vendor.epoch)


def _note_progress(vendor: VendorJob, done: int, total: int, on_progress: OnProgress) -> None:
    rows = vendor.job.rows or 0
    rows_loaded = rows * done // total
    with vendor.store.write() as session:
        note_progress(session, vendor.job.id, epoch=vendor.epoch, rows_loaded=rows_loaded)
    on_progress(rows_loaded, rows)


def _delivered(vendor: VendorJob, delivery: Delivery, total: int) -> DeliveryState:
    """Where the part stands once it was handed over, and waited for where the vendor takes one at a time."""
    if delivery.state in {DeliveryState.PENDING, DeliveryState.SENDING}:
        begun = vendor.begin(delivery.part)
        part = written_part(vendor, begun, total)
        try:
            _send(vendor, begun, part)
        except VendorRefusedError as refusal:
            _settle_refused(vendor, part, refusal)
    state = vendor.delivery(delivery.part).state
    if state is DeliveryState.ACCEPTED and (vendor.client.one_at_a_time or not vendor.client.tells):
        await_part(vendor, delivery.part)
    return state


def _send(vendor: VendorJob, delivery: Delivery, part: Part) -> None:
    if delivery.state is DeliveryState.SENDING and not vendor.client.submit_is_repeatable:
        return _find(vendor, delivery, part, "nobody knows whether it was sent")
    return vendor.patiently(
        f"handing over part {part.number}", delivery.begun_at, lambda: _send_once(vendor, delivery, part)
    )


def _send_once(vendor: VendorJob, delivery: Delivery, part: Part) -> None:
    """Prepare and submit the part; a fault after which nothing happened leaves it to be sent again."""
    handle = vendor.client.prepare(
        part, vendor.delivery(part.number).handle, lambda handle: vendor.keep(part.number, handle)
    )
    vendor.move(part.number, DeliveryState.SENDING, handle=dict(handle))
    try:
        accepted = vendor.client.submit(part, handle)
    except OutcomeUnknownError as error:
        if vendor.client.submit_is_repeatable:
            raise
        return _find(vendor, delivery, part, str(error))
    except RetriableError:
        vendor.move(part.number, DeliveryState.PENDING)
        raise
    return vendor.move(part.number, DeliveryState.ACCEPTED, handle=dict(accepted))


def _find(vendor: VendorJob, delivery: Delivery, part: Part, why: str) -> None:
    """Look at the vendor for a part of which nobody knows whether it is there."""
    handle = vendor.delivery(part.number).handle
    found = vendor.patiently(
        f"looking for part {part.number}",
        delivery.begun_at,
        lambda: vendor.client.reconcile(part, handle),
    )
    if found is not None:
        return vendor.move(part.number, DeliveryState.ACCEPTED, handle=dict(found))
    return vendor.move(part.number, DeliveryState.LOST, reason=why)


def _settle_refused(vendor: VendorJob, part: Part, refusal: VendorRefusedError) -> None:
    named = refusal.refused if isinstance(refusal, RecordsRefusedError) else ()
    told = Told(str(refusal), refused=tuple(refused_record(refused, vendor.fields) for refused in named))
    vendor.move(part.number, DeliveryState.REFUSED, reason=str(refusal), result=told.to_bytes())
