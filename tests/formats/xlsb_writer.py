"""A binary workbook of Excel (xlsb) made by hand from [MS-XLSB], for no library writes one."""

import struct
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

FORMS = ("General", "yyyy\\-mm\\-dd", "yyyy\\-mm\\-dd hh:mm:ss", "hh:mm:ss", "[h]:mm:ss", "0%")
"""Number formats by the style of a cell."""

BinaryCell = tuple[int, str | float | bool | bytes, int]
"""0-based column, value (bytes: an error code), style."""

_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_FIRST_FORM = 164


def write_xlsb(path: Path, rows: Mapping[int, Sequence[BinaryCell]], *, date_1904: bool = False) -> None:
    """Write a workbook with one sheet.

    Args:
        rows: by 0-based number.
    """
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("_rels/.rels", _relations(("officeDocument", "xl/workbook.bin")))
        archive.writestr("xl/workbook.bin", _book(date_1904=date_1904))
        archive.writestr(
            "xl/_rels/workbook.bin.rels",
            _relations(("worksheet", "worksheets/sheet1.bin"), ("styles", "styles.bin")),
        )
        archive.writestr("xl/styles.bin", _styles())
        archive.writestr("xl/worksheets/sheet1.bin", _sheet(rows))


def _relations(*targets: tuple[str, str]) -> str:
    entries = (
        f'<Relationship Id="rId{number}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(targets, 1)
    )
    return f'<Relationships xmlns="{_PACKAGE}">{"".join(entries)}</Relationships>'


def _record(number: int, content: bytes = b"") -> bytes:
    """Number and length stand in groups of seven bits, the lowest first."""
    head = bytes([number]) if number < 128 else bytes([number & 0x7F | 0x80, number >> 7])
    length, size = len(content), b""
    while length > 0x7F:
        size += bytes([length & 0x7F | 0x80])
        length >>= 7
    return head + size + bytes([length]) + content


def _text(text: str) -> bytes:
    encoded = text.encode("utf-16-le")
    return struct.pack("<I", len(encoded) // 2) + encoded


def _book(*, date_1904: bool) -> bytes:
    properties = struct.pack("<II", int(date_1904), 0) + _text("")
    sheet = struct.pack("<II", 0, 1) + _text("rId1") + _text("Sheet1")
    return (
        _record(131)
        + _record(153, properties)
        + _record(143)
        + _record(156, sheet)
        + _record(144)
        + _record(132)
    )


def _styles() -> bytes:
    count = struct.pack("<I", len(FORMS))
    numbers = range(_FIRST_FORM, _FIRST_FORM + len(FORMS))
    forms = b"".join(_record(44, struct.pack("<H", n) + _text(f)) for n, f in zip(numbers, FORMS, strict=True))
    cells = b"".join(_record(47, struct.pack("<HH", 0, number) + bytes(12)) for number in numbers)
    return (
        _record(278)
        + _record(615, count)
        + forms
        + _record(616)
        + _record(617, count)
        + cells
        + _record(618)
        + _record(279)
    )


def _sheet(rows: Mapping[int, Sequence[BinaryCell]]) -> bytes:
    last_column = max((column for cells in rows.values() for column, _, _ in cells), default=0)
    parts = [
        _record(129),
        _record(148, struct.pack("<IIII", min(rows), max(rows), 0, last_column)),
        _record(145),
    ]
    for number in sorted(rows):
        parts.append(_record(0, struct.pack("<II", number, 0) + bytes(9)))
        parts += [_cell(*cell) for cell in rows[number]]
    return b"".join([*parts, _record(146), _record(130)])


def _cell(column: int, value: str | float | bool | bytes, style: int) -> bytes:
    place = struct.pack("<I", column) + struct.pack("<I", style)[:3] + b"\0"
    if isinstance(value, bool):
        return _record(4, place + bytes([value]))
    if isinstance(value, str):
        return _record(6, place + _text(value))
    if isinstance(value, bytes):
        return _record(3, place + value)
    return _record(5, place + struct.pack("<d", value))
