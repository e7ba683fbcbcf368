"""The command `lading`: its subcommands, and what an error makes of the exit status."""

import logging
import sys

import typer
from pydantic import ValidationError

from cli import (
    database_commands,
    definition_commands,
    file_commands,
    import_commands,
    job_commands,
    key_commands,
    purge_commands,
    serve_commands,
)
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
)

app = typer.Typer(
    name="lading",
    help="Import files of records into a destination exactly once. Every row accounted for.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
for room in (
    import_commands,
    file_commands,
    definition_commands,
    job_commands,
    key_commands,
    database_commands,
    purge_commands,
    serve_commands,
):
    room.register(app)


def main() -> None:
    """Run the command that the arguments name; ends the process with its exit status."""
    logging.captureWarnings(capture=True)
    log_nowhere()
    with closed_to_others():
        _run()


def _run() -> None:
    try:
        refuse_undecodable(sys.argv[1:])
        app()
    except StoppedError as stopped:
        error_line(str(stopped))
        sys.exit(stopped.status)
    except ValidationError as error:
        first = error.errors()[0]
        error_line(f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}")
        sys.exit(ExitStatus.USAGE)
    except (ConflictError, DestinationError, FileRefusedError, LeaseLostError) as error:
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
