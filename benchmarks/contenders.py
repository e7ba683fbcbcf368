"""Who runs in each workload, and with which command; every command of one repetition works on the same file."""

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.databases import PASSWORD_VARIABLE, Postgres
from benchmarks.files import COLUMNS_SQL, definition_text

LADING = (sys.executable, "-m", "cli.start")
PEER = (sys.executable, "-m", "benchmarks.peers")
TABLE = "people"
NEW = "lading import, all new"
AGAIN = "lading import, all unchanged"
CHECK = "lading check"
CHECK_DEFINITION = "lading check -d"
READ_CSV = "polars.read_csv"


@dataclass(frozen=True)
class Place:
    """Where one repetition works.

    Attributes:
        folder: empty at first; of this repetition alone.
        postgres: None where SQLite is loaded into.
    """

    folder: Path
    postgres: Postgres | None = None

    @property
    def environment(self) -> dict[str, str]:
        """What Lading is told beside its arguments."""
        variables = {"LADING_HOME": str(self.folder / "home")}
        if self.postgres is not None and self.postgres.password is not None:
            variables[PASSWORD_VARIABLE] = self.postgres.password
        return variables

    def definition(self) -> Path:
        """The definition of the people that goes to this place, as a file."""
        destination = {"table": TABLE}
        if self.postgres is not None:
            destination["database"] = self.postgres.bare_url
            if self.postgres.password is not None:
                destination["password"] = f"env:{PASSWORD_VARIABLE}"
        path = self.folder / "people.yaml"
        path.write_text(definition_text(destination))
        return path

    def database(self, name: str) -> Path:
        """A SQLite file of this repetition."""
        return self.folder / f"{name}.db"


@dataclass(frozen=True)
class Contender:
    """One command of a workload.

    Attributes:
        name: as it is shown.
        command: makes the command for a file and a place.
    """

    name: str
    command: Callable[[Path, Place], list[str]] = field(repr=False)


def importers(kind: str, database: str, *, peers: bool) -> list[Contender]:
    """Those who bring a file of this kind (`csv`, `jsonl`, `xlsx`) into `sqlite` or `postgres`."""
    found = [Contender(NEW, _lading_import)]
    if peers:
        found += [Contender(AGAIN, _lading_import), Contender(polars_adbc(kind), _polars_adbc)]
    if peers and kind == "csv":
        found.append(Contender("the same, dates left as text", _polars_adbc_text))
        found.append(_bare_sqlite() if database == "sqlite" else _bare_postgres())
    return found


def checkers() -> list[Contender]:
    """Those who look at a csv and write nothing."""
    return [
        Contender(CHECK, lambda file, _: [*LADING, "check", str(file)]),
        Contender(CHECK_DEFINITION, lambda file, at: [*LADING, "check", str(file), "-d", str(at.definition())]),
        Contender(READ_CSV, lambda file, _: [*PEER, "read-csv", str(file)]),
    ]


def polars_adbc(kind: str) -> str:
    """How polars with ADBC is shown for this kind of file."""
    reader = {"csv": "read_csv", "jsonl": "read_ndjson", "xlsx": "read_excel"}[kind]
    return f"polars.{reader} + ADBC"


def _lading_import(file: Path, place: Place) -> list[str]:
    return [*LADING, "import", str(file), "-d", str(place.definition()), "--yes"]


def _polars_adbc(file: Path, place: Place) -> list[str]:
    return [*PEER, "polars-adbc", str(file), f"{TABLE}_polars", _adbc_uri(place)]


def _polars_adbc_text(file: Path, place: Place) -> list[str]:
    return [*PEER, "polars-adbc-text", str(file), f"{TABLE}_polars_text", _adbc_uri(place)]


def _adbc_uri(place: Place) -> str:
    return f"sqlite:///{place.database('polars')}" if place.postgres is None else place.postgres.url


def _bare_sqlite() -> Contender:
    if shutil.which("sqlite3") is None:
        name = "csv + executemany (no sqlite3 command)"
        return Contender(
            name, lambda file, at: [*PEER, "csv-executemany", str(file), TABLE, str(at.database("bare"))]
        )
    create, load = f"CREATE TABLE {TABLE} ({COLUMNS_SQL})", f'.import --csv --skip 1 "%s" {TABLE}'
    return Contender(
        "sqlite3 .import", lambda file, at: ["sqlite3", str(at.database("bare")), create, load % file]
    )


def _bare_postgres() -> Contender:
    table = f"{TABLE}_copy"
    if shutil.which("psql") is None:
        name = "psycopg COPY (no psql command)"
        return Contender(name, lambda file, at: [*PEER, "psycopg-copy", str(file), table, _url(at)])
    create, load = (
        f"CREATE TABLE {table} ({COLUMNS_SQL})",
        f"\\copy {table} FROM '%s' WITH (FORMAT csv, HEADER)",
    )
    return Contender(
        "psql \\copy", lambda file, at: ["psql", "-X", "-q", "-c", create, "-c", load % file, _url(at)]
    )


def _url(place: Place) -> str:
    if place.postgres is None:
        raise ValueError("this contender loads into PostgreSQL")
    return place.postgres.url
