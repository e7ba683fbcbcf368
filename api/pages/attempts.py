"""How often somebody may try tokens: wrong ones are counted by the address that they come from."""

import threading
import time
from collections import OrderedDict, deque

WINDOW_SECONDS = 60.0
WRONG_TOKENS = 10
MOST_ADDRESSES = 10_000


class Attempts:
    """Counts wrong tokens in the memory of this process; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wrong: OrderedDict[str, deque[float]] = OrderedDict()

    def wait_seconds(self, address: str) -> int:
        """How long this address has to wait before it may try again; 0 when it may."""
        with self._lock:
            wrong = self._recent(address)
            if len(wrong) < WRONG_TOKENS:
                return 0
            return max(1, round(wrong[0] + WINDOW_SECONDS - time.monotonic()))

    def note_wrong(self, address: str) -> None:
        """Count a wrong token."""
        with self._lock:
            self._recent(address).append(time.monotonic())

    def _recent(self, address: str) -> deque[float]:
        wrong = self._wrong.setdefault(address, deque(maxlen=WRONG_TOKENS))
        self._wrong.move_to_end(address)
        while len(self._wrong) > MOST_ADDRESSES:
            self._wrong.popitem(last=False)
        while wrong and wrong[0] <= time.monotonic() - WINDOW_SECONDS:
            wrong.popleft()
        return wrong
