"""Every exception of Lading, sorted by what the caller should do next.

    LadingError
    ├── RetriableError            nothing is decided; the same call may succeed later
    │   ├── StoreBusyError        the job store or the destination is locked by somebody else
    │   └── VendorBusyError       a vendor took nothing of it; says when to ask again
    ├── FatalError                repeating is useless until a person changes something
    │   ├── DefinitionError       a definition document is wrong; says where
    │   ├── UnfitConnectionError  a connection can't be as it was said; says where
    │   ├── FileRefusedError      the file as a whole can't be imported; has a code of the catalogue
    │   ├── DestinationError      the destination does not fit or can't be used
    │   │   └── LastStepError     it refused the last step; nothing of that step was written
    │   ├── NotFoundError         no such job, definition or file
    │   ├── ConflictError         the job's state does not allow this
    │   │   ├── BusyError         another job has the destination, and this one was not to wait
    │   │   └── IdempotencyConflictError  the idempotency key stands for another request
    │   ├── BodyError             what was sent over HTTP can't be taken; has a status
    │   ├── PartRefusedError      a part of a file does not fit the parts before it; has a reason
    │   ├── NoSpaceError          there is no room for a file
    │   ├── NotAllowedError       whoever asks may not say or see this; says which rule
    │   ├── VendorRefusedError    a vendor refused the call; has its status
    │   ├── DeliveryError         what was handed over to a vendor did not end well; has a code
    │   ├── JobUnsuccessfulError  the job ended, but not well; its record says why
    │   ├── BytesExpiredError     the job's bytes were kept for some time only, and that is over
    │   └── LeaseLostError        another worker owns the job now; stop and commit nothing
    ├── CancelRequestedError      somebody asked for the job's end; whoever works on it ends it as cancelled
    ├── ProcessEndsError          this process is about to end; the job stays where it is for another
    └── OutcomeUnknownError       it may have happened; find out before repeating

A bad row is never an exception: it is a `RowError`, which is data.
"""


class LadingError(Exception):
    """Anything that Lading itself reports."""


class RetriableError(LadingError):
    """Nothing is decided; the same call may succeed later."""


class StoreBusyError(RetriableError):
    """A database stayed locked for longer than Lading waits."""


class VendorBusyError(RetriableError):
    """A vendor took nothing of the call: there are too many, or another import is under way.

    Attributes:
        wait_seconds: after which to ask again, as it said; 0 where it said nothing.
    """

    def __init__(self, message: str, *, wait_seconds: float = 0.0) -> None:
        super().__init__(message)
        self.wait_seconds = wait_seconds


class FatalError(LadingError):
    """Repeating is useless until a person changes something."""


class DefinitionError(FatalError):
    """A definition document is wrong.

    Attributes:
        line: 1-based line of the document, or None where the document as a whole is meant.
    """

    def __init__(self, message: str, *, line: int | None = None) -> None:
        super().__init__(message if line is None else f"line {line}: {message}")
        self.line = line


class UnfitConnectionError(FatalError):
    """A connection to a vendor can't be as it was said; the message says where."""


class FileRefusedError(FatalError):
    """The file as a whole can't be imported.

    Attributes:
        code: a file-level code of `schemas.codes`.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class DestinationError(FatalError):
    """The destination does not fit the definition, or can't be used; the message names the difference."""


class LastStepError(DestinationError):
    """The destination refused the last step of a job, and nothing of that step was written.

    Attributes:
        code: `job.atomic` or `job.sync` of `schemas.codes`.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class NotFoundError(FatalError):
    """No such job, definition or file."""


class ConflictError(FatalError):
    """The state of the thing does not allow what was asked."""


class BusyError(ConflictError):
    """Another job has the destination, and this one was not to wait.

    Attributes:
        job_id: that job's; None where whoever asks may not know it.
    """

    def __init__(self, message: str, job_id: str | None) -> None:
        super().__init__(message)
        self.job_id = job_id


class BodyError(FatalError):
    """What was sent over HTTP can't be taken.

    Attributes:
        status: of HTTP, 400, 413 or 415.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class IdempotencyConflictError(ConflictError):
    """The idempotency key stands for a request that asked for something else."""


class PartRefusedError(FatalError):
    """A part of a file does not fit the parts that came before it.

    Attributes:
        reason: `EntityTooSmall`, `InvalidPart`, `InvalidPartOrder` or `NoSuchUpload`, as stores of objects say.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class NoSpaceError(FatalError):
    """There is no room for a file, on the disk or among what its owner may keep."""


class NotAllowedError(FatalError):
    """Whoever asks may not say this, or not with this key.

    Attributes:
        rule: stable name of the rule that says so, for machines.
    """

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule


class VendorRefusedError(FatalError):
    """A vendor refused the call, and nothing of it took effect; the message quotes what it said.

    Attributes:
        status: of HTTP, from 300 to 499; None where it said so in an answer that was well.
    """

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class DeliveryError(FatalError):
    """Records that were to go to a vendor did not all come to a good end there.

    Attributes:
        code: `vendor.failed`, `vendor.deadline` or `vendor.unknown` of `schemas.codes`.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class JobUnsuccessfulError(FatalError):
    """The job ended `invalid`, `failed` or `cancelled`; every row is accounted for all the same.

    Attributes:
        job_id: its record says why.
    """

    def __init__(self, job_id: str, message: str) -> None:
        super().__init__(message)
        self.job_id = job_id


class BytesExpiredError(FatalError):
    """The job's bytes were kept for some time only, which was over before it came to its end."""


class LeaseLostError(FatalError):
    """Another worker owns the job now; whoever gets this stops and commits nothing more."""


class CancelRequestedError(LadingError):
    """Somebody asked for the job's end; whoever works on it ends it as `cancelled`."""


class ProcessEndsError(LadingError):
    """This process is about to end; the job stays where it is, and another process goes on with it."""


class OutcomeUnknownError(LadingError):
    """The call may have taken effect; find out before repeating it."""
