"""What can be asked of a user's file: each question is answered by a process of its own (`tasks.reader`)."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydantic import TypeAdapter

from schemas.definition import Definition
from schemas.limits import Limits
from schemas.row_error import RowError
from schemas.text_table import Detected
from tasks.ending import refuse_when_ending
from tasks.reader import read_apart

ErrorGroups = Counter[tuple[str, str | None]]
"""(code, field) → how many errors."""

KeepErrors = Callable[[str, Sequence[RowError], int], None]
"""Called with the part of the check (`validate` or `duplicates`), its errors, and the rows read so far.

Errors of one chunk and part come in one call. No rows means: the file is read once more, from its beginning.
"""

DETECTED = TypeAdapter(Detected)


@dataclass(frozen=True)
class FileChecked:
    """What one pass over a file found.

    Attributes:
        detected: with notes of what is good to know.
        rows: data rows of the file.
        warnings: sentences for people, of what is probably wrong.
    """

    detected: Detected
    rows: int
    groups: ErrorGroups
    warnings: list[str]


@dataclass(frozen=True)
class StageFolder:
    """Where the reader leaves what it checked.

    Attributes:
        is_draft: nobody wants the records, so that the folder is left with what tells rows apart.
    """

    path: Path
    is_draft: bool = False


@dataclass(frozen=True)
class FileLook:
    """What a file is by itself, without a definition.

    Attributes:
        rows: data rows of the file.
        malformed: rows that can't be split into cells.
        errors: the first of those.
    """

    detected: Detected
    rows: int
    malformed: int
    errors: list[RowError]


@dataclass(frozen=True)
class Proposal:
    """A definition that accepts every well-formed row, and what a person may want to change in it."""

    definition: Definition
    notes: tuple[str, ...]


def check(
    limits: Limits,
    path: Path,
    file_name: str,
    definition: Definition,
    stage: StageFolder,
    keep: KeepErrors,
    look: Callable[[], None] = refuse_when_ending,
) -> FileChecked:
    """Have every row read, checked and staged; errors go to `keep` as they are found.

    Args:
        look: called every second, from a thread of its own; what it raises ends the reading, and comes here.

    Raises:
        FileRefusedError: the file as a whole can't be imported.
        DefinitionError: its record model can't check such rows.
    """

    def told(message: Mapping[str, Any]) -> None:
        if "again" in message:
            return keep("validate", [], 0)
        return keep(message["part"], [RowError(*values) for values in message["errors"]], message["rows"])

    request = {
        "path": str(path.absolute()),
        "file_name": file_name,
        "definition": definition.model_dump(mode="json"),
        "stage": str(stage.path.absolute()),
        "is_draft": stage.is_draft,
    }
    answer = read_apart(limits, "check", request, told, look)
    groups = ErrorGroups({(code, field): rows for code, field, rows in answer["groups"]})
    detected = DETECTED.validate_python(answer["detected"])
    return FileChecked(detected, answer["rows"], groups, answer["warnings"])


def look(limits: Limits, path: Path, file_name: str, shown_errors: int) -> FileLook:
    """What the file is by itself: its rows, and those that can't be split into cells.

    Raises:
        FileRefusedError: the file can't be read as a table.
    """
    with _unpacking_folder() as folder:
        request = {"path": str(path.absolute()), "file_name": file_name, "folder": folder}
        answer = read_apart(limits, "look", {**request, "shown_errors": shown_errors})
    errors = [RowError(**error) for error in answer["errors"]]
    return FileLook(DETECTED.validate_python(answer["detected"]), answer["rows"], answer["malformed"], errors)


def infer(limits: Limits, path: Path, file_name: str) -> Proposal:
    """A definition that accepts every well-formed row of the file.

    Raises:
        FileRefusedError: the file can't be read as a table.
    """
    with _unpacking_folder() as folder:
        request = {"path": str(path.absolute()), "file_name": file_name, "folder": folder}
        answer = read_apart(limits, "infer", request)
    return Proposal(Definition.model_validate(answer["definition"]), tuple(answer["notes"]))


def _unpacking_folder() -> TemporaryDirectory[str]:
    """Where the reader unpacks a file: in a folder of ours, for a reader that is killed leaves it there."""
    return TemporaryDirectory(prefix="lading-")


def write_failed_rows(limits: Limits, source: Path, detected: Detected, out: Path, errors: Path) -> int:
    """Have the rows that have an error written to `out`, in the kind of file that they came in; gives how many.

    Args:
        errors: what `tasks.failed_rows_file.write_errors` kept.

    Raises:
        FileRefusedError: the bytes of the source can't be read any more.
    """
    request = {
        "path": str(source.absolute()),
        "detected": DETECTED.dump_python(detected, mode="json"),
        "out": str(out.absolute()),
        "errors": str(errors.absolute()),
    }
    written: int = read_apart(limits, "failed_rows", request)["rows"]
    return written
