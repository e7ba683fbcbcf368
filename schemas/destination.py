"""What a destination promises, and what it is handed: the words between import and where records go."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

import polars as pl

from schemas.chunk import Page
from schemas.definition import Definition

KEEP = "_keep:"
"""Before a field's name: the Boolean column of rows that, on update, leave the field's column as it is."""


class Verdict(IntEnum):
    """What validation says of a row, as stored in a staged chunk."""

    GOOD = 0
    FAILED = 1
    IGNORED = 2


@dataclass(frozen=True)
class StagedChunk:
    """One chunk as validation left it.

    Attributes:
        chunk: 0-based.
        frame: (n_rows, 3 + n_fields), every row of the chunk in order of ordinal, with the columns
            `_ordinal` (UInt32, 0-based), `_row` (UInt32, 1-based as the user sees it), `_verdict`
            (UInt8, a `Verdict`), then the typed fields that the file has. In a row that is not GOOD
            a field may be null although the file has a value. Where rows leave a field out, that column has
            a `_keep:` column beside it; a chunk in which no row does may lack that.
    """

    chunk: int
    frame: pl.DataFrame


class Destination(Protocol):
    """Where the records of one definition go; used by one worker at a time.

    Every method may raise `RetriableError` (nothing was decided) or `DestinationError`.
    """

    def prepare(self, definition: Definition) -> None:
        """Make what is not there yet.

        Raises:
            DestinationError: what is there does not fit; the difference is named and nothing changed.
        """
        ...

    def begin(self, job_id: str, epoch: int) -> None:
        """From now on only the holder of this epoch (or a higher one) commits for the job.

        Raises:
            LeaseLostError: a higher epoch was here already, or the job is sealed.
        """
        ...

    def committed_chunks(self, job_id: str) -> frozenset[int]:
        """The chunks that need not be loaded again: those with a page, and those that `atomic` staged."""
        ...

    def load(self, job_id: str, epoch: int, definition: Definition, chunks: Sequence[StagedChunk]) -> None:
        """Apply the chunks and write their pages, all in one transaction; committed ones are passed over.

        A row that the destination refuses costs that row alone: its page says why. Under the policy `atomic`
        the chunks only go to a table of Lading's at the destination, which `complete` empties.

        Raises:
            LeaseLostError: a higher epoch was here, or the job is sealed; nothing was committed.
        """
        ...

    def complete(self, job_id: str, epoch: int, definition: Definition, keys: Iterable[pl.DataFrame]) -> None:
        """Take the last step, once every chunk was loaded, in one transaction; harmless when repeated.

        What `atomic` staged is written, with all pages; then mode `sync` deletes the records whose key is not
        among `keys`, and notes how many. Where neither is asked for, nothing is done.

        Args:
            keys: (n, n_key) frames of the typed key fields of all rows of the file, failed ones included.

        Raises:
            LeaseLostError: a higher epoch was here, or the job is sealed; nothing was committed.
            LastStepError: the destination refused the step; no record was touched by it. Under
                `atomic` the pages then have the refused rows as failed and all others as unprocessed.
        """
        ...

    def deleted(self, job_id: str) -> int:
        """How many records `complete` deleted."""
        ...

    def seal(self, job_id: str, epoch: int) -> None:
        """No chunk of this job is ever committed after this; harmless when repeated.

        What `atomic` staged and nobody promoted is gone with it.

        Raises:
            LeaseLostError: a higher epoch was here; nothing is sealed.
        """
        ...

    def pages(self, job_id: str, first: int = 0) -> Iterator[Page]:
        """All committed pages in order of chunk, from this chunk (0-based) on."""
        ...

    def close(self) -> None:
        """Give back connections; the destination is not used after this."""
        ...
