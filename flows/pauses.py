"""How long a job rests that could not be brought to its end for now: longer each time."""

import time

FIRST_SECONDS = 1.0
LONGEST_SECONDS = 60.0


class Pauses:
    """The pauses of jobs, in the memory of one worker; used by one thread at a time for each job."""

    def __init__(self) -> None:
        self._resting: dict[str, tuple[float, float]] = {}

    def is_resting(self, job_id: str) -> bool:
        """True while the job's pause lasts."""
        ends_at, _ = self._resting.get(job_id, (0.0, 0.0))
        return time.monotonic() < ends_at

    def rest(self, job_id: str) -> float:
        """Begin a pause, twice as long as the one before; gives its seconds."""
        _, last = self._resting.get(job_id, (0.0, FIRST_SECONDS / 2))
        seconds = min(2 * last, LONGEST_SECONDS)
        self._resting[job_id] = (time.monotonic() + seconds, seconds)
        return seconds

    def forget(self, job_id: str) -> None:
        """The job came to its end, or is somebody else's."""
        self._resting.pop(job_id, None)
