"""Copies what became of the rows of a job into the job store, where everybody reads it."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice

from schemas.chunk import Page, chunk_total
from schemas.definition import Mode
from schemas.destination import Verdict
from schemas.job import Counts
from store.database import Store
from store.jobs import check_epoch
from store.pages import put_errors, put_pages
from tasks.ending import refuse_when_ending
from tasks.staging import ROW, VERDICT, Stage

PAGES_PER_WRITE = 100
Groups = Counter[tuple[str, str | None]]
"""(code, field) → how many errors."""


def validated_pages(staged: Stage, rows: int, mode: Mode) -> Iterator[Page]:
    """What validation alone says of each of the `rows` data rows: the good ones stay unprocessed."""
    failed = "G" if mode is Mode.UPDATE else "F"
    letters = {Verdict.GOOD: "P", Verdict.FAILED: failed, Verdict.IGNORED: "I"}
    for chunk in staged.chunks(0, chunk_total(rows) - 1):
        said = "".join(letters[Verdict(verdict)] for verdict in chunk.frame[VERDICT])
        yield Page(chunk.chunk, said, tuple(chunk.frame[ROW]), (None,) * chunk.frame.height)


def copy_pages(store: Store, job_id: str, epoch: int, pages: Iterable[Page]) -> tuple[Counts, Groups]:
    """Keep each page, and apart from it what it says of failed rows; gives what they count together.

    Raises:
        LeaseLostError: somebody else took the lease since.
        ProcessEndsError: this process is about to end.
    """
    counts, groups, waiting = Counts(), Groups(), iter(pages)
    while batch := list(islice(waiting, PAGES_PER_WRITE)):
        refuse_when_ending()
        with store.write() as session:
            check_epoch(session, job_id, epoch)
            put_pages(session, job_id, (replace(page, errors=()) if page.errors else page for page in batch))
            for page in batch:
                put_errors(session, job_id, "import", page.errors)
        counts = sum((page.counts for page in batch), counts)
        groups.update((error.code, error.field) for page in batch for error in page.errors)
    return counts, groups
