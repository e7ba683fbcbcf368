"""A child that ends with its parent, however that went."""

import os
import signal
import threading
import time

_LOOK_SECONDS = 0.5


def end_with(parent_pid: int, grace_seconds: float) -> None:
    """End this process when its parent is gone: it is asked to, and made to after `grace_seconds`."""
    threading.Thread(target=_watch, args=(parent_pid, grace_seconds), daemon=True, name="parent").start()


def _watch(parent_pid: int, grace_seconds: float) -> None:
    while os.getppid() == parent_pid:
        time.sleep(_LOOK_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(grace_seconds)
    os._exit(1)
