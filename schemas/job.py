"""What a job is: its states, how it may move between them, and what can become of a row."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Self


class JobKind(StrEnum):
    """What a job is for."""

    IMPORT = "import"
    VALIDATE = "validate"
    INVOKE = "invoke"


class JobState(StrEnum):
    """Where a job stands. The store has one timestamp for each, set when the job enters it."""

    RECEIVED = "received"
    VALIDATING = "validating"
    INVALID = "invalid"
    READY = "ready"
    IMPORTING = "importing"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def terminal(self) -> bool:
        """True when the job will never move again."""
        return not TRANSITIONS[self]


TRANSITIONS: Mapping[JobState, frozenset[JobState]] = {
    JobState.RECEIVED: frozenset({JobState.VALIDATING, JobState.FAILED, JobState.CANCELLED}),
    JobState.VALIDATING: frozenset({JobState.READY, JobState.INVALID, JobState.FAILED, JobState.CANCELLED}),
    JobState.READY: frozenset({JobState.IMPORTING, JobState.FINISHED, JobState.FAILED, JobState.CANCELLED}),
    JobState.IMPORTING: frozenset({JobState.FINISHED, JobState.FAILED, JobState.CANCELLED}),
    JobState.INVALID: frozenset(),
    JobState.FINISHED: frozenset(),
    JobState.FAILED: frozenset(),
    JobState.CANCELLED: frozenset(),
}
"""Every move that exists. READY → FINISHED is the end of a validate-only job."""

TERMINAL = frozenset(state for state in JobState if state.terminal)
RUNNING = frozenset(JobState) - TERMINAL


class Outcome(StrEnum):
    """What became of a row; each row of a terminal job has exactly one."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    IGNORED = "ignored"
    FAILED = "failed"
    UNCONFIRMED = "unconfirmed"
    UNPROCESSED = "unprocessed"


@dataclass(frozen=True)
class Counts:
    """Rows per outcome. `deleted` counts records that the file lacked, so it stands outside the sum."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    ignored: int = 0
    failed: int = 0
    unconfirmed: int = 0
    unprocessed: int = 0
    deleted: int = 0

    @property
    def rows(self) -> int:
        """The rows accounted for."""
        return sum(getattr(self, outcome.value) for outcome in Outcome)

    def __add__(self, other: "Counts") -> "Counts":
        """Both together, outcome by outcome."""
        return Counts(**{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(Counts)})


@dataclass(frozen=True)
class Ending:
    """How a job is to end: by itself, or for a reason that concerns the job as a whole.

    Attributes:
        code, message: why, None where the job just finished.
    """

    state: JobState = JobState.FINISHED
    code: str | None = None
    message: str | None = None

    @classmethod
    def from_stored(cls, stored: Mapping[str, Any]) -> Self:
        """The ending that `dataclasses.asdict` took apart."""
        return cls(JobState(stored["state"]), stored["code"], stored["message"])
