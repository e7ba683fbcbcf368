"""The client of Starmind: has a workbook validated, then imported, and waits for both."""

from collections.abc import Callable, Sequence
from functools import partial

from connectors.access import Access
from connectors.client import Handle, Look, Part, RecordsRefusedError, Refused, own_headers
from connectors.starmind.choices import Choices
from connectors.starmind.wire import (
    FILE_PART,
    Accepted,
    Address,
    Entity,
    ErrorEntry,
    Login,
    Process,
    ProcessStatus,
    ProcessType,
    Session,
)
from connectors.token_authorization import TokenAuthorization
from connectors.vendor_body import FileForm, JsonBody
from schemas.definition import Definition
from schemas.errors import FatalError, VendorBusyError

_MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class StarmindClient:
    """Hands all records over as one workbook.

    An upload writes nothing, and a PUT creates and updates, so that both may be repeated. One row that is not
    valid makes the vendor import none.
    """

    file_kind = "xlsx"
    part_rows: int | None = None
    part_bytes: int | None = None
    pause_seconds = 0.0
    one_at_a_time = False
    submit_is_repeatable = True
    poll_seconds = 1.0
    tells = True

    def __init__(self, access: Access) -> None:
        self._access = access
        self._http = access.http.authorized(
            TokenAuthorization(
                access.secrets.get("token", ""),
                lambda token: {"Authorization": f"Bearer {token}"},
                self._new_token if "password" in access.secrets else None,
                partial(access.keep_secret, "token"),
            )
        )

    def headers(self, definition: Definition) -> Sequence[str]:
        """The definition's own."""
        return own_headers(definition)

    def prepare(self, part: Part, handle: Handle, keep: Callable[[Handle], None]) -> Handle:
        """Upload the workbook, and see its validation to the end.

        Raises:
            VendorBusyError: it is being validated.
            RecordsRefusedError: the validation ended in error; names the rows.
        """
        if "upload_id" not in handle:
            body = FileForm(FILE_PART, part.path, part.file_name, _MEDIA_TYPE)
            answer = self._http.repeatable("POST", f"{self._path}/upload", Accepted.decode, body=body)
            handle = {**handle, "upload_id": answer.import_id}
            keep(handle)
        if "is_validated" not in handle:
            self._refuse_invalid(self._process(handle["upload_id"], ProcessType.VALIDATION))
        return {**handle, "is_validated": 1}

    def submit(self, part: Part, handle: Handle) -> Handle:  # noqa: ARG002 - the vendor has the workbook
        """Begin to import the workbook that was validated."""
        answer = self._http.repeatable("PUT", f"{self._path}/{handle['upload_id']}", Accepted.decode)
        return {**handle, "import_id": answer.import_id}

    def reconcile(self, part: Part, handle: Handle) -> Handle | None:  # noqa: ARG002 - a PUT is repeated
        """None: a PUT whose answer was lost is repeated."""
        return None

    def look(self, handle: Handle) -> Look:
        """How the import stands."""
        return look_of(self._process(handle["import_id"], ProcessType.IMPORT))

    def link(self, handle: Handle) -> str | None:  # noqa: ARG002 - none is documented
        """None: no page of a process is documented."""
        return None

    def test(self) -> str:
        """Ask for the states of the imports of tags, whatever they are."""
        self._http.get(f"/import/{Entity.TAGS}/status", bytes)
        return "Starmind knows the token"

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    @property
    def _path(self) -> str:
        return f"/import/{Address.model_validate(self._access.container).entity}"

    def _process(self, number: str | int, kind: ProcessType) -> Process:
        """The state of the process.

        Raises:
            FatalError: it is that of another one: the documents show the same number for both.
        """
        found = self._http.get(f"{self._path}/{number}/status", Process.decode)
        if found.type is not kind:
            raise FatalError(
                f"Starmind answers about the {kind} {number} with the state of a process of type {found.type}"
            )
        return found

    def _refuse_invalid(self, validation: Process) -> None:
        if validation.status is ProcessStatus.PROCESSING:
            raise VendorBusyError(f"Starmind validates the file {validation.import_id}")
        if validation.status is ProcessStatus.ERROR:
            refused = _refused(validation)
            places = f"{len(refused)} errors, the first: {refused[0].message}" if refused else "it names no row"
            message = self._http.said(f"Starmind's validation failed: {validation.message or places}")
            raise RecordsRefusedError(message, refused)

    def _new_token(self) -> str:
        """The token of a new session; logging in twice does no harm."""
        known = {**self._access.secrets, **self._access.options}
        answer = self._access.http.repeatable(
            "POST",
            Choices().login_path,
            Session.decode,
            body=JsonBody(Login(email=known["email"], password=known["password"]).encode()),
            headers={"Api-Key": known["api_key"]},
        )
        self._access.http.hide(answer.token)
        return answer.token


def look_of(process: Process) -> Look:
    """What the state of an import tells; the vendor counts a row that changed nothing as updated."""
    if process.status is ProcessStatus.PROCESSING:
        return Look(done=False)
    counts, refused = None, _refused(process)
    if process.result is not None:
        created, updated = process.result.created_records, process.result.updated_records
        counts = {"created": created, "updated": updated, "total": created + updated}
    failed = None
    if process.status is ProcessStatus.ERROR:
        failed = process.message or next((error.message for error in refused), "the import ended in error")
    return Look(done=True, failed=failed, counts=counts, refused=refused)


def _refused(process: Process) -> Sequence[Refused]:
    errors = () if process.result is None else process.result.errors
    return tuple(_refusal(entry) for entry in errors)


def _refusal(entry: ErrorEntry) -> Refused:
    """Row 0 is the file as a whole; an error of no column has no field."""
    return Refused(entry.row or None, entry.field or None, entry.msg)
