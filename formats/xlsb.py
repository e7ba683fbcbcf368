"""Binary workbooks of Excel (xlsb): records in a ZIP archive."""

from pathlib import Path

from formats.containers import holds_part
from formats.workbook import Workbook


class Xlsb(Workbook):
    """A workbook of binary records in a ZIP archive."""

    kind = "xlsb"
    suffixes = (".xlsb",)

    def matches(self, path: Path, head: bytes) -> bool:
        """True for an archive with the records of a workbook."""
        return holds_part(path, head, "xl/workbook.bin")


FORMAT = Xlsb()
