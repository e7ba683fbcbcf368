"""The counts of a job as a bar and as a sentence."""

from collections.abc import Sequence
from dataclasses import dataclass

from api.pages.words import many, number
from schemas.job import JobState, Outcome
from store.tables import Job

LEAST_PERCENT = 1.5
"""So wide is the narrowest part of a bar: three failed rows of a million are to be seen."""


@dataclass(frozen=True)
class Segment:
    """The part of a bar that stands for one outcome; percents of the bar's width."""

    outcome: str
    rows: int
    start_percent: float
    width_percent: float


def segments_of(job: Job) -> Sequence[Segment]:
    """The parts of a terminal job's bar, outcomes without rows left out; none before that."""
    found = {o.value: rows for o in Outcome if (rows := getattr(job.counts, o.value))}
    total = sum(found.values())
    weights = {outcome: max(100 * rows / total, LEAST_PERCENT) for outcome, rows in found.items()}
    scale = 100 / sum(weights.values()) if weights else 0
    segments, start = [], 0.0
    for outcome, weight in weights.items():
        width = weight * scale
        segments.append(Segment(outcome, found[outcome], round(start, 2), round(width, 2)))
        start += width
    return segments


def percent_of(job: Job) -> int | None:
    """How far a running job is; None where nobody can know, because its file is not read to the end."""
    if job.state is JobState.RECEIVED:
        return 0
    if not job.rows:
        return None
    return min(100, 100 * job.rows_loaded // job.rows)


def counted(job: Job) -> str:
    """What became of the rows, in a few words."""
    if job.state is JobState.RECEIVED:
        return "not begun"
    if not job.state.terminal:
        if job.rows is None:
            return f"{many(job.rows_read, 'row')} read"
        return f"{number(job.rows_loaded)} of {many(job.rows, 'row')} imported"
    parts = [f"{number(segment.rows)} {segment.outcome}" for segment in segments_of(job)]
    if not parts:
        return "no rows" if job.state is JobState.FINISHED else "nothing was imported"
    return ", ".join(parts)
