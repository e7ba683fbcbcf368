"""The client of integrator.io: invokes an import with the records, and keeps what it is told of each."""

import json
from collections.abc import Callable, Sequence
from functools import partial
from http import HTTPStatus
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from connectors.access import Access
from connectors.client import Handle, Look, Part, Refused, own_headers
from connectors.integrator.wire import OUTCOME_UNKNOWN, RecordError, RecordResult, decode_results
from connectors.vendor_body import JsonBody
from connectors.vendor_http import FixedHeaders, Pace
from schemas.definition import Definition
from schemas.job import Outcome

INVOKE_RECORDS = 1_000
INVOKE_BYTES = 5_000_000
"""Of one invoke; more the vendor does not take."""
INVOKE_SECONDS = 360.0
MOST_SAID_CHARS = 500
"""Of one error."""
_FIRST_RECORD_ROW = 2


class ImportContainer(BaseModel):
    """Where records go: an import that the vendor has.

    Attributes:
        import_id: its `_id`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    import_id: Annotated[str, Field(pattern=r"^[0-9a-fA-F]{24}$")]


class IntegratorClient:
    """Invokes an import with up to 1,000 records at a time.

    An invoke answers when all is done, and does it again each time it comes, so it is made once. Its answer is
    all that the vendor ever tells: it stands in the handle, and nobody is asked again.
    """

    file_kind = "jsonl"
    part_rows: int | None = INVOKE_RECORDS
    # With brackets and commas in the place of the ends of lines, the array has one byte more than the file.
    part_bytes: int | None = INVOKE_BYTES - 1
    pause_seconds = 0.0
    one_at_a_time = False
    submit_is_repeatable = False
    poll_seconds = 1.0
    tells = True

    def __init__(self, access: Access) -> None:
        self._container = access.container
        self._http = access.http.authorized(
            FixedHeaders({"Authorization": f"Bearer {access.secrets['token']}"})
        )
        self._invoking = self._http.paced(Pace(call_seconds=INVOKE_SECONDS))

    def headers(self, definition: Definition) -> Sequence[str]:
        """The definition's own; the import of the vendor extracts by them."""
        return own_headers(definition)

    def prepare(self, part: Part, handle: Handle, keep: Callable[[Handle], None]) -> Handle:  # noqa: ARG002
        """Nothing: an invoke is one call."""
        return handle

    def submit(self, part: Part, handle: Handle) -> Handle:
        """Invoke the import with the records."""
        import_id = ImportContainer.model_validate(self._container).import_id
        body = JsonBody(b"[%b]" % b",".join(part.path.read_bytes().splitlines()))
        decode = partial(_one_each, records=part.rows)
        results = self._invoking.post_once(f"/v1/imports/{import_id}/invoke", decode, body=body)
        return {**handle, "told": _kept(results)}

    def reconcile(self, part: Part, handle: Handle) -> Handle | None:  # noqa: ARG002 - no invoke is remembered
        """None: the vendor makes no job of an invoke."""
        return None

    def look(self, handle: Handle) -> Look:
        """What the vendor told when it was invoked."""
        told = json.loads(str(handle["told"]))
        refused = tuple(Refused(*refusal) for refusal in told["refused"])
        return Look(done=True, outcomes=told["outcomes"], refused=refused)

    def link(self, handle: Handle) -> str | None:  # noqa: ARG002 - there is none
        """None: an invoke has no page."""
        return None

    def test(self) -> str:
        """Ask whose the token is."""
        self._http.get("/v1/tokenInfo", bytes)
        return "integrator.io knows the token"

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


def outcome_of(result: RecordResult) -> Outcome:
    """What the vendor tells of a record: that it was taken, and not whether it was created or updated."""
    if any(error.code == OUTCOME_UNKNOWN for error in result.errors or ()):
        return Outcome.UNCONFIRMED
    if HTTPStatus.BAD_REQUEST <= result.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
        return Outcome.FAILED
    return Outcome.IGNORED if result.ignored else Outcome.UNCONFIRMED


def _one_each(body: bytes, records: int) -> Sequence[RecordResult]:
    results = decode_results(body)
    if len(results) != records:
        raise ValueError(f"{records} records were answered with {len(results)} results")
    return results


def _said(error: RecordError) -> str:
    """Its words, without the name of the field, which is told beside them."""
    return (error.message or error.code).removeprefix(f"{error.field}: ")[:MOST_SAID_CHARS]


def _kept(results: Sequence[RecordResult]) -> str:
    outcomes = [outcome_of(result) for result in results]
    # What is said of a record that may have been taken counts for none.
    refused = [
        (row if outcome is Outcome.FAILED else None, error.field, _said(error))
        for row, (outcome, result) in enumerate(zip(outcomes, results, strict=True), start=_FIRST_RECORD_ROW)
        for error in result.errors or ()
    ]
    return json.dumps({"outcomes": outcomes, "refused": refused}, ensure_ascii=False)
