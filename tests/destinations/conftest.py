"""The bench of the conformance suite: every destination of tables runs every test that takes `lab`."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import pytest

from destinations import open_destination
from schemas.chunk import CHUNK_ROWS, Page
from schemas.definition import Definition
from schemas.destination import Destination, StagedChunk
from schemas.field_types import DTYPES
from schemas.settings import Settings

DESTINATIONS = ["sqlite"]
"""PostgreSQL joins here, with a bench of its own."""

Row = dict[str, object]


@dataclass
class Lab:
    """One tenant's tables: opens destinations, makes chunks of plain rows, and looks into the tables."""

    settings: Settings
    _opened: list[Destination] = field(default_factory=list)

    def define(self, *fields: str | Row, key: Sequence[str] = ("id",), **more: object) -> Definition:
        """A definition of fields written `name`, `name:type` or as a document."""
        table = more.pop("table", "things")
        return Definition.model_validate(
            {
                "name": "things",
                "key": tuple(key),
                "fields": [self._field(f) for f in fields],
                "destination": {"table": table},
            }
            | more
        )

    def open(self, definition: Definition, *, busy_timeout_seconds: float | None = None) -> Destination:
        """A destination of its own connection; closed at the end of the test."""
        settings = self.settings
        if busy_timeout_seconds is not None:
            settings = settings.model_copy(update={"busy_timeout_seconds": busy_timeout_seconds})
        opened = open_destination(settings, "local", definition)
        self._opened.append(opened)
        return opened

    def load(self, definition: Definition, rows: list[Row], job: str = "job", epoch: int = 1) -> "Loaded":
        """Prepare, begin, load all rows in one call; what the pages then say."""
        destination = self.open(definition)
        destination.prepare(definition)
        destination.begin(job, epoch)
        destination.load(job, epoch, definition, self.chunks(definition, rows))
        pages = list(destination.pages(job))
        destination.close()
        return Loaded(pages)

    def chunks(self, definition: Definition, rows: list[Row], first: int = 0) -> list[StagedChunk]:
        """The rows as staged chunks; a row may name its `_verdict`; the first row tells the columns."""
        columns = {"_ordinal": pl.UInt32, "_row": pl.UInt32, "_verdict": pl.UInt8} | {
            f.name: DTYPES[f.type] for f in definition.fields if not rows or f.name in rows[0]
        }
        full = [{"_ordinal": n, "_row": n + 2, "_verdict": 0} | row for n, row in enumerate(rows, first)]
        frame = pl.DataFrame(full, schema=columns)
        return [
            StagedChunk((first + start) // CHUNK_ROWS, frame[start : start + CHUNK_ROWS])
            for start in range(0, frame.height, CHUNK_ROWS)
        ]

    def sql(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        """Run a statement as any other program would."""
        path = self.settings.table_path("local")
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("PRAGMA synchronous=OFF")  # nobody pulls the plug on a test
        try:
            return connection.execute(statement, values).fetchall()
        finally:
            connection.close()

    def close(self) -> None:
        for destination in self._opened:
            destination.close()

    @staticmethod
    def _field(written: str | Row) -> Row:
        if isinstance(written, dict):
            return written
        name, _, kind = written.partition(":")
        return {"name": name, "type": kind or "string"} | (
            {"choices": ["red", "green"]} if kind in {"choice", "multichoice"} else {}
        )


@dataclass(frozen=True)
class Loaded:
    """What the pages of one job say, over all chunks."""

    pages: list[Page]

    @property
    def letters(self) -> str:
        return "".join(p.letters for p in self.pages)

    @property
    def ids(self) -> list[str | None]:
        return [i for p in self.pages for i in p.target_ids]

    @property
    def errors(self) -> list[tuple[str, int | None, int | None, str | None]]:
        return [(e.code, e.ordinal, e.row, e.field) for p in self.pages for e in p.errors]

    @property
    def messages(self) -> list[str]:
        return [e.message for p in self.pages for e in p.errors]


@pytest.fixture(params=DESTINATIONS)
def lab(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Lab]:
    assert request.param == "sqlite"
    bench = Lab(Settings(home=tmp_path / "home", busy_timeout_seconds=10))
    yield bench
    bench.close()
