"""Small workbooks made of one large one: the reader takes them apart, one piece of a sheet at a time."""

import re
import secrets
import zipfile
from dataclasses import dataclass
from functools import cached_property
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING

from formats.loaded_sheet import read_workbook
from schemas.errors import FileRefusedError

if TYPE_CHECKING:
    import fastexcel

STRINGS_PART = "xl/sharedstrings.xml"
_FRAME_PARTS = {
    "[content_types].xml",
    "_rels/.rels",
    "xl/workbook.xml",
    "xl/_rels/workbook.xml.rels",
    "xl/styles.xml",
}
_FRAME_BYTES = 32 * 2**20
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_HEAD = f'<worksheet xmlns="{_MAIN}"><sheetData>'.encode()
_END = b"</sheetData></worksheet>"
_DOCTYPE = re.compile(rb"<!DOCTYPE", re.IGNORECASE)


@dataclass(frozen=True)
class Sheet:
    """One sheet of a workbook.

    Attributes:
        part: its name in the archive.
        visible: False for a hidden one.
    """

    name: str
    part: str
    visible: bool


class Frame:
    """All that a workbook holds beside its sheets and texts; small.

    Attributes:
        mark: what stands before the number of a shared text; no file can know it.
        error_mark: what stands before an error that the reader does not know.
    """

    def __init__(self, archive: zipfile.ZipFile) -> None:
        """Take what is needed from the archive, which may be closed afterwards.

        Raises:
            FileRefusedError: it is too large, or declares a document type (`file.unreadable`).
        """
        frame = [part for part in archive.infolist() if part.filename.lower() in _FRAME_PARTS]
        if sum(part.file_size for part in frame) > _FRAME_BYTES:
            raise FileRefusedError("file.unreadable", "the workbook has far too many styles or names")
        self._frame = {part.filename: archive.read(part) for part in frame}
        if any(_DOCTYPE.search(content) for content in self._frame.values()):
            raise FileRefusedError("file.unreadable", "the workbook declares a document type, as none does")
        self._others = [name for name in archive.namelist() if name not in self._frame]
        secret = secrets.token_hex(3)
        self.mark, self.error_mark = f"{secret}:", f"{secret}!"

    @cached_property
    def sheets(self) -> tuple[Sheet, ...]:
        """The sheets in the workbook's order, as the reader finds those that hold but their part's name."""
        cell = '<row><c t="inlineStr"><is><t xml:space="preserve">{}</t></is></c></row>'
        parts = {
            name: _sheet(cell.format(escape(name)).encode())
            for name in self._others
            if name.lower().endswith(".xml") and name.lower() != STRINGS_PART
        }
        reader = read_workbook(self._workbook(parts))
        found = []
        for name in reader.sheet_names:
            sheet = reader.load_sheet(name, header_row=None, dtypes="string")
            part = sheet.to_arrow().column(0)[0].as_py()
            found.append(Sheet(name, part, sheet.visible == "visible"))
        return tuple(found)

    def holding(self, sheet: Sheet, rows: bytes) -> "fastexcel.ExcelReader":
        """A workbook in which the sheet has these rows and no others."""
        return read_workbook(self._workbook({sheet.part: _sheet(rows)}))

    def _workbook(self, parts: dict[str, bytes]) -> bytes:
        content = BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            for name, part in (self._frame | parts).items():
                archive.writestr(name, part)
        return content.getvalue()


def _sheet(rows: bytes) -> bytes:
    return _HEAD + rows + _END
