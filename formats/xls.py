"""Workbooks of Excel before 2007 (xls): records in an OLE file."""

import re
from pathlib import Path

from formats.containers import OLE, holds, is_cut_ole, locked, ole_stream
from formats.memory import refuse_beyond_memory
from formats.workbook import Workbook
from schemas.errors import FileRefusedError
from schemas.limits import Limits

_ENCRYPTED = re.compile(rb"\x09\x08\x10\x00[\s\S]{16}(?:\x86\x00\x00\x00)?\x2f\x00[\s\S]\x00")
"""The first records of a workbook behind a password: BOF, WRITEPROTECT where there is one, FILEPASS."""


_MEMORY_FOR_BYTE = 20
"""What reading took for each byte of the file: 11 of texts, 18 where they are alike, 25 of numbers."""


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
        """Refuse a file that is too large, locked, or cut off: of that the reader would give what is left."""
        if is_cut_ole(path):
            raise FileRefusedError("file.unreadable", "the workbook is cut off; send it whole")
        if holds(path, _ENCRYPTED):
            raise locked()
        refuse_beyond_memory(_MEMORY_FOR_BYTE * path.stat().st_size, limits)


FORMAT = Xls()
