"""Failed rows as JSON Lines: the original objects with one key more."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from formats.failed_rows.row import FailedRow
from formats.jsonlines import is_record, numbered_lines, with_keys
from formats.registry import OpenFile
from schemas.headers import FAILED_ROWS_COLUMN


def write_jsonl(path: Path, file: OpenFile, rows: Iterable[FailedRow]) -> int:
    """Write the objects as they stood, digit by digit, with the reasons in the key `lading_errors`.

    A line that is no object is written as it stood, so that it fails again where it is not mended; where its
    text was changed in reading, it stands in the first key and the reasons say so.
    """
    count = 0
    with path.open("w", encoding="utf-8", newline="") as stream:
        for line in _lines(file, rows):
            stream.write(f"{line}\n")
            count += 1
    return count


def _lines(file: OpenFile, rows: Iterable[FailedRow]) -> Iterator[str]:
    original = numbered_lines(file.path)
    for row in rows:
        number, line = next(original)
        while number < row.row:
            number, line = next(original)
        if not row.malformed or is_record(line):
            yield with_keys(line, {FAILED_ROWS_COLUMN: row.reasons})
        elif not is_record((text := row.cells[0] or "").encode()):
            yield text
        else:
            yield with_keys(b"{}", {file.detected.columns[0].header: text, FAILED_ROWS_COLUMN: row.reasons})
