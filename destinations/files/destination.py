"""One new file for each job: its records are kept beside the job, and put in their place when all are there."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import polars as pl

from destinations.files.columns import whole_records
from destinations.files.kept_records import DELIVERED, KeptRecords
from destinations.files.refusing import refused_records
from destinations.files.writing import write_file
from destinations.outcomes import SEQ, Outcomes
from destinations.places import READ_BYTES, OpenPlace, opened_place
from destinations.sqlite_books import PAGES_AT_ONCE
from destinations.sqlite_errors import explained
from destinations.values import stored_rows, whole_frame
from schemas.chunk import Page
from schemas.definition import Definition
from schemas.destination import StagedChunk, Verdict
from schemas.destination_document import FileDestination
from schemas.errors import DestinationError, FatalError, NotFoundError
from schemas.place_secrets import unsealing
from schemas.settings import Settings

_UNWRITTEN = str.maketrans("C", "P")


class FilesDestination:
    """A `Destination` whose records become a file once `complete` is called, used by one thread at a time.

    Until then its pages are not shown, for no record is in its place. The file has a name that is the same
    however often it is written, so that a job that was killed writes it over.

    Args:
        destination: with its blanks filled in.
    """

    def __init__(self, settings: Settings, tenant: str, destination: FileDestination) -> None:
        self._settings = settings
        self._unseal = unsealing(settings, tenant)
        self._destination = destination
        self._path = destination.address.path
        self._kept: dict[str, KeptRecords] = {}

    def prepare(self, definition: Definition) -> None:
        """Nothing is made before the file is whole."""

    def begin(self, job_id: str, epoch: int) -> None:
        """From now on only the holder of this epoch (or a higher one) commits for the job.

        Raises:
            LeaseLostError: a higher epoch was here already, or the job is sealed.
        """
        with self._transaction(job_id) as kept:
            kept.books.begin(job_id, epoch)

    def committed_chunks(self, job_id: str) -> frozenset[int]:
        """The chunks (0-based) whose records are kept."""
        with self._transaction(job_id) as kept:
            return kept.books.committed(job_id)

    def load(self, job_id: str, epoch: int, definition: Definition, chunks: Sequence[StagedChunk]) -> None:
        """Keep the records of the chunks and their pages, in one transaction; kept ones are passed over.

        A record that the kind of file can't hold as it is costs that record alone: its page says why.

        Raises:
            LeaseLostError: a higher epoch was here, or the job is sealed; nothing was kept.
        """
        with self._transaction(job_id) as kept:
            kept.books.check_fence(job_id, epoch)
            committed = kept.books.committed(job_id)
            todo = [chunk for chunk in chunks if chunk.chunk not in committed]
            if not todo:
                return
            frame = whole_frame(todo)
            rows = stored_rows(definition, frame)
            outcomes = Outcomes(definition, rows)
            good = rows["_verdict"] == Verdict.GOOD
            numbers, records = rows.filter(good)[SEQ], whole_records(definition, frame.filter(good))
            outcomes.mark("C", numbers.to_list())
            refused = refused_records(self._destination.kind, definition, records, numbers.to_list())
            outcomes.note_refused("F", refused)
            kept.keep(todo[0].chunk, records.filter(~numbers.is_in(list(refused))))
            for page in outcomes.pages(todo, keys_are_stored=True):
                kept.books.write(job_id, page)

    def complete(self, job_id: str, epoch: int, definition: Definition, keys: Iterable[pl.DataFrame]) -> None:
        """Write the file and put it in its place; harmless when repeated.

        Raises:
            LeaseLostError: a higher epoch was here, or the job is sealed.
            DestinationError: the place refuses it, or the format can't hold so many records.
            RetriableError: the place is away.
        """
        del keys
        with self._transaction(job_id) as kept:
            kept.books.check_fence(job_id, epoch)
            if kept.is_delivered():
                return
        whole = self._whole(job_id, definition, epoch)
        with self._place() as place:
            self._put(place, whole, job_id, epoch)
        with self._transaction(job_id) as kept:
            kept.books.check_fence(job_id, epoch)
            kept.books.complete(job_id, DELIVERED)

    def deleted(self, job_id: str) -> int:
        """A file holds no records of earlier jobs."""
        del job_id
        return 0

    def seal(self, job_id: str, epoch: int) -> None:
        """No record of this job is ever kept or written after this; harmless when repeated.

        Where the job was killed between putting the file in its place and noting it, the file is looked at.

        Raises:
            LeaseLostError: a higher epoch was here; nothing is sealed.
            RetriableError: the file has to be looked at, and the place is away.
        """
        with self._transaction(job_id) as kept:
            kept.books.seal(job_id, epoch)
            unsure = kept.was_sent() and not kept.is_delivered()
        if unsure and self._is_in_place(job_id):
            with self._transaction(job_id) as kept:
                kept.books.complete(job_id, DELIVERED)

    def pages(self, job_id: str, first: int = 0) -> Iterator[Page]:
        """The pages in order of chunk, from this one on, once what they say is so.

        Of a job that was sealed without its file, the records are unprocessed.
        """
        with self._transaction(job_id) as kept:
            delivered, sealed = kept.is_delivered(), kept.is_sealed()
        last, full = first - 1, delivered or sealed
        while full:
            with self._transaction(job_id) as kept:
                found = kept.books.pages_after(job_id, last)
            yield from found if delivered else map(_unwritten, found)
            full = len(found) == PAGES_AT_ONCE
            last = found[-1].chunk if found else last

    def close(self) -> None:
        """Give back the connections; the destination is not used after this."""
        for kept in self._kept.values():
            kept.close()

    @contextmanager
    def _transaction(self, job_id: str) -> Iterator[KeptRecords]:
        with explained(f"keeping the records of job {job_id}"):
            if job_id not in self._kept:
                folder = self._settings.stages_path(job_id)
                self._kept[job_id] = KeptRecords(folder, job_id, self._settings.busy_timeout_seconds)
            with self._kept[job_id].transaction():
                yield self._kept[job_id]

    def _whole(self, job_id: str, definition: Definition, epoch: int) -> Path:
        """The written file, beside the job; a worker that lost its lease writes to another."""
        path = self._settings.stages_path(job_id) / f"file-{epoch}"
        with explained(f"writing the file of job {job_id}"):
            write_file(self._destination, definition, path, self._kept[job_id].frames())
        return path

    def _put(self, place: OpenPlace, whole: Path, job_id: str, epoch: int) -> None:
        """Put the file in its place; that it may be there is noted before."""
        with self._transaction(job_id) as kept:
            kept.books.check_fence(job_id, epoch)
            first_time = kept.note_sent()
        try:
            place.put(whole, self._path, f"{job_id}-{epoch}")
        except FatalError:
            if first_time:
                # The place refused it, so nobody needs to look whether it is there.
                with self._transaction(job_id) as kept:
                    kept.forget_sent()
            raise
        place.clear(self._path, job_id)

    @contextmanager
    def _place(self) -> Iterator[OpenPlace]:
        try:
            with opened_place(self._destination, self._unseal) as place:
                yield place
        except FatalError as error:
            raise DestinationError(str(error)) from error

    def _is_in_place(self, job_id: str) -> bool:
        """Whether one of the files that were written for the job is, byte for byte, what lies in its place."""
        written = set()
        for path in self._settings.stages_path(job_id).glob("file-*"):
            with path.open("rb") as stream:
                written.add(_digest(stream))
        with self._place() as place:
            place.clear(self._path, job_id)
            try:
                with place.reading(self._path) as stream:
                    return _digest(stream) in written
            except NotFoundError:
                return False


def _digest(stream: BinaryIO) -> str:
    digest = hashlib.sha256()
    while block := stream.read(READ_BYTES):
        digest.update(block)
    return digest.hexdigest()


def _unwritten(page: Page) -> Page:
    return replace(page, letters=page.letters.translate(_UNWRITTEN), target_ids=(None,) * len(page.letters))
