"""One thread that takes from an iterator while we work on what it gave before."""

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")
_TICK_SECONDS = 0.1
"""How soon the thread notices that nobody wants more."""


class _End:
    """Stands behind the last element, with what the iterator raised, if it did."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


@contextmanager
def read_ahead(source: Iterator[T], most: int = 2) -> Iterator[Iterator[T]]:
    """The same elements in the same order, `most` of them taken before they are asked for.

    What `source` raises is raised where its element would have come. The thread is gone when the block ends.
    """
    taken: queue.Queue[T | _End] = queue.Queue(most)
    enough = threading.Event()
    thread = threading.Thread(target=_take, args=(source, taken, enough), daemon=True, name="read-ahead")
    thread.start()
    try:
        yield _given(taken)
    finally:
        enough.set()
        thread.join()


def _take(source: Iterator[T], taken: "queue.Queue[T | _End]", enough: threading.Event) -> None:
    try:
        for element in source:
            if not _put(taken, element, enough):
                return
        _put(taken, _End(), enough)
    except BaseException as error:  # noqa: BLE001 - raised again where the elements are used
        _put(taken, _End(error), enough)


def _put(taken: "queue.Queue[T | _End]", element: T | _End, enough: threading.Event) -> bool:
    """False where nobody wants the element any more."""
    while not enough.is_set():
        try:
            taken.put(element, timeout=_TICK_SECONDS)
        except queue.Full:
            continue
        return True
    return False


def _given(taken: "queue.Queue[T | _End]") -> Iterator[T]:
    while not isinstance(element := taken.get(), _End):
        yield element
    if element.error is not None:
        raise element.error
