"""The last step of a job: what `atomic` keeps of a chunk till then, and what there is to tell; knows no SQL."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import polars as pl
from polars import selectors as cs

from schemas.chunk import LETTERS, Page
from schemas.definition import Definition
from schemas.destination import KEEP, StagedChunk
from schemas.errors import LastStepError
from schemas.job import Outcome

PIECE_CHUNKS = 20
"""Chunks that a promotion takes at once: enough to be quick, few enough for memory."""

_FAILED = {letter for letter, (outcome, _) in LETTERS.items() if outcome is Outcome.FAILED}


@dataclass(frozen=True)
class Completion:
    """What the last step of a job did.

    Attributes:
        refused: rows that the destination refused under `atomic`; if any, nothing was written.
        deleted: records that the file lacked.
    """

    refused: int = 0
    deleted: int = 0


class RowsRefusedError(Exception):
    """Undoes a promotion. Never leaves this room.

    Attributes:
        pages: the withdrawn pages of chunks with refused rows, all that is left of it; by chunk (0-based).
    """

    def __init__(self, pages: dict[int, bytes]) -> None:
        super().__init__(len(pages))
        self.pages = pages


def heads(
    definition: Definition, rows: pl.DataFrame, chunks: Sequence[StagedChunk]
) -> Iterator[tuple[int, bytes]]:
    """(chunk, head) for each chunk: all of its rows that a promotion needs outside the database, as Arrow.

    Args:
        rows: of all these chunks, in order, with the fields as they are stored.
    """
    first = 0
    for chunk in chunks:
        part = rows[first : first + chunk.frame.height]
        head = part.select("_ordinal", "_row", "_verdict", *definition.key, cs.starts_with(KEEP))
        out = io.BytesIO()
        head.write_ipc(out, compression="lz4")
        yield chunk.chunk, out.getvalue()
        first += chunk.frame.height


def chunk_of_head(chunk: int, head: bytes) -> StagedChunk:
    """The chunk with the columns of its head alone."""
    return StagedChunk(chunk, pl.read_ipc(io.BytesIO(head)))


def withdrawn(page: Page) -> Page:
    """The page once nothing of the job is written: what failed has failed, all else is unprocessed."""
    letters = "".join(letter if letter in _FAILED else "P" for letter in page.letters)
    return replace(page, letters=letters, target_ids=(None,) * len(letters))


def untouched(head: StagedChunk) -> Page:
    """The page of a chunk none of whose rows was refused, once nothing of the job is written."""
    n_rows = head.frame.height
    return Page(head.chunk, "P" * n_rows, tuple(head.frame["_row"]), (None,) * n_rows)


def rows_refused(definition: Definition, rows: int) -> LastStepError:
    """What to tell when the destination refused so many rows of a job."""
    noun = "row" if rows == 1 else "rows"
    return LastStepError(
        "job.atomic",
        f"the table {definition.table.table!r} refused {rows:,} {noun}, and under 'atomic' nothing is "
        "written then; each says why",
    )


def deletion_refused(definition: Definition, said: str) -> LastStepError:
    """What to tell when the table would not let the records go."""
    kept = (
        "under 'atomic' nothing was written"
        if definition.policies.atomic
        else "none was deleted, and what was created and updated stays"
    )
    return LastStepError(
        "job.sync",
        f"the table {definition.table.table!r} refused to delete the records that the file lacks "
        f"({said}); {kept}; remove what refers to them, or bring them in the file",
    )
