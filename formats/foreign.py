"""What a file seems to be that Lading does not read, so that the refusal can say it."""

import re
import zipfile
from pathlib import Path

from formats.encoding import head_text, is_text
from schemas.errors import FileRefusedError

FOREIGN_SUFFIXES = frozenset(
    {".xls", ".xlsb", ".ods", ".numbers", ".pdf", ".doc", ".docx", ".xml", ".html", ".htm", ".zip", ".gz"}
    | {".parquet", ".png", ".jpg", ".db", ".sqlite"}
)
"""Names that promise another kind than any that Lading reads."""

_SIGNATURES = (
    (b"%PDF-", "a PDF document"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"\x1f\x8b", "a gzip archive; unpack it first"),
    (b"BZh", "a bzip2 archive; unpack it first"),
    (b"\xfd7zXZ", "an xz archive; unpack it first"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive; unpack it first"),
    (b"7z\xbc\xaf", "a 7z archive; unpack it first"),
    (b"Rar!\x1a", "a RAR archive; unpack it first"),
    (b"PAR1", "a Parquet file"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"{\\rtf", "an RTF document"),
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE_STREAMS = (
    ("Workbook", "an old Excel workbook (.xls); save it as .xlsx"),
    ("Book", "an old Excel workbook (.xls); save it as .xlsx"),
    ("WordDocument", "a Word document"),
)
_ZIP_PARTS = (
    ("xl/workbook.bin", "an Excel binary workbook (.xlsb); save it as .xlsx"),
    ("word/document.xml", "a Word document"),
    ("ppt/presentation.xml", "a PowerPoint document"),
    ("content.xml", "an OpenDocument file (.ods); save it as .xlsx"),
    ("Index/Document.iwa", "a Numbers document; export it as .xlsx"),
)
_MARKUP = (
    (re.compile(r"<(!doctype\s+html|html|table|head|body)\b", re.IGNORECASE), "a web page (HTML)"),
    (re.compile(r"<\?xml\b", re.IGNORECASE), "an XML document"),
)
_JSON_ARRAY = re.compile(r"\[\s*(\{|\]\s*$)")
_CHUNK_BYTES = 1024 * 1024


def foreign_kind(path: Path, head: bytes) -> str | None:
    """What the file seems to be, in a sentence; None where a format may read it.

    Raises:
        FileRefusedError: it is a workbook behind a password (`file.unreadable`).
    """
    for signature, seems in _SIGNATURES:
        if head.startswith(signature):
            return f"this is {seems}"
    if head.startswith(_OLE):
        return f"this is {_ole_kind(path)}"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip_kind(path)
    return _text_kind(head)


def _ole_kind(path: Path) -> str:
    if _holds(path, "EncryptedPackage".encode("utf-16-le")):
        raise FileRefusedError(
            "file.unreadable", "the workbook is protected by a password; save it without one and send it again"
        )
    kinds = (seems for stream, seems in _OLE_STREAMS if _holds(path, f"{stream}\0".encode("utf-16-le")))
    return next(kinds, "an old Microsoft Office document")


def _holds(path: Path, wanted: bytes) -> bool:
    """Whether the bytes stand anywhere in the file, which may be large."""
    tail = b""
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            if wanted in tail + chunk:
                return True
            tail = chunk[-len(wanted) :]
    return False


def _zip_kind(path: Path) -> str | None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = {name.lower() for name in archive.namelist()}
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        return None  # cut off or broken: the workbook reader says so
    if "xl/workbook.xml" in names:
        return None
    kinds = (seems for part, seems in _ZIP_PARTS if part.lower() in names)
    return f"this is {next(kinds, 'a ZIP archive, but no workbook')}"


def _text_kind(head: bytes) -> str | None:
    if not is_text(head):
        what = "NUL bytes and other control characters" if b"\0" in head else "control characters"
        return f"this is no text: it is full of {what}"
    text = head_text(head).lstrip()
    for pattern, seems in _MARKUP:
        if pattern.match(text):
            return f"this is {seems}"
    if _JSON_ARRAY.match(text):
        return "this is one JSON array; one object per line is needed (JSON Lines)"
    return None
