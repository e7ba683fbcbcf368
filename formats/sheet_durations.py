"""Cells that show a number of days as hours (`36:00`): to the reader they would be dates of the year 1900."""

import re

_NUMBER_FORMAT = re.compile(rb"<(?:[^\s<>/:]+:)?numFmt\s([^>]*)>")
_CELL_FORMATS = re.compile(rb"<((?:[^\s<>/:]+:)?)cellXfs[\s>].*?</\1cellXfs", re.DOTALL)
_CELL_FORMAT = re.compile(rb"<(?:[^\s<>/:]+:)?xf\s([^>]*)>")
_ID = re.compile(rb"""\bnumFmtId\s*=\s*["']([0-9]+)""")
_CODE = re.compile(rb"""\bformatCode\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_QUOTED = re.compile(rb"&quot;.*?&quot;|\\.")
_ELAPSED = re.compile(rb"\[(?:h+|m+|s+)\]", re.IGNORECASE)
_BUILT_IN = {b"46"}
_SECONDS_A_DAY = 86_400


def duration_styles(styles: bytes) -> frozenset[bytes]:
    """Indexes, as text, of the cell formats in `styles.xml` that show hours, minutes or seconds without end."""
    formats = set(_BUILT_IN)
    for attributes in _NUMBER_FORMAT.findall(styles):
        number, code = _ID.search(attributes), _CODE.search(attributes)
        if number and code and _ELAPSED.search(_QUOTED.sub(b"", code[1] or code[2] or b"")):
            formats.add(number[1])
    cell_formats = _CELL_FORMATS.search(styles)
    found = _CELL_FORMAT.findall(cell_formats[0]) if cell_formats else []
    numbers = [_ID.search(attributes) for attributes in found]
    return frozenset(b"%d" % i for i, number in enumerate(numbers) if number and number[1] in formats)


def spell_durations(rows: bytes, styles: frozenset[bytes]) -> bytes:
    """The rows with `36:00:00` as text in the cells of these styles that hold a number."""
    if not styles:
        return rows
    cell = re.compile(
        rb"""<c(?=[^>]*\ss="(?:%s)")(?![^>]*\st="[^n])([^>]*)>"""
        rb"""\s*((?:<f[^>]*/>|<f[^>]*>[^<]*</f>)?)\s*<v>([^<]*)</v>""" % b"|".join(sorted(styles))
    )
    return cell.sub(_spelt, rows)


def _spelt(cell: re.Match[bytes]) -> bytes:
    attributes, formula, number = cell.groups()
    try:
        text = _duration(float(number))
    except (ValueError, OverflowError):
        return cell[0]
    return b'<c%s t="str">%s<v>%s</v>' % (attributes.replace(b' t="n"', b""), formula, text.encode())


def _duration(days: float) -> str:
    milliseconds = round(abs(days) * _SECONDS_A_DAY * 1000)
    seconds, fraction = divmod(milliseconds, 1000)
    sign = "-" if days < 0 and milliseconds else ""
    text = f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{text}.{fraction:03}" if fraction else text
