"""How long work on a job rests that could not be done for now: longer each time."""

import time

FIRST_SECONDS = 1.0
LONGEST_SECONDS = 60.0


class Pauses:
    """The pauses of what is to be done for jobs, in the memory of one worker; one thread at a time for each."""

    def __init__(self) -> None:
        self._resting: dict[str, tuple[float, float]] = {}

    def is_resting(self, work: str) -> bool:
        """True while the pause of this work lasts."""
        ends_at, _ = self._resting.get(work, (0.0, 0.0))
        return time.monotonic() < ends_at

    def rest(self, work: str) -> float:
        """Begin a pause, twice as long as the one before; gives its seconds."""
        _, last = self._resting.get(work, (0.0, FIRST_SECONDS / 2))
        seconds = min(2 * last, LONGEST_SECONDS)
        self._resting[work] = (time.monotonic() + seconds, seconds)
        return seconds

    def forget(self, work: str) -> None:
        """The work was done, or is somebody else's."""
        self._resting.pop(work, None)
