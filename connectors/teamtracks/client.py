"""The client of TeamTracks: hands a file over, and asks for its job until that is finished."""

from collections.abc import Callable, Sequence
from functools import partial
from http import HTTPStatus
from urllib.parse import quote
from uuid import UUID

from connectors.access import Access
from connectors.client import Handle, Look, Part, Refused, own_headers
from connectors.teamtracks.face import TrackAddress
from connectors.teamtracks.options import TeamTracksOptions
from connectors.teamtracks.wire import (
    FILE_PART,
    Credentials,
    ImportAnswer,
    JobAnswer,
    TokenAnswer,
    TokenRequest,
)
from connectors.token_authorization import TokenAuthorization
from connectors.vendor_body import FileForm, JsonBody
from schemas.definition import Definition
from schemas.errors import VendorRefusedError

STATUS_PATHS = ("/job/objectimport/{}", "/job/{}")
"""The newer first; which one a server has, its first answer tells."""
_MEDIA_TYPES = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_NO_JOB = UUID(int=0)


class TeamTracksClient:
    """Hands all records over as one file.

    The vendor makes a job of a file each time it comes, and lists no jobs, so it is sent once; a file whose
    answer was lost is found nowhere.
    """

    part_rows: int | None = None
    part_bytes: int | None = None
    pause_seconds = 0.0
    one_at_a_time = False
    submit_is_repeatable = False
    poll_seconds = 1.0
    tells = True

    def __init__(self, access: Access) -> None:
        self._access = access
        self._http = access.http.authorized(
            TokenAuthorization(
                access.secrets.get("token", ""),
                lambda token: self._credentials(token).encode(),
                self._new_token if "password" in access.secrets else None,
                partial(access.keep_secret, "token"),
            )
        )
        self._status_paths: Sequence[str] = STATUS_PATHS
        self.file_kind: str = access.options_as(TeamTracksOptions).file_kind

    def headers(self, definition: Definition) -> Sequence[str]:
        """The definition's own."""
        return own_headers(definition)

    def prepare(self, part: Part, handle: Handle, keep: Callable[[Handle], None]) -> Handle:  # noqa: ARG002
        """Nothing: an import is one call."""
        return handle

    def submit(self, part: Part, handle: Handle) -> Handle:
        """Send the file; its job begins."""
        track_id = TrackAddress.model_validate(self._access.container).track_id
        body = FileForm(FILE_PART, part.path, part.file_name, _MEDIA_TYPES[self.file_kind])
        path = f"/objectimport/{quote(track_id, safe='')}"
        return {**handle, "job_id": self._http.post_once(path, ImportAnswer.decode, body=body).job_id}

    def reconcile(self, part: Part, handle: Handle) -> Handle | None:  # noqa: ARG002 - no call lists jobs
        """None: no call lists jobs."""
        return None

    def look(self, handle: Handle) -> Look:
        """How the job stands."""
        return look_of(self._job(str(handle["job_id"])))

    def link(self, handle: Handle) -> str | None:  # noqa: ARG002 - none is documented
        """None: no page of a job is documented."""
        return None

    def test(self) -> str:
        """Ask for a job that there is not; whoever may ask is told so."""
        try:
            self._job(str(_NO_JOB))
        except VendorRefusedError as error:
            if error.status not in {HTTPStatus.NOT_FOUND, HTTPStatus.BAD_REQUEST}:
                raise
        return "TeamTracks knows the tenant, the subscription key and the token"

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _job(self, job_id: str) -> JobAnswer:
        """The answer about a job, by whichever path this server has; that one is taken from then on."""
        newest, *older = self._status_paths
        try:
            found = self._http.get(newest.format(quote(job_id, safe="")), JobAnswer.decode)
        except VendorRefusedError as error:
            if error.status != HTTPStatus.NOT_FOUND or not older:
                raise
            (old,) = older
            found = self._http.get(old.format(quote(job_id, safe="")), JobAnswer.decode)
            newest = old
        self._status_paths = (newest,)
        return found

    def _credentials(self, token: str = "") -> Credentials:
        options, secrets = self._access.options, self._access.secrets
        return Credentials(options["tenant"], secrets["subscription_key"], token)

    def _new_token(self) -> str:
        """A token, which the vendor says is good for a year; asking for one twice does no harm."""
        options, secrets = self._access.options, self._access.secrets
        asked = TokenRequest(
            client_id=options["client_id"], email=options["email"], password=secrets["password"]
        )
        answer = self._access.http.repeatable(
            "POST",
            "/auth/token",
            TokenAnswer.decode,
            body=JsonBody(asked.encode()),
            headers=self._credentials().encode(),
        )
        self._access.http.hide(answer.bare)
        return answer.bare


def look_of(job: JobAnswer) -> Look:
    """What the answer tells; before the end its counts mean nothing.

    A vendor that counts no row at all and names an error of no row has given the file up.
    """
    if not job.finished:
        return Look(done=False)
    failed = job.failed_to_create + job.failed_to_update
    total = job.successfully_created + job.successfully_updated + job.unchanged + failed
    counts = {
        "created": job.successfully_created,
        "updated": job.successfully_updated,
        "unchanged": job.unchanged,
        "failed": failed,
        "total": total,
    }
    refused = tuple(Refused(error.row, error.field, error.message) for error in job.errors or ())
    general = next((error.message for error in refused if error.row is None), None)
    return Look(done=True, failed=None if total else general, counts=counts, refused=refused)
