"""What is told of each record of an invoke: made of the pages and errors of its job."""

from collections import defaultdict
from collections.abc import Iterable

from connectors.invocation import RecordAnswer
from schemas.chunk import LETTERS, Page
from schemas.job import Ending, Outcome
from schemas.row_error import RowError


def answers(
    records: int, pages: Iterable[Page], errors: Iterable[RowError], ending: Ending
) -> list[RecordAnswer]:
    """One answer for each of so many records; one without a page is unprocessed, and the ending says why."""
    wrong: dict[int, list[RowError]] = defaultdict(list)
    for error in errors:
        if error.ordinal is not None:
            wrong[error.ordinal].append(error)
    told = [pair for page in pages for pair in zip(page.letters, page.target_ids, strict=True)]
    told += [("P", None)] * (records - len(told))
    return [
        _answer(place, letter, key, wrong.get(place, ()), ending) for place, (letter, key) in enumerate(told)
    ]


def _answer(
    place: int, letter: str, target_id: str | None, errors: Iterable[RowError], ending: Ending
) -> RecordAnswer:
    outcome, _ = LETTERS[letter]
    found = tuple(errors)
    if outcome is Outcome.UNPROCESSED and not found:
        message = ending.message or "nothing was done with the record"
        found = (RowError(ending.code or "job.failed", message, place, place + 1),)
    return RecordAnswer(outcome, found, target_id)
