"""Refuses workbooks whose cells stand so far apart that reading them would fill the memory.

The reader makes room for every cell between the outermost two, and a file of 1.4 KB can put one in A1 and one
in XFD1048576; when the memory ends, the process is aborted, which nothing can catch.
"""

import posixpath
import re
import zipfile
from collections.abc import Iterator

from schemas.errors import FileRefusedError

MOST_CELLS = 50_000_000
LAST_ROW = 1_048_576
LAST_COLUMN = 16_384
_RELATIONS = "xl/_rels/workbook.xml.rels"
_TARGET = re.compile(rb"""\bTarget\s*=\s*["']([^"']+)""")
_FAR_ROW = re.compile(rb"""\sr\s*=\s*["'][A-Za-z]*([0-9]{7,})""")
# From column AV on: up to AU a sheet of all rows has fewer cells than MOST_CELLS.
_FAR_COLUMN = re.compile(rb"""\sr\s*=\s*["'](?:[A-Za-z]{3,}|[B-Zb-z][A-Za-z]|[Aa][V-Zv-z])[0-9]""")
_FILLED_CELL = re.compile(rb"""<(?:\w+:)?c\s[^>]*?\br\s*=\s*["']([A-Za-z]+)([0-9]+)["'][^>]*(?<!/)>\s*<(?!/)""")
_CHUNK_BYTES = 1024 * 1024
_OVERLAP_BYTES = 1024


def refuse_impossible_sheets(archive: zipfile.ZipFile) -> None:
    """Look at the addresses of all cells, in flat memory, without reading any value.

    Raises:
        FileRefusedError: a cell stands outside of what a sheet can be, or a sheet spans more than
            `MOST_CELLS` cells (`file.unreadable`).
    """
    for part in _parts(archive):
        far = False
        for chunk in _chunks(archive, part):
            for number in _FAR_ROW.findall(chunk):
                if len(number) > 7 or int(number) > LAST_ROW:
                    raise _refusal(part, "has a cell below the last row that a sheet can have")
            far = far or _FAR_COLUMN.search(chunk) is not None
        if far:
            _refuse_wide_sheet(archive, part)


def _refuse_wide_sheet(archive: zipfile.ZipFile, part: str) -> None:
    first, last, rows = LAST_COLUMN, 0, 0
    for chunk in _chunks(archive, part):
        cells = _FILLED_CELL.findall(chunk)
        if cells:
            columns = {_column_number(letters) for letters in {letters for letters, _ in cells}}
            first, last = min(first, *columns), max(last, *columns)
            rows = max(rows, *(int(number) for _, number in cells))
    if last > LAST_COLUMN:
        raise _refusal(part, "has a cell behind the last column that a sheet can have")
    if (last - first + 1) * rows > MOST_CELLS:
        raise _refusal(
            part,
            f"spans {rows:,} rows and {last - first + 1:,} columns, more than {MOST_CELLS:,} cells; "
            "delete the cells that stand far away from the others",
        )


def _parts(archive: zipfile.ZipFile) -> Iterator[str]:
    """The parts of the archive that may be sheets."""
    with archive.open(_RELATIONS) as stream:
        found = _TARGET.findall(stream.read(_CHUNK_BYTES))
    targets = {posixpath.basename(target.decode()).lower() for target in found}
    return (name for name in archive.namelist() if posixpath.basename(name).lower() in targets)


def _chunks(archive: zipfile.ZipFile, part: str) -> Iterator[bytes]:
    """The part in pieces that overlap, so that each address stands whole in one."""
    tail = b""
    with archive.open(part) as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            yield tail + chunk
            tail = chunk[-_OVERLAP_BYTES:]


def _column_number(letters: bytes) -> int:
    """A is 1."""
    number = 0
    for letter in letters.upper()[:4]:
        number = number * 26 + letter - ord("A") + 1
    return number


def _refusal(part: str, reason: str) -> FileRefusedError:
    return FileRefusedError("file.unreadable", f"the sheet in {part} {reason}")
