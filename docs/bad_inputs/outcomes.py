"""What becomes of each bad input: it is imported for real, into a home that lasts as long as this takes."""

import sqlite3
import tempfile
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cli.job_view import job_json
from docs.bad_inputs.catalogue import BAD_INPUTS, BadInput
from flows.run import import_directly
from schemas.definition import Definition
from schemas.import_request import ImportRequest
from schemas.row_error import RowError
from schemas.settings import Settings
from store.database import Store
from store.definitions import put_definition


@dataclass(frozen=True)
class Outcome:
    """What became of one input.

    Attributes:
        job: as `lading job --json` shows it.
        errors: all of them, in the order of the file.
        records: what the table holds, in the order of the fields.
        failed_rows: the file of failed rows; None where there is none.
    """

    given: BadInput
    job: dict[str, Any]
    errors: tuple[RowError, ...]
    records: tuple[tuple[object, ...], ...]
    failed_rows: bytes | None


@cache
def outcomes() -> tuple[Outcome, ...]:
    """Every input of the catalogue, imported."""
    with tempfile.TemporaryDirectory(prefix="lading-bad-inputs-") as folder:
        settings = Settings(home=Path(folder) / ".lading", store_url=None)
        return tuple(
            _imported(settings, Path(folder), number, given) for number, given in enumerate(BAD_INPUTS)
        )


def _imported(settings: Settings, folder: Path, number: int, given: BadInput) -> Outcome:
    name = f"input_{number}"
    document = {"name": name, "key": ["id"], "fields": given.fields, "destination": {"table": name}}
    definition = Definition.model_validate({**document, "file": given.file})
    path = folder / str(number) / given.file_name
    path.parent.mkdir()
    content = given.content()
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with Store.opened(settings) as store, store.write() as session:
        put_definition(session, settings.tenant, definition)
    job = job_json(settings, import_directly(settings, ImportRequest(str(path), name)), shown_errors=None)
    failed_rows = Path(job["failed_rows"]).read_bytes() if job["failed_rows"] else None
    errors = tuple(RowError(**error) for error in job["errors"])
    return Outcome(given, job, errors, _records(settings, definition), failed_rows)


def _records(settings: Settings, definition: Definition) -> tuple[tuple[object, ...], ...]:
    """All records of the definition's table in the order of their writing; none where it was never made."""
    columns = ", ".join(f'"{field.name}"' for field in definition.fields)
    path = settings.table_path(settings.tenant)
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        made = connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", [definition.name]).fetchone()
        if not made:
            return ()
        return tuple(connection.execute(f'SELECT {columns} FROM "{definition.name}" ORDER BY rowid'))  # noqa: S608
