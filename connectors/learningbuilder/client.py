"""The client of LearningBuilder: hands over a batch as JSON Lines; what became of it, nothing tells."""

from collections.abc import Callable, Sequence
from http import HTTPStatus

from connectors.access import Access
from connectors.client import Handle, Look, Part, own_headers
from connectors.learningbuilder.face import ProcessAddress
from connectors.learningbuilder.options import LearningBuilderOptions
from connectors.learningbuilder.wire import CONTENT_TYPE, BatchAnswer, BatchQuery, encode_credentials
from connectors.vendor_body import FileBody, JsonBody
from connectors.vendor_http import FixedHeaders
from schemas.definition import Definition
from schemas.errors import VendorRefusedError

PATH = "/API/WorkflowImportQueue/CreateBatch"


class LearningBuilderClient:
    """Hands all records over in one batch.

    The vendor queues a batch anew each time it comes, so it is sent once. It has no call that tells of a batch:
    people see it behind the link, or are sent mail.
    """

    file_kind = "jsonl"
    part_rows: int | None = None
    part_bytes: int | None = None
    pause_seconds = 0.0
    one_at_a_time = False
    submit_is_repeatable = False
    poll_seconds = 1.0
    tells = False

    def __init__(self, access: Access) -> None:
        self._options = access.options_as(LearningBuilderOptions)
        self._container = access.container
        self._http = access.http.authorized(FixedHeaders(encode_credentials(access.secrets["api_key"])))

    def headers(self, definition: Definition) -> Sequence[str]:
        """The definition's own; of a field that identifies a record it begins with a colon."""
        return own_headers(definition)

    def prepare(self, part: Part, handle: Handle, keep: Callable[[Handle], None]) -> Handle:  # noqa: ARG002
        """Nothing: a batch is one call."""
        return handle

    def submit(self, part: Part, handle: Handle) -> Handle:
        """Send the batch."""
        asked = BatchQuery(
            file_name=part.file_name,
            import_process_id=ProcessAddress.model_validate(self._container).import_process_id,
            **self._options.model_dump(),
        )
        body = FileBody(part.path, media_type=CONTENT_TYPE)
        answer = self._http.post_once(PATH, BatchAnswer.decode, body=body, params=asked.encode_parameters())
        return {**handle, "batch_id": answer.queue_batch_id, "link": answer.queue_batch_details}

    def reconcile(self, part: Part, handle: Handle) -> Handle | None:  # noqa: ARG002 - no call lists batches
        """None: no call lists batches."""
        return None

    def look(self, handle: Handle) -> Look:
        """Nothing is told."""
        return Look(done=True, link=self.link(handle))

    def link(self, handle: Handle) -> str | None:
        """The page of the batch, as the vendor told it."""
        link = handle.get("link")
        return None if link is None else str(link)

    def test(self) -> str:
        """Send a batch that is none, to no process, which is refused: to strangers with another status."""
        try:
            self._http.post_once(PATH, BatchAnswer.decode, body=JsonBody(b"[]"))
        except VendorRefusedError as error:
            if error.status != HTTPStatus.BAD_REQUEST:
                raise
        return "LearningBuilder knows the key"

    def close(self) -> None:
        """Close the connections."""
        self._http.close()
