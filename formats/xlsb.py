"""Binary workbooks of Excel (xlsb): records in a ZIP archive."""

import struct
import zipfile
from pathlib import Path

from formats.archive import open_archive, refuse_false_sizes
from formats.containers import holds_part
from formats.memory import refuse_beyond_memory
from formats.workbook import Workbook
from schemas.errors import FileRefusedError
from schemas.limits import Limits

_BEGIN_SHEET = b"\x81\x01"
_DIMENSION = 148
_HEAD_BYTES = 64 * 1024
_MEMORY_FOR_BYTE = 10
"""What reading took for each unpacked byte: 5 of texts, 8 of numbers or where texts are alike."""
_MEMORY_FOR_CELL = 64
"""Of the rectangle that the sheet says its cells span, filled or not."""


class Xlsb(Workbook):
    """A workbook of binary records in a ZIP archive."""

    kind = "xlsb"
    suffixes = (".xlsb",)

    def matches(self, path: Path, head: bytes) -> bool:
        """True for an archive with the records of a workbook."""
        return holds_part(path, head, "xl/workbook.bin")

    def examine(self, path: Path, limits: Limits) -> None:
        """Refuse an archive that is not what it says, and sheets that would fill the memory.

        A sheet that lies about its dimension is found only by the limits of the process that reads it.
        """
        with open_archive(path, limits) as archive:
            refuse_false_sizes(archive)
            sheets = [part for part in archive.infolist() if _is_sheet(archive, part)]
            most_cells = max((_spanned_cells(archive, part) for part in sheets), default=0)
            largest = max((part.file_size for part in sheets), default=0)
            texts = sum(p.file_size for p in archive.infolist() if p.filename.lower() == "xl/sharedstrings.bin")
        if most_cells > limits.sheet_cells:
            raise FileRefusedError(
                "file.sheet_cells",
                f"a sheet spans {most_cells:,} cells; {limits.sheet_cells:,} are allowed; delete the cells "
                "that stand far away from the others",
            )
        refuse_beyond_memory(max(_MEMORY_FOR_BYTE * (largest + texts), _MEMORY_FOR_CELL * most_cells), limits)


def _is_sheet(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> bool:
    with archive.open(part) as stream:
        return stream.read(len(_BEGIN_SHEET)) == _BEGIN_SHEET


def _spanned_cells(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> int:
    """How many cells the sheet says that its cells span; 0 where it does not say so in its first records."""
    with archive.open(part) as stream:
        head = stream.read(_HEAD_BYTES)
    place = 0
    while place < len(head):
        number, place = _in_groups_of_seven(head, place, 2)
        length, place = _in_groups_of_seven(head, place, 4)
        if number == _DIMENSION and place + 16 <= len(head):
            first_row, last_row, first_column, last_column = struct.unpack_from("<4I", head, place)
            return int((last_row - first_row + 1) * (last_column - first_column + 1))
        place += length
    return 0


def _in_groups_of_seven(content: bytes, place: int, most_bytes: int) -> tuple[int, int]:
    """A number written as groups of seven bits, the lowest first, and the place behind it."""
    number = 0
    for index, byte in enumerate(content[place : place + most_bytes]):
        number |= (byte & 0x7F) << (7 * index)
        place += 1
        if byte < 0x80:
            break
    return number, place


FORMAT = Xlsb()
