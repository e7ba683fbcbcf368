"""Takes records in while their client waits: mapped, checked and loaded in one call, each answered for itself.

What a file takes five stages for is one here. The records are kept, and their job is in the store with a lease
of this process, before the destination is touched; the job is terminal, with every row accounted for, before
the answer is given. Where the process is killed in between, a worker ends the job by what the destination has.
"""

from dataclasses import replace

from connectors.invocation import Invocation, RecordAnswer
from schemas.definition import Definition, Mode
from schemas.destination_document import ConnectionDestination
from schemas.errors import BodyError, DefinitionError
from schemas.job import JobKind
from schemas.principal import Principal
from schemas.settings import Settings
from store.database import Store
from tasks.accepting import Origin, allowed_definition, plan_job
from tasks.invoke_submission import Submitted

MOST_RECORDS = 100_000
CREATION_PATH = "INVOKE"


def invoke(
    settings: Settings, store: Store, principal: Principal, invocation: Invocation
) -> list[RecordAnswer]:
    """What became of each record, in their order.

    Each record is a submission of its own, as if it had come alone: what is wrong with one costs no other, a
    key that it lacks leaves the field as it is, and records of the same key take turns, so that the later one
    updates what the one before it created. That is where an invoke differs from a file, whose rows speak for
    one moment. Records for a vendor go the way of a file, and keep to its rules.

    Raises:
        NotFoundError: the tenant sees no such definition.
        NotAllowedError: the key may not use it, it says more than a tenant may, or its table is another's.
        DefinitionError: it can't work so.
        BodyError: there are too many records.
        RetriableError: nothing was decided; the same call may succeed later.
        OutcomeUnknownError: the destination can't be reached any more, and may have taken the records.
    """
    if not invocation.records:
        return []
    if len(invocation.records) > MOST_RECORDS:
        raise BodyError(
            413, f"{len(invocation.records):,} records came; {MOST_RECORDS:,} at most go in at once"
        )
    with store.read() as session:
        stored = allowed_definition(session, principal, invocation.definition)
        plan = plan_job(session, principal.tenant, stored, None, validate_only=False)
    plan = replace(plan, kind=JobKind.INVOKE)
    if plan.mode is Mode.SYNC:
        raise DefinitionError(
            "mode 'sync' deletes what a file lacks, and single records are no file; say 'upsert'"
        )
    goes_to_vendor = isinstance(stored.definition.destination, ConnectionDestination)
    origin = Origin(CREATION_PATH, principal.key_id, is_queued=goes_to_vendor, file_options={"kind": "jsonl"})
    submitted = Submitted(plan, stored.definition, origin, invocation)
    if goes_to_vendor:
        from tasks.invoke_by_worker import load_by_worker

        return load_by_worker(settings, store, submitted)
    from tasks.invoke_at_once import load_at_once

    return load_at_once(settings, store, submitted)


def warm_up() -> None:
    """Load what checking records needs, which takes a second, so that the first call finds it there."""
    from tasks.invoke_records import check_records

    check_records(Definition.model_validate(_ANY), [{"id": "a", "amount": 1}, {"amount": "x"}], {}, 2)


_ANY = {
    "name": "warm-up",
    "key": ["id"],
    "fields": [{"name": "id"}, {"name": "amount", "type": "integer", "min": 0}],
    "destination": {"table": "warm_up"},
}
