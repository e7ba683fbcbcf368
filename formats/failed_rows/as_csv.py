"""Failed rows as delimited text, safe to open in a spreadsheet."""

import csv
from collections.abc import Iterable
from pathlib import Path

from formats.delimiter import CANDIDATES
from formats.encoding import find_encoding
from formats.failed_rows.row import FailedRow, kept_cells, kept_columns
from formats.registry import OpenFile
from schemas.errors import FileRefusedError
from schemas.escape import escape
from schemas.headers import FAILED_ROWS_COLUMN

_MARKED = {"utf-8": "utf-8-sig"}


def write_csv(path: Path, file: OpenFile, rows: Iterable[FailedRow]) -> int:
    """Write the rows with the original delimiter, in the original encoding where that brings every text back.

    UTF-8 begins with a byte-order mark, because people open the file in Excel, which takes a csv file without
    one for another encoding and saves every umlaut broken; Lading reads it either way. It also takes the place
    of an encoding that lacks a character, or that would not be recognised again.
    """
    codec = file.detected.encoding or "utf-8"
    count = _write(path, file, rows, "utf-8-sig")
    if codec != "utf-8":
        _recode(path, codec)
    return count


def _write(path: Path, file: OpenFile, rows: Iterable[FailedRow], codec: str) -> int:
    detected = file.detected
    kept = kept_columns(detected)
    delimiter = detected.delimiter or ","
    count = 0
    with path.open("w", encoding=codec, newline="") as stream:
        if delimiter not in CANDIDATES:
            stream.write(f"sep={delimiter}\r\n")
        writer = csv.writer(stream, delimiter=delimiter)
        writer.writerow([*(escape(detected.columns[index].header) for index in kept), FAILED_ROWS_COLUMN])
        for row in rows:
            writer.writerow([*map(escape, kept_cells(row, kept)), escape(row.reasons)])
            count += 1
    return count


def _recode(path: Path, codec: str) -> None:
    """Put the file, which is UTF-8, into the codec, unless that would lose something."""
    recoded = path.with_name(f"{path.name}.recoded")
    try:
        with (
            path.open(encoding="utf-8-sig", newline="") as source,
            recoded.open("w", encoding=codec, newline="") as out,
        ):
            if codec.startswith(("utf-16", "utf-32")):
                out.write("\ufeff")
            while text := source.read(1024 * 1024):
                out.write(text)
        if find_encoding(recoded, codec).codec == codec:
            recoded.replace(path)
    except (UnicodeError, FileRefusedError):
        return
    finally:
        recoded.unlink(missing_ok=True)
