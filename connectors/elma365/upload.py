"""Uploads to ELMA365: in pieces, under a hash that is ours, to a directory or for 60 minutes."""

from collections.abc import Callable
from http import HTTPStatus
from uuid import UUID, uuid4

from connectors.client import Handle, Part
from connectors.elma365.wire import FILE_FORM_PART, HASH_PARAMETER, RANGE_HEADER, ContentRange, UploadAnswer
from connectors.vendor_body import Body, FileBody, FileForm
from connectors.vendor_http import VendorHttp
from schemas.clock import utc_now
from schemas.errors import VendorRefusedError

PIECE_BYTES = 5_242_880
"""Of each piece of a larger file but the last: the least that the vendor takes."""
TEMPORARY_ROWS = 50_000
"""Records of a file that may be temporary; with more it belongs into a directory."""
TEMPORARY_PATH = "/pub/v1/disk/file/upload"
_FRESH_SECONDS = 10 * 60
"""A temporary file that is older is uploaded anew: the import must be done within its 60 minutes, too."""


class Uploads:
    """The uploads of one job.

    What a handle has of an upload: `hash`; `uploaded_bytes`, so many are known to be there; and either
    `directory`, its id, or `begun_at`, in seconds of the epoch, of a temporary file.
    """

    def __init__(self, http: VendorHttp, directory: UUID | None) -> None:
        self._http = http
        self._directory = directory
        self._newest: dict[int, Handle] = {}

    def done(self, part: Part, handle: Handle, keep: Callable[[Handle], None]) -> Handle:
        """The handle of the file, whole at the vendor: of the upload that it names, as long as that is of use.

        Raises:
            RetriableError: it is not whole yet.
            VendorRefusedError: the vendor does not take it.
        """
        handle = self._newest.get(part.number, handle)
        if _is_fresh(handle):
            try:
                return self._continued(part, handle, keep)
            except VendorRefusedError as error:
                # Such as `NoSuchUpload`: the pieces of an upload that was broken off are not kept for ever.
                if error.status != HTTPStatus.BAD_REQUEST or not handle["uploaded_bytes"]:
                    raise
        return self._continued(part, self._begun(part), keep)

    def _begun(self, part: Part) -> Handle:
        begun: dict[str, str | int] = {"hash": str(uuid4()), "uploaded_bytes": 0}
        if part.rows > TEMPORARY_ROWS and self._directory is not None:
            return {**begun, "directory": str(self._directory)}
        return {**begun, "begun_at": int(utc_now().timestamp())}

    def _continued(self, part: Part, handle: Handle, keep: Callable[[Handle], None]) -> Handle:
        size = part.path.stat().st_size
        for start in range(int(handle["uploaded_bytes"]), size, PIECE_BYTES):
            end = min(start + PIECE_BYTES, size)
            self._upload(part, handle, ContentRange(start, end, size))
            handle = {**handle, "uploaded_bytes": end}
            keep(handle)
        self._newest[part.number] = handle
        return handle

    def _upload(self, part: Part, handle: Handle, piece: ContentRange) -> None:
        self._http.repeatable(
            "POST",
            _path(handle),
            UploadAnswer.decode,
            body=_body(part, handle, piece),
            params={HASH_PARAMETER: str(handle["hash"])},
            headers={RANGE_HEADER: piece.encode()},
        )


def _is_fresh(handle: Handle) -> bool:
    if "hash" not in handle:
        return False
    return "directory" in handle or utc_now().timestamp() - int(handle["begun_at"]) < _FRESH_SECONDS


def _path(handle: Handle) -> str:
    directory = handle.get("directory")
    return TEMPORARY_PATH if directory is None else f"/pub/v1/disk/directory/{directory}/upload"


def _body(part: Part, handle: Handle, piece: ContentRange) -> Body:
    """A file in a directory has a name, which only a form tells."""
    size = piece.end - piece.start
    if "directory" in handle:
        return FileForm(FILE_FORM_PART, part.path, part.file_name, offset=piece.start, size_bytes=size)
    return FileBody(part.path, offset=piece.start, size_bytes=size)
