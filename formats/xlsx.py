"""Workbooks of Excel and its kin (xlsx, xlsm): XML in a ZIP archive."""

import zipfile
from pathlib import Path

from formats.containers import holds_part, is_broken_zip
from formats.sheet_extent import refuse_impossible_sheets
from formats.workbook import Workbook
from schemas.limits import Limits


class Xlsx(Workbook):
    """A workbook of XML in a ZIP archive; an archive that is cut off is taken for one too."""

    kind = "xlsx"
    suffixes = (".xlsx", ".xlsm")

    def matches(self, path: Path, head: bytes) -> bool:
        """True for an archive with the XML of a workbook, and for one that is broken and of no other kind."""
        return holds_part(path, head, "xl/workbook.xml") or (
            is_broken_zip(path, head) and b"xl/workbook.bin" not in head and b"opendocument" not in head
        )

    def examine(self, path: Path, limits: Limits) -> None:
        """Refuse sheets whose cells stand so far apart that reading them would fill the memory."""
        del limits
        with zipfile.ZipFile(path) as archive:
            refuse_impossible_sheets(archive)


FORMAT = Xlsx()
