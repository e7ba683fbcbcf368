"""The client of ELMA365: uploads a file under a hash of its own, has an app import it, asks how that stands."""

from collections.abc import Callable, Sequence
from http import HTTPStatus
from urllib.parse import quote
from uuid import UUID

from connectors.access import Access
from connectors.client import Handle, Look, Part, own_headers
from connectors.elma365.choices import Elma365Choices
from connectors.elma365.options import NO_APP, AppContainer, Elma365Options
from connectors.elma365.upload import TEMPORARY_PATH, TEMPORARY_ROWS, Uploads
from connectors.elma365.wire import BLOCKED, Credentials, ImportAnswer, ImportRequest, UploadAnswer
from connectors.vendor_body import JsonBody
from connectors.vendor_http import FixedHeaders, Pace
from schemas.definition import Definition
from schemas.errors import FatalError, VendorBusyError, VendorRefusedError

EVENT_ROWS = 1_000
"""Most records of an import for which event handlers run."""
WORKBOOK_ROWS = 1_048_575
"""Most records of a workbook, below its header."""


class Elma365Client:
    """Has one app import part after part, as the vendor wants it.

    An upload may be repeated, since its hash is ours. The call that begins an import may not: where its answer
    is lost, nothing tells whether the import began. Of what became of the records the vendor tells one number.
    """

    part_bytes: int | None = None
    one_at_a_time = True
    submit_is_repeatable = False
    tells = True

    def __init__(self, access: Access) -> None:
        self._options = access.options_as(Elma365Options)
        self._app = AppContainer.model_validate(access.container) if access.container else NO_APP
        self._choices = Elma365Choices()
        credentials = Credentials(access.secrets["token"], is_x_token=self._options.x_token)
        self._http = access.http.authorized(FixedHeaders(credentials.encode()))
        self._looking = self._http.paced(Pace(interval_seconds=self._options.poll_seconds))
        self._directory = self._app.directory or self._options.directory
        self._uploads = Uploads(self._http, self._directory)
        self.file_kind: str = self._options.format
        self.poll_seconds = self._options.poll_seconds
        self.part_rows = self._part_rows()
        # For the vendor to work through the events of the last part.
        self.pause_seconds = self._options.pause_seconds if self._app.with_event_handlers else 0.0

    def headers(self, definition: Definition) -> Sequence[str]:
        """The definition's own."""
        return own_headers(definition)

    def prepare(self, part: Part, handle: Handle, keep: Callable[[Handle], None]) -> Handle:
        """Upload the file, or what is missing of it."""
        return self._uploads.done(part, handle, keep)

    def submit(self, part: Part, handle: Handle) -> Handle:
        """Have the app import the file, which is uploaded anew where it would not live long enough."""
        handle = self._uploads.done(part, handle, lambda _: None)
        asked = ImportRequest(
            file_hash=UUID(str(handle["hash"])),
            format=self._options.format,
            with_event_handlers=self._app.with_event_handlers,
        )
        answer = self._http.post_once(self._path, _begun, body=JsonBody(asked.encode()))
        if answer.status == BLOCKED:
            message = f"{self._path} is blocked: the app imports something else, and takes this afterwards"
            raise VendorBusyError(message, wait_seconds=self.poll_seconds)
        if not answer.success:
            raise VendorRefusedError(f"{self._path} did not begin: {self._said(answer)}")
        return {**handle, "import_id": str(answer.import_id)}

    def reconcile(self, part: Part, handle: Handle) -> Handle | None:  # noqa: ARG002 - no call lists imports
        """None: no call lists what an app imported."""
        return None

    def look(self, handle: Handle) -> Look:
        """How the import stands, and how many records it has imported: that is all that is told."""
        answer = self._looking.get(self._status_path(handle), ImportAnswer.decode)
        choices, counts, link = self._choices, {"total": answer.count}, self.link(handle)
        if answer.status == choices.state_error or not answer.success:
            return Look(done=True, failed=self._said(answer), counts=counts, link=link)
        if answer.status not in {choices.state_new, choices.state_processing, choices.state_done}:
            message = f"the import's status is {answer.status[:100]!r}, which is not known here; the settings"
            raise FatalError(f"{message} LADING_ELMA365_STATE_… say what each status is called")
        return Look(done=answer.status == choices.state_done, counts=counts, link=link)

    def link(self, handle: Handle) -> str | None:
        """The call that tells how the import stands; the documents know no page of it."""
        return self._http.url + self._status_path(handle) if "import_id" in handle else None

    def test(self) -> str:
        """Ask for an upload under no hash, which the vendor refuses: to strangers with another status."""
        try:
            self._http.repeatable("POST", TEMPORARY_PATH, UploadAnswer.decode)
        except VendorRefusedError as error:
            if error.status != HTTPStatus.BAD_REQUEST:
                raise
        return "ELMA365 knows the token"

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _part_rows(self) -> int | None:
        if self._app.with_event_handlers:
            return EVENT_ROWS
        if self._directory is None:
            return TEMPORARY_ROWS
        return WORKBOOK_ROWS if self.file_kind == "xlsx" else None

    @property
    def _path(self) -> str:
        namespace, code = self._blanks().values()
        return f"/pub/v1/app/{namespace}/{code}/import"

    def _status_path(self, handle: Handle) -> str:
        return self._options.status_path.format(**self._blanks(), import_id=handle["import_id"])

    def _blanks(self) -> dict[str, str]:
        return {name: quote(getattr(self._app, name), safe="") for name in ("namespace", "code")}

    def _said(self, answer: ImportAnswer) -> str:
        return self._http.said(answer.error) or "the vendor did not say why"


def _begun(body: bytes) -> ImportAnswer:
    """The answer to the call that begins an import.

    Raises:
        ValueError: it tells neither of an import nor why there is none.
    """
    answer = ImportAnswer.decode(body)
    if answer.success and answer.status != BLOCKED and answer.import_id is None:
        raise ValueError("no id of an import")
    return answer
