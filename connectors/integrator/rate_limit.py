"""How many calls a tenant may make: a bucket that each call fills by one, and that leaks steadily."""

import math
import time
from collections.abc import Callable
from threading import Lock


class LeakyBuckets:
    """One bucket a tenant.

    Args:
        capacity_calls: so many calls fit in.
        calls_per_second: so many leak out each second.
    """

    def __init__(
        self, capacity_calls: int, calls_per_second: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._capacity_calls = capacity_calls
        self._calls_per_second = calls_per_second
        self._clock = clock
        self._lock = Lock()
        self._levels: dict[str, tuple[float, float]] = {}

    def wait_seconds(self, tenant: str) -> int:
        """0 where the call is let in; else after how many whole seconds there is room for one."""
        now = self._clock()
        with self._lock:
            level, at = self._levels.get(tenant, (0.0, now))
            level = max(0.0, level - (now - at) * self._calls_per_second)
            overflow = level + 1 - self._capacity_calls
            self._levels[tenant] = (level if overflow > 0 else level + 1, now)
        return max(1, math.ceil(overflow / self._calls_per_second)) if overflow > 0 else 0
