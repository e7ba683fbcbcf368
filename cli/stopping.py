"""What a command says, and exits with, when the work on a job stops before the job's end."""

from collections.abc import Iterator
from contextlib import contextmanager

from cli.output import ExitStatus
from schemas.errors import LadingError, RetriableError

RESUME = "`lading resume` goes on where it stopped"
GOES_ON = "the service goes on with the job; its page can cancel it, `lading resume` shows how it comes along"


class StoppedError(Exception):
    """The work on a job stopped; no `LadingError`, because it is about the command and not about the job.

    Attributes:
        status: what the command exits with.
    """

    def __init__(self, message: str, status: ExitStatus) -> None:
        super().__init__(message)
        self.status = status


@contextmanager
def job_at_stake(then: str = RESUME) -> Iterator[None]:
    """Around whatever is done with a job: what goes wrong in here is no wrong usage any more.

    Ctrl-C is taken here because Typer, above us, ends the process without a word.

    Args:
        then: what becomes of a job that is not at its end.

    Raises:
        StoppedError: instead of Ctrl-C, a `LadingError` or an `OSError`.
    """
    try:
        yield
    except KeyboardInterrupt as interrupt:
        raise StoppedError(f"interrupted; {then}", ExitStatus.INTERRUPTED) from interrupt
    except RetriableError as error:
        raise StoppedError(f"{error}; {then}", ExitStatus.UNSUCCESSFUL) from error
    except (LadingError, OSError) as error:
        raise StoppedError(str(error), ExitStatus.UNSUCCESSFUL) from error
