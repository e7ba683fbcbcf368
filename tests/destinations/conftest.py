"""The bench of the conformance suite: every destination of tables runs every test that takes `lab`."""

import sqlite3
import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import psycopg
import pytest
from sqlalchemy import URL, make_url

from destinations import open_destination
from schemas.chunk import CHUNK_ROWS, Page
from schemas.definition import Definition
from schemas.destination import KEEP, Destination, StagedChunk
from schemas.dtypes import DTYPES
from schemas.settings import Settings

# The same promises on a server too: with the long tests, because there are hundreds.
DESTINATIONS = ["sqlite", pytest.param("postgres", marks=pytest.mark.slow)]

PASSWORD = "LADING_TEST_POSTGRES_PASSWORD"
"""The environment variable with the password of the tests' server, where it has one."""

Row = dict[str, object]


@dataclass
class Lab:
    """One tenant's tables: opens destinations, makes chunks of plain rows, and looks into the tables.

    What a dialect of SQL does in its own way is a method of the bench below.
    """

    settings: Settings
    _opened: list[Destination] = field(default_factory=list)
    dialect = "sqlite"
    says_unique = "UNIQUE constraint failed"
    says_check = "CHECK constraint failed: positive"
    says_foreign = "FOREIGN KEY"
    blames_parent = None
    staging_tables = "SELECT name FROM sqlite_schema WHERE name GLOB 'lading_stage_*'"

    @property
    def database(self) -> Row:
        """What a definition's destination says besides the table."""
        return {}

    def define(self, *fields: str | Row, key: Sequence[str] = ("id",), **more: object) -> Definition:
        """A definition of fields written `name`, `name:type` or as a document."""
        table = more.pop("table", "things")
        return Definition.model_validate(
            {
                "name": "things",
                "key": tuple(key),
                "fields": [self._field(f) for f in fields],
                "destination": {"table": table} | self.database,
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
        columns |= {name: pl.Boolean for name in (rows[0] if rows else ()) if name.startswith(KEEP)}
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

    def move(self, home: Path) -> None:
        """Go on in an empty database."""
        self.settings = self.settings.model_copy(update={"home": home})

    def hurry(self, destination: Destination) -> None:
        """Do without what a power cut would need."""
        destination._connection.execute("PRAGMA synchronous=OFF")

    @contextmanager
    def holding(self, destination: Destination, definition: Definition) -> Iterator[None]:
        """Hold what a load into the definition's table holds."""
        del definition
        with destination._transaction():
            yield

    def idle_trigger(self, table: str) -> None:
        """A trigger that does nothing."""
        self.sql(f"CREATE TRIGGER i AFTER INSERT ON {table} BEGIN SELECT 1; END")

    def statements(self, destination: Destination, call: Callable[[], None]) -> int:
        """How many statements the connection of the destination runs in this call."""
        seen: list[str] = []
        destination._connection.set_trace_callback(seen.append)
        call()
        destination._connection.set_trace_callback(None)
        return len(seen)

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


@dataclass
class PostgresLab(Lab):
    """The bench in a PostgreSQL database of the test's own."""

    url: URL = field(default_factory=lambda: make_url("postgresql://"))
    _own: psycopg.Connection | None = None
    dialect = "postgres"
    says_unique = "violates unique constraint"
    says_check = 'new row for relation "things" violates check constraint "positive"'
    says_foreign = "violates foreign key constraint"
    blames_parent = "parent"
    staging_tables = "SELECT relname::text FROM pg_class WHERE relname LIKE 'lading_stage\\_%'"

    @property
    def database(self) -> Row:
        reference = {} if not self.url.password else {"password": f"env:{PASSWORD}"}
        return {"database": self.url._replace(password=None).render_as_string()} | reference

    def sql(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        if self._own is None:
            self._own = self.connect()
        cursor = self._own.execute(statement.replace("?", "%s") if values else statement, values or None)
        return cursor.fetchall() if cursor.description else []

    def close(self) -> None:
        super().close()
        if self._own is not None:
            self._own.close()

    @contextmanager
    def acting_as_another(self) -> Iterator[str]:
        """Open destinations as a new user with a password, who owns what is in `public` but is no superuser."""
        administrator, role = self.url, f"lading_test_{uuid.uuid4().hex}"
        self.sql(f"CREATE ROLE {role} LOGIN PASSWORD 'secret'")
        self.sql(f"GRANT ALL ON SCHEMA public TO {role}")
        for (table,) in self.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"):
            self.sql(f'ALTER TABLE "{table}" OWNER TO {role}')
        self.url = self.url.set(username=role, password="secret")
        try:
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv(PASSWORD, "secret")
                yield role
        finally:
            self.url = administrator
            super().close()
            self.sql(f"REASSIGN OWNED BY {role} TO CURRENT_USER")
            self.sql(f"DROP OWNED BY {role}")
            self.sql(f"DROP ROLE {role}")

    def connect(self) -> psycopg.Connection:
        """A connection as any other program would have."""
        plain = self.url.set(drivername="postgresql").render_as_string(hide_password=False)
        return psycopg.connect(plain, autocommit=True)

    def move(self, home: Path) -> None:
        super().move(home)
        self.sql("DROP SCHEMA public CASCADE")
        self.sql("CREATE SCHEMA public")

    def hurry(self, destination: Destination) -> None:
        """The tests' server does so anyway."""

    @contextmanager
    def holding(self, destination: Destination, definition: Definition) -> Iterator[None]:
        with destination._transaction():
            destination._fitting_table(definition)
            yield

    def idle_trigger(self, table: str) -> None:
        self.trigger(table, "AFTER INSERT", "RETURN NULL;")

    def trigger(self, table: str, when: str, body: str) -> None:
        """A trigger for each row, with this body in PL/pgSQL."""
        self.sql(f"CREATE FUNCTION f_{table}() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {body} END$$")
        self.sql(f"CREATE TRIGGER t {when} ON {table} FOR EACH ROW EXECUTE FUNCTION f_{table}()")

    def statements(self, destination: Destination, call: Callable[[], None]) -> int:
        with tempfile.TemporaryFile() as trace:
            destination._connection.pgconn.trace(trace.fileno())
            call()
            destination._connection.pgconn.untrace()
            trace.seek(0)
            lines = [line.split(b"\t") for line in trace.read().splitlines()]
        return sum(line[1:2] == [b"F"] and line[3:4] in ([b"Query"], [b"Parse"]) for line in lines)


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
def lab(request: pytest.FixtureRequest) -> Lab:
    """Every destination of tables, one after the other."""
    bench: Lab = request.getfixturevalue(request.param)
    return bench


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Lab]:
    """The bench for what only SQLite does."""
    with closing(Lab(Settings(home=tmp_path / "home", busy_timeout_seconds=10))) as bench:
        yield bench


@pytest.fixture
def postgres(
    tmp_path: Path, shared_postgres_database: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[PostgresLab]:
    """The bench for what only PostgreSQL does."""
    url = make_url(shared_postgres_database)
    if url.password is not None:
        monkeypatch.setenv(PASSWORD, str(url.password))
    settings = Settings(home=tmp_path / "home", busy_timeout_seconds=10)
    with closing(PostgresLab(settings, url=url)) as bench:
        yield bench
        bench.sql("DROP FOREIGN DATA WRAPPER IF EXISTS f CASCADE")
        for (schema,) in bench.sql(
            "SELECT nspname FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema)'"
        ):
            bench.sql(f'DROP SCHEMA "{schema}" CASCADE')
        bench.sql("CREATE SCHEMA public")
