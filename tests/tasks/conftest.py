import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from flows.run import abandon, import_directly, resume
from schemas.definition import Definition
from schemas.import_request import ImportRequest
from schemas.settings import Settings
from store.database import Store
from store.definitions import put_definition
from store.jobs import get_job
from store.leases import is_free
from store.pages import list_errors, list_pages


class Lading:
    """One home, and what a test wants of it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def apply(self, definition: Definition) -> None:
        with Store.opened(self.settings) as store, store.write() as session:
            put_definition(session, self.settings.tenant, definition)

    def run(self, path: Path, definition: Definition, **request: object) -> str:
        """Import the file; gives the job's id."""
        self.apply(definition)
        return import_directly(self.settings, ImportRequest(str(path), definition.name, **request))

    def finish(self, job_id: str) -> None:
        """Bring the job to its end."""
        resume(self.settings, job_id)

    def cancel(self, job_id: str) -> None:
        """End the job as cancelled."""
        abandon(self.settings, job_id)

    def job(self, job_id: str):
        with Store.opened(self.settings) as store, store.read() as session:
            return get_job(session, job_id)

    def is_free(self, job_id: str) -> bool:
        with Store.opened(self.settings) as store, store.read() as session:
            return is_free(session, get_job(session, job_id))

    def counts(self, job_id: str) -> dict[str, int]:
        """The outcomes that occurred, and how often."""
        return {name: number for name, number in vars(self.job(job_id).counts).items() if number}

    def errors(self, job_id: str) -> list:
        with Store.opened(self.settings) as store, store.read() as session:
            return list(list_errors(session, job_id))

    def letters(self, job_id: str) -> str:
        """One letter a row, over the whole file."""
        with Store.opened(self.settings) as store, store.read() as session:
            return "".join(page.letters for page in list_pages(session, job_id))

    def execute(self, sql: str) -> None:
        """Do something to the tenant's own database, as its owner may."""
        path = self.settings.table_path("local")
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(sql)

    def table(self, name: str = "things") -> pl.DataFrame:
        """The table as it stands, in order of its first column."""
        with closing(sqlite3.connect(self.settings.table_path("local"))) as connection:
            rows = connection.execute(f'SELECT * FROM "{name}" ORDER BY 1')
            names = [column[0] for column in rows.description]
            return pl.DataFrame(rows.fetchall(), schema=names, orient="row", infer_schema_length=None)


@pytest.fixture
def lading(request: pytest.FixtureRequest) -> Lading:
    """A home with the job store in its SQLite file, or in PostgreSQL where a test asks for it."""
    kind = getattr(request, "param", "sqlite")
    return Lading(request.getfixturevalue("settings" if kind == "sqlite" else "on_postgres"))


@pytest.fixture
def write_csv(tmp_path: Path) -> Callable[..., Path]:
    """Writes lines to a csv of this name."""

    def write(*lines: str, name: str = "things.csv") -> Path:
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n")
        return path

    return write


@pytest.fixture
def error_cell_workbook(tmp_path: Path) -> Path:
    """A workbook with the header Id, X and one row, whose X is #N/A."""
    path = tmp_path / "error.xlsx"
    with xlsxwriter.Workbook(path) as workbook:
        sheet = workbook.add_worksheet()
        sheet.write_row(0, 0, ["Id", "X"])
        sheet.write_string(1, 0, "1")
        sheet.write_formula(1, 1, "=NA()", None, "#N/A")
    return path


@pytest.fixture
def write_as(tmp_path: Path) -> Callable[..., Path]:
    """Writes rows of text (the first is the header) as csv, xlsx or JSON Lines."""

    def write(kind: str, rows: list[list[str]]) -> Path:
        path = tmp_path / f"rows.{kind}"
        {"csv": _write_csv, "xlsx": _write_xlsx, "jsonl": _write_jsonl}[kind](path, rows)
        return path

    return write


def _write_csv(path: Path, rows: list[list[str]]) -> None:
    pl.DataFrame(rows[1:], schema=rows[0], orient="row").write_csv(path)


def _write_xlsx(path: Path, rows: list[list[str]]) -> None:
    with xlsxwriter.Workbook(path, {"constant_memory": True}) as workbook:
        sheet = workbook.add_worksheet()
        for number, row in enumerate(rows):
            for column, cell in enumerate(row):
                if cell:
                    sheet.write_string(number, column, cell)


def _write_jsonl(path: Path, rows: list[list[str]]) -> None:
    with path.open("w") as out:
        for row in rows[1:]:
            out.write(json.dumps({k: v for k, v in zip(rows[0], row, strict=True) if v}) + "\n")
