"""What drives a vendor: the promises of a client, and what it says.

A client knows neither the job store nor the user's file. It is given parts, files in the vendor's own kind, and
says what became of their records by the vendor's own row numbers.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from schemas.definition import Definition
from schemas.errors import VendorRefusedError

Handle = Mapping[str, str | int]
"""What the vendor gave us so far, by which it knows a part again; kept in the job store between steps."""


@dataclass(frozen=True)
class Part:
    """One file for the vendor.

    Attributes:
        rows: how many records it has.
        file_name: as the vendor is to call it.
        number: 1-based.
        total_rows: records of all parts of the job together.
    """

    path: Path
    rows: int
    file_name: str
    number: int
    total_rows: int


@dataclass(frozen=True)
class Refused:
    """What a vendor says of a record that it did not take.

    Attributes:
        row: 1-based in the file that it was given, with the header as row 1 and the first record as row 2, in
            JSON Lines and JSON too; None where the vendor does not tell.
        field: as the vendor calls it, usually a header; None where the record as a whole is meant.
        message: the vendor's own words.
    """

    row: int | None
    field: str | None
    message: str


@dataclass(frozen=True)
class Look:
    """What the vendor tells of a part at this moment.

    Attributes:
        done: nothing of it will change any more.
        failed: why the vendor gave the part up as a whole; None where it did not.
        counts: in our words of outcomes, and `total`; None where it tells none.
        refused: records that it did not take.
        outcomes: what became of each record, in order, as words of `schemas.job.Outcome`; None where the vendor
            does not tell each one.
        link: where the vendor shows the import to people.
    """

    done: bool
    failed: str | None = None
    counts: Mapping[str, int] | None = None
    refused: Sequence[Refused] = ()
    outcomes: Sequence[str] | None = None
    link: str | None = None


class RecordsRefusedError(VendorRefusedError):
    """The vendor took nothing of a part because of some of its records.

    Attributes:
        refused: these records; the others are as good as they were.
    """

    def __init__(self, message: str, refused: Sequence[Refused]) -> None:
        super().__init__(message)
        self.refused = refused


class Client(Protocol):
    """Drives one vendor for one job; used by one thread at a time.

    Every method that calls the vendor may raise `RetriableError` (nothing was decided) or `FatalError`.

    Attributes:
        file_kind: of its parts: `csv`, `xlsx`, `jsonl` or `json` (one array of objects).
        part_rows: most records of a part; None: all in one.
        part_bytes: most bytes of a part of the kind `jsonl`, unless one record alone has more; None: any.
        pause_seconds: between the end of one part and the next.
        one_at_a_time: a part is waited for before the next one is handed over.
        submit_is_repeatable: a part that was handed over twice is taken once.
        poll_seconds: the vendor is asked no more often than this.
        tells: False where the vendor has no status to ask for; then `look` is never called.
    """

    file_kind: str
    part_rows: int | None
    part_bytes: int | None
    pause_seconds: float
    one_at_a_time: bool
    submit_is_repeatable: bool
    poll_seconds: float
    tells: bool

    def headers(self, definition: Definition) -> Sequence[str]:
        """What the vendor calls each field, in the order of the definition's fields."""
        ...

    def prepare(self, part: Part, handle: Handle, keep: Callable[[Handle], None]) -> Handle:
        """Do what goes before `submit` and may be repeated, such as an upload; gives the handle that it left.

        Called again from the beginning with the last handle that was kept, so it passes over what that knows.

        Args:
            keep: keeps a handle at once; what came before is not done again.

        Raises:
            VendorBusyError: the vendor is not ready; called again after a while.
            VendorRefusedError: the vendor does not take the part; `RecordsRefusedError` where it names records.
        """
        ...

    def submit(self, part: Part, handle: Handle) -> Handle:
        """Hand the part over, in one call that makes the vendor begin; gives the handle to look with.

        Raises:
            VendorBusyError: the vendor is not ready; called again after a while.
            OutcomeUnknownError: the answer was lost, and the vendor may have begun.
            VendorRefusedError: the vendor does not take the part; `RecordsRefusedError` where it names records.
        """
        ...

    def reconcile(self, part: Part, handle: Handle) -> Handle | None:
        """The handle of a part whose answer was lost, found at the vendor; None where that can't be done."""
        ...

    def look(self, handle: Handle) -> Look:
        """What the vendor tells of the part by now."""
        ...

    def link(self, handle: Handle) -> str | None:
        """Where the vendor shows the import to people; None where it does not."""
        ...

    def test(self) -> str:
        """Make the cheapest harmless call that needs our credentials; gives a sentence on what answered."""
        ...

    def close(self) -> None:
        """Give back connections; the client is not used after this."""
        ...


def own_headers(definition: Definition) -> tuple[str, ...]:
    """What the definition itself calls each field: the first of its headers."""
    return tuple(field.headers[0] for field in definition.fields)
