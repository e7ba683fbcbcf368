"""A file by itself, without a definition: what it is, its rows, and those that can't be split into cells.

Only the reader's process calls this: see `tasks.reader`.
"""

from pathlib import Path

from formats import opened
from schemas.definition import FileOptions
from schemas.limits import Limits
from schemas.row_error import VALUE_CHARACTERS, RowError
from tasks.reading import FileLook


def look_at_file(path: Path, file_name: str, folder: Path, limits: Limits, shown_errors: int) -> FileLook:
    """What the file is by itself: its rows, and those that can't be split into cells.

    Args:
        folder: where a packed file is unpacked to.

    Raises:
        FileRefusedError: the file can't be read as a table.
    """
    rows, malformed = 0, 0
    errors: list[RowError] = []
    with opened(path, FileOptions(), frozenset(), file_name, limits, folder) as file:
        for count in file.counts():
            rows += count.rows
            malformed += len(count.malformed)
            for placed in count.malformed[: shown_errors - len(errors)]:
                row, value = placed.malformed, placed.malformed.text[:VALUE_CHARACTERS]
                place = (row.ordinal, placed.row, placed.line)
                errors.append(RowError(row.code, row.detail, *place, value=value))
    return FileLook(file.detected, rows, malformed, errors)
