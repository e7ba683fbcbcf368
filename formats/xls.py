"""Workbooks of Excel before 2007 (xls): records in an OLE file."""

from pathlib import Path

from formats.containers import OLE, is_cut_ole, ole_stream
from formats.workbook import Workbook
from schemas.errors import FileRefusedError
from schemas.limits import Limits


class Xls(Workbook):
    """A workbook of binary records (BIFF5, BIFF8) in an OLE file; one that is cut off is taken for one too."""

    kind = "xls"
    suffixes = (".xls",)

    def matches(self, path: Path, head: bytes) -> bool:
        """True for an OLE file with the stream of a workbook, or with no list of its streams."""
        if ole_stream(path, head, ("Workbook", "Book")) is not None:
            return True
        return head.startswith(OLE) and is_cut_ole(path) and ole_stream(path, head, ("WordDocument",)) is None

    def examine(self, path: Path, limits: Limits) -> None:
        """Refuse a file that is cut off, of which the reader would give what is left."""
        del limits
        if is_cut_ole(path):
            raise FileRefusedError("file.unreadable", "the workbook is cut off; send it whole")


FORMAT = Xls()
