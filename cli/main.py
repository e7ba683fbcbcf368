"""The command `lading`: its subcommands, and what an error makes of the exit status."""

import importlib
import logging
import sys

import typer
from pydantic import ValidationError

from cli.file_modes import closed_to_others
from cli.log import keep_traceback, log_nowhere
from cli.options import refuse_undecodable
from cli.output import ExitStatus, error_line
from cli.stopping import StoppedError
from schemas.errors import (
    ConflictError,
    DestinationError,
    FatalError,
    FileRefusedError,
    LadingError,
    LeaseLostError,
    VendorRefusedError,
)

COMMANDS = {
    "import": "import_commands",
    "resume": "import_commands",
    "check": "file_commands",
    "infer": "file_commands",
    "apply": "definition_commands",
    "definitions": "definition_commands",
    "template": "definition_commands",
    "jobs": "job_commands",
    "job": "job_commands",
    "keys": "key_commands",
    "databases": "database_commands",
    "connections": "connection_commands",
    "purge": "purge_commands",
    "schedules": "schedule_commands",
    "serve": "serve_commands",
    "status": "serve_commands",
}
"""Command → the module that has it; what another command needs is not imported."""


def command_line(command: str | None = None) -> typer.Typer:
    """All commands; or those of the module that has this one, where there is such a command."""
    app = typer.Typer(
        name="lading",
        help="Import files of records into a destination exactly once. Every row accounted for.",
        callback=_nothing,  # with a callback the name of a command is asked for where there is but one
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
    )
    named = COMMANDS.get(command or "")
    for module in [named] if named is not None else dict.fromkeys(COMMANDS.values()):
        importlib.import_module(f"cli.{module}").register(app)
    return app


def main() -> None:
    """Run the command that the arguments name; ends the process with its exit status."""
    logging.captureWarnings(capture=True)
    log_nowhere()
    with closed_to_others():
        _run()


def _nothing() -> None:
    pass


def _run() -> None:
    try:
        refuse_undecodable(sys.argv[1:])
        command_line(next(iter(sys.argv[1:]), None))()
    except StoppedError as stopped:
        error_line(str(stopped))
        sys.exit(stopped.status)
    except ValidationError as error:
        first = error.errors()[0]
        error_line(f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}")
        sys.exit(ExitStatus.USAGE)
    except (ConflictError, DestinationError, FileRefusedError, LeaseLostError, VendorRefusedError) as error:
        error_line(str(error))
        sys.exit(ExitStatus.UNSUCCESSFUL)
    except FatalError as error:
        error_line(str(error))
        sys.exit(ExitStatus.USAGE)
    except LadingError as error:
        error_line(str(error))
        sys.exit(ExitStatus.UNSUCCESSFUL)
    except OSError as error:
        error_line(f"{error.filename or 'the system'}: {error.strerror or error}")
        sys.exit(ExitStatus.USAGE)
    except Exception as error:  # noqa: BLE001 - the last place where a fault of ours can be told politely
        log = keep_traceback(error)
        error_line(f"a fault inside Lading ({type(error).__name__}); where it happened stands in {log}")
        sys.exit(ExitStatus.UNSUCCESSFUL)


if __name__ == "__main__":
    main()
