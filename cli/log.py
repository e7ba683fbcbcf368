"""Lading's own log file: what went wrong and where, never what stood in a row."""

import logging
from pathlib import Path
from traceback import format_tb

from schemas.settings import Settings

LOGGER = logging.getLogger("lading")


def log_path(settings: Settings) -> Path:
    """The log of this home."""
    return settings.home / "logs" / "lading.log"


def log_nowhere() -> None:
    """Keep what Lading logs off the terminal, before there is a home and when its disk is full."""
    logging.raiseExceptions = False
    _log_only_to(logging.NullHandler())
    LOGGER.propagate = False


def log_to_home(settings: Settings) -> None:
    """Send what Lading logs to its home.

    Raises:
        OSError: the home can't be made.
    """
    settings.make_home()
    path = log_path(settings)
    path.parent.mkdir(exist_ok=True, mode=0o700)
    handler = logging.FileHandler(path, delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    _log_only_to(handler)


def _log_only_to(handler: logging.Handler) -> None:
    for old in LOGGER.handlers:
        old.close()
    LOGGER.handlers = [handler]


def keep_traceback(error: Exception) -> str:
    """Log where the error came from, without its message, which may quote a value; gives the log's path."""
    LOGGER.error("%s\n%s", type(error).__name__, "".join(format_tb(error.__traceback__)))
    return next((h.baseFilename for h in LOGGER.handlers if isinstance(h, logging.FileHandler)), "no log")
