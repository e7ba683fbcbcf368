"""What a file seems to be that Lading does not read, so that the refusal can say it."""

import re
from pathlib import Path

from formats.containers import OLE, ZIP, ole_stream, zip_names
from formats.encoding import head_text, is_text

FOREIGN_SUFFIXES = frozenset(
    {".numbers", ".pdf", ".doc", ".docx", ".odt", ".xml", ".html", ".htm", ".zip", ".bz2", ".xz", ".zst"}
    | {".parquet", ".png", ".jpg", ".db", ".sqlite"}
)
"""Names that promise another kind than any that Lading reads."""

_SIGNATURES = (
    (b"%PDF-", "a PDF document"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"\x1f\x8b", "a gzip archive inside of another; unpack it once and send what comes out"),
    (b"BZh", "a bzip2 archive; unpack it first"),
    (b"\xfd7zXZ", "an xz archive; unpack it first"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive; unpack it first"),
    (b"7z\xbc\xaf", "a 7z archive; unpack it first"),
    (b"Rar!\x1a", "a RAR archive; unpack it first"),
    (b"PAR1", "a Parquet file"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"{\\rtf", "an RTF document"),
)
_ZIP_PARTS = (
    ("word/document.xml", "a Word document"),
    ("ppt/presentation.xml", "a PowerPoint document"),
    ("content.xml", "an OpenDocument file, but no spreadsheet"),
    ("index/document.iwa", "a Numbers document; export it as .xlsx"),
)
_MARKUP = (
    (re.compile(r"<(!doctype\s+html|html|table|head|body)\b", re.IGNORECASE), "a web page (HTML)"),
    (re.compile(r"<\?xml\b", re.IGNORECASE), "an XML document"),
)
_JSON_ARRAY = re.compile(r"\[\s*(\{|\]\s*$)")


def foreign_bytes(head: bytes) -> str | None:
    """What no format reads, told by the first bytes, in a sentence; None where a format may read it."""
    for signature, seems in _SIGNATURES:
        if head.startswith(signature):
            return f"this is {seems}"
    if head.startswith((OLE, *ZIP)) or is_text(head):
        return None
    what = "NUL bytes and other control characters" if b"\0" in head else "control characters"
    return f"this is no text: it is full of {what}"


def foreign_container(path: Path, head: bytes) -> str:
    """What a ZIP archive or an OLE file is that no format claims, in a sentence."""
    if head.startswith(OLE):
        document = ole_stream(path, head, ("WordDocument",))
        return "this is a Word document" if document else "this is an old Microsoft Office document"
    names = zip_names(path) or frozenset()
    kinds = (seems for part, seems in _ZIP_PARTS if part in names)
    return f"this is {next(kinds, 'a ZIP archive, but no workbook')}"


def foreign_text(head: bytes) -> str | None:
    """What a text that is no table seems to be, in a sentence; None where it may be one."""
    if head.startswith((OLE, *ZIP)):
        return None
    text = head_text(head).lstrip()
    for pattern, seems in _MARKUP:
        if pattern.match(text):
            return f"this is {seems}"
    if _JSON_ARRAY.match(text):
        return "this is one JSON array; one object per line is needed (JSON Lines)"
    return None
