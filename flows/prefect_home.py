"""Keeps Prefect inside Lading's home, whatever the person who runs Lading has set up for Prefect elsewhere.

Prefect takes each setting from the first of: environment, `.env`, `prefect.toml` and `pyproject.toml` of the
current folder, active profile (`prefect/settings/base.py` of 3.8.8). It reads them when it is imported.
"""

import contextlib
import os
import sys
from pathlib import Path

from schemas.settings import Settings

LOGGING_PATH = Path(__file__).with_name("logging.yml")
_LOOPBACK = "127.0.0.1,localhost"


def prefect_log(settings: Settings) -> Path:
    """Where Prefect's loggers, and Lading's own Prefect server, write."""
    return settings.home / "logs" / "prefect.log"


def isolate(settings: Settings) -> None:
    """Make this process and its children use Lading's own Prefect settings and no others.

    To be called before the first import of Prefect, while the process has one thread: Prefect is imported
    here, for a moment from within its home. After a later call Prefect's clients use our settings too, but what
    it did while it was imported is done. Flows that Prefect itself starts (runner, worker) must not call this.
    """
    adopt_environment(settings)
    reread(settings)


def adopt_environment(settings: Settings) -> None:
    """Make the folders, and the environment that children inherit; does not import Prefect."""
    settings.make_home()
    settings.prefect_home.mkdir(exist_ok=True, mode=0o700)
    prefect_log(settings).parent.mkdir(exist_ok=True, mode=0o700)
    for name in [name for name in os.environ if name.upper().startswith("PREFECT_")]:
        del os.environ[name]
    os.environ.update(_environment(settings))


def reread(settings: Settings) -> None:
    """Make Prefect read the environment again; files of the current folder stay unread."""
    is_read_already = "prefect.main" in sys.modules  # else the import below reads it, and once is enough
    with contextlib.chdir(settings.prefect_home):
        from prefect.context import refresh_global_settings_context
        from prefect.logging.configuration import setup_logging
        from prefect.main import flow  # noqa: F401  # the rest of Prefect, while no foreign file is near

        if is_read_already:
            refresh_global_settings_context()
            setup_logging(incremental=False)


def _environment(settings: Settings) -> dict[str, str]:
    """Our settings; an empty value wins over a file, which deleting would not."""
    home = settings.prefect_home.resolve()
    named = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or _LOOPBACK
    bypass = named if _LOOPBACK in named else f"{named},{_LOOPBACK}"
    return {
        "DO_NOT_TRACK": "1",
        "NO_PROXY": bypass,
        "no_proxy": bypass,
        "PREFECT_API_AUTH_STRING": "",
        "PREFECT_API_KEY": "",
        "PREFECT_API_URL": settings.prefect_api_url or "",
        # A server that is gone is told after seconds, not minutes; the job can be resumed.
        "PREFECT_CLIENT_MAX_RETRIES": "3",
        # Client and server are of one installation; to compare them costs a request for each run.
        "PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED": "false",
        "PREFECT_HOME": str(home),
        "PREFECT_LOGGING_HANDLERS_FILE_FILENAME": str(prefect_log(settings).resolve()),
        "PREFECT_LOGGING_SETTINGS_PATH": str(LOGGING_PATH),
        "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
        "PREFECT_PROFILE": "ephemeral",
        "PREFECT_PROFILES_PATH": str(home / "profiles.toml"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        # Without an address Prefect would start a server in silence; better an error.
        "PREFECT_SERVER_EPHEMERAL_ENABLED": "false",
    }
