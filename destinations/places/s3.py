"""Objects of a store that speaks S3, where one is there whole or not at all."""

from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, cast

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError as AwayError,
    HTTPClientError,
)
from s3fs import S3FileSystem

from destinations.places.driver import CALL_SECONDS
from schemas.errors import FatalError, LadingError, RetriableError
from schemas.place import Address, PlaceOption

PART_BYTES = 8 << 20
_PARTS_AT_ONCE = 2
_ATTEMPTS = 3


class S3Driver:
    """A session with a store; a `Driver`. Paths begin with the bucket."""

    def __init__(self, files: S3FileSystem) -> None:
        self.files = files
        self.meaning = meaning

    def read(self, path: str) -> BinaryIO:
        """The bytes of the object; one that is replaced meanwhile is an error."""
        return cast(BinaryIO, self.files.open(path, "rb", block_size=PART_BYTES))

    def put(self, source: Path, path: str, temporary: str) -> None:
        """Send the object; it appears under its name once all of it is there, so it needs no temporary name."""
        del temporary
        self._abort_begun(path)
        self.files.put_file(str(source), path, chunksize=PART_BYTES, max_concurrency=_PARTS_AT_ONCE)

    def close(self) -> None:
        """Nothing is held open but a pool of connections, which goes with the filesystem."""
        self.files.close_session(self.files.loop, self.files.s3)

    def _abort_begun(self, path: str) -> None:
        """Forget the parts of an upload of this object that was killed: unseen, they are kept and cost."""
        bucket, key, _ = self.files.split_path(path)
        begun = self.files.call_s3("list_multipart_uploads", Bucket=bucket, Prefix=key)
        for upload in begun.get("Uploads", []):
            if upload["Key"] == key:
                self.files.call_s3(
                    "abort_multipart_upload", Bucket=bucket, Key=key, UploadId=upload["UploadId"]
                )


def open_driver(address: Address, options: Mapping[str, PlaceOption], secrets: Mapping[str, str]) -> S3Driver:
    """A session; with neither `key` nor `anonymous`, as whoever the machine is known for there."""
    del address
    endpoint = options.get("endpoint_url")
    config: dict[str, object] = {
        "connect_timeout": CALL_SECONDS,
        "read_timeout": CALL_SECONDS,
        "retries": {"max_attempts": _ATTEMPTS},
    }
    if endpoint is not None:
        # A store of one's own seldom has a name of its own for each bucket.
        config["s3"] = {"addressing_style": "path"}
    files = S3FileSystem(
        key=secrets.get("key", options.get("key")),
        secret=secrets.get("secret"),
        token=secrets.get("token"),
        anon=options.get("anonymous", False),
        endpoint_url=endpoint,
        client_kwargs={"region_name": options["region"]} if "region" in options else {},
        config_kwargs=config,
        use_listings_cache=False,
        skip_instance_cache=True,
    )
    return S3Driver(files)


def meaning(error: Exception) -> type[LadingError] | None:
    """What an error of the session asks of the caller; those of a request come as errors of the system."""
    if isinstance(error, (AwayError, HTTPClientError)):
        return RetriableError
    return FatalError if isinstance(error, (BotoCoreError, ClientError)) else None
