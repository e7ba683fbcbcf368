"""What drives a client in tests: one part, from its preparation to its end, with a new client for each step."""

import csv
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import xlsxwriter

from connectors import Connector
from connectors.access import Access
from connectors.client import Client, Handle, Look, Part
from connectors.vendor_http import vendor_http
from schemas.errors import FatalError, OutcomeUnknownError, RetriableError, VendorRefusedError
from tests.connectors.scripted.script import Row

T = TypeVar("T")


@dataclass
class End:
    """How a part ended: `done`, `failed`, `lost`, `refused` or `late`.

    Attributes:
        look: the last one.
        error: why it ended so.
    """

    how: str
    look: Look | None = None
    error: Exception | None = None


@dataclass
class Driver:
    """Makes clients of one connector; what they wait for, beside a vendor's own pace, passes at once.

    Attributes:
        kept: secrets that a client had kept.
        slept: the seconds of each wait.
        busy: what vendors said who took nothing for now.
        most_tries: so often a step is tried, or a part looked at, before it counts as never ending.
        pause_seconds: after each try and look.
    """

    connector: Connector
    url: str
    container: Mapping[str, str | int]
    secrets: Mapping[str, str]
    options: Mapping[str, str] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)
    slept: list[float] = field(default_factory=list)
    busy: list[Exception] = field(default_factory=list)
    handle: Handle = field(default_factory=dict)
    most_tries: int = 30
    pause_seconds: float = 0.0

    @contextmanager
    def client(self) -> Iterator[Client]:
        """A client that knows nothing but the connection."""
        secrets = {**self.secrets, **self.kept}
        http = vendor_http(self.url, is_guarded=False, secrets=secrets.values(), sleep=self.sleep)
        keep = self.kept.__setitem__
        client = self.connector.client(Access(self.url, self.options, secrets, self.container, http, keep))
        with closing(client):
            yield client

    def sleep(self, seconds: float) -> None:
        """Remember what was to be slept; a pace of calls, which looks at the clock, is kept all the same."""
        self.slept.append(seconds)
        time.sleep(min(seconds, 0.02))

    def step(self, call: Callable[[Client], T]) -> T:
        """What a new client's call gives, once it does."""
        for tries_left in reversed(range(self.most_tries)):
            try:
                with self.client() as client:
                    return call(client)
            except RetriableError as error:
                self.busy.append(error)
                if not tries_left:
                    raise
                time.sleep(self.pause_seconds)
        raise AssertionError

    def keep(self, handle: Handle) -> None:
        """Keep the handle as the job store does."""
        self.handle = json.loads(json.dumps(handle))

    def deliver(self, part: Part) -> End:
        """Bring the part to its end, as the stage does that hands over."""
        try:
            self.keep(self.step(lambda c: c.prepare(part, self.handle, self.keep)))
            self.keep(self.step(lambda c: self._submitted(c, part)))
        except OutcomeUnknownError as error:
            return End("lost", error=error)
        except VendorRefusedError as error:
            return End("refused", error=error)
        except RetriableError as error:
            return End("late", error=error)
        return self._looked_at()

    def _submitted(self, client: Client, part: Part) -> Handle:
        try:
            return client.submit(part, self.handle)
        except OutcomeUnknownError as error:
            if client.submit_is_repeatable:
                raise RetriableError(str(error)) from error
            found = client.reconcile(part, self.handle)
            if found is None:
                raise
            return found

    def _looked_at(self) -> End:
        look = None
        try:
            for _ in range(self.most_tries):
                look = self.step(lambda c: c.look(self.handle) if c.tells else Look(done=True))
                if look.done:
                    return End("done" if look.failed is None else "failed", look)
                time.sleep(self.pause_seconds)
        except FatalError as error:
            return End("failed", look, error)
        except RetriableError as error:
            return End("late", look, error)
        return End("late", look)


def write_part(folder: Path, file_kind: str, header: Sequence[str], rows: Sequence[Row]) -> Part:
    """A part with these rows, in the kind of file that the client wants."""
    path = folder / f"part.{file_kind}"
    _WRITERS[file_kind](path, header, rows)
    return Part(path, len(rows), path.name, 1, len(rows))


def _write_csv(path: Path, header: Sequence[str], rows: Sequence[Row]) -> None:
    with path.open("w", newline="") as out:
        csv.writer(out).writerows([header, *rows])


def _write_xlsx(path: Path, header: Sequence[str], rows: Sequence[Row]) -> None:
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate([header, *rows]):
            sheet.write_row(number, 0, row)


def _write_jsonl(path: Path, header: Sequence[str], rows: Sequence[Row]) -> None:
    lines = [json.dumps(dict(zip(header, row, strict=True))) for row in rows]
    path.write_text("".join(f"{line}\n" for line in lines))


_WRITERS = {"csv": _write_csv, "xlsx": _write_xlsx, "jsonl": _write_jsonl}
