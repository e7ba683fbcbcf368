"""A spreadsheet of OpenDocument as LibreOffice writes it, with whatever attributes a test wants."""

import zipfile
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

_NAMES = {
    "office": "urn:oasis:names:tc:opendocument:xmlns:office:1.0",
    "table": "urn:oasis:names:tc:opendocument:xmlns:table:1.0",
    "text": "urn:oasis:names:tc:opendocument:xmlns:text:1.0",
    "style": "urn:oasis:names:tc:opendocument:xmlns:style:1.0",
    "calcext": "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0",
}


def ods_text(text: str) -> str:
    """A cell of text."""
    return ods_cell("string", text)


def ods_cell(kind: str, shown: str, **attributes: str) -> str:
    """A cell that shows `shown`; attributes are of `office`, or of the name before two underscores."""
    named = "".join(
        f" {name.replace('__', ':') if '__' in name else f'office:{name}'}={quoteattr(value)}".replace("_", "-")
        for name, value in attributes.items()
    )
    lines = "".join(f"<text:p>{escape(line)}</text:p>" for line in shown.split("\n"))
    return f'<table:table-cell office:value-type="{kind}"{named}>{lines}</table:table-cell>'


def write_ods(
    path: Path, rows: Sequence[Sequence[str | None]], tables: str = "", styles: str = "", manifest: str = ""
) -> None:
    """Write the cells (None: a blank one) into a table `Sheet1`, behind other tables given as XML."""
    blank = "<table:table-cell/>"
    lines = "".join(
        f"<table:table-row>{''.join(cell or blank for cell in row)}</table:table-row>" for row in rows
    )
    names = "".join(f' xmlns:{name}="{value}"' for name, value in _NAMES.items())
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content{names}>'
        f"<office:automatic-styles>{styles}</office:automatic-styles><office:body><office:spreadsheet>{tables}"
        f'<table:table table:name="Sheet1">{lines}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            zipfile.ZipInfo("mimetype"), "application/vnd.oasis.opendocument.spreadsheet", zipfile.ZIP_STORED
        )
        archive.writestr("META-INF/manifest.xml", f"<manifest>{manifest}</manifest>")
        archive.writestr("content.xml", content)
