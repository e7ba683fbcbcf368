"""Dates, times of day and durations of workbooks as canonical text."""

import re

MISREAD = r"^(?:1[0-8]\d\d|19[0-2]\d|193[01])-\d\d-\d\d \d\d:\d\d:\d\d"
"""A date that may be a duration, a time of day in a workbook that counts from 1904, or no date at all.

The date of a time of day (1899-12-31) is not among them: see `PLAIN_FORMS`.
"""
PLAIN_FORMS = (
    (r"^1899-12-31 (\d{2}:\d{2}:\d{2}(?:\.\d+)?)$", "${1}"),
    (r"^(\d{4}-\d{2}-\d{2}) 00:00:00$", "${1}"),
)
"""What the reader says (pattern) and what is meant: a time of day has no date, a date no midnight."""
HAS_PLAIN_FORM = r"^(?:1899-12-31 \d|\d{4}-\d{2}-\d{2} 00:00:00$)"
"""Matches whatever a pattern of `PLAIN_FORMS` matches, and little else."""
LONGEST_DURATION_DAYS = 10_000
"""Whatever is formatted as a duration, but longer, is a date that somebody shows in hours."""

_ERRORS = {
    "Div0": "#DIV/0!",
    "NA": "#N/A",
    "Name": "#NAME?",
    "Null": "#NULL!",
    "Num": "#NUM!",
    "Ref": "#REF!",
    "Value": "#VALUE!",
    "GettingData": "#GETTING_DATA",
}
KNOWN_ERRORS = frozenset(_ERRORS.values())
"""Those that the reader of workbooks knows."""
_ERROR_DETAIL = re.compile(r"Error\((\w+)\)")
_MOMENT_DETAIL = re.compile(
    r"ExcelDateTime \{ value: ([-\d.eE+]+)(?:, datetime_type: (\w+), is_1904: (true|false))?"
)
_ISO_DURATION = re.compile(r"(-?)P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(\.\d+)?S)?)?\Z")


def shown_error(detail: str) -> str:
    """What the sheet shows in a cell of which the reader says this."""
    if error := _ERROR_DETAIL.search(detail):
        return _ERRORS.get(error.group(1), f"#{error.group(1).upper()}!")
    if moment := _MOMENT_DETAIL.search(detail):
        return f"##### ({moment.group(1)} is no date)"
    return detail


def moment_of(detail: str) -> tuple[str | None, bool]:
    """The text of a cell of which the reader says this, and whether it is a moment; None to leave it alone."""
    found = _MOMENT_DETAIL.search(detail)
    if found is None:
        return None, False
    days, kind, is_1904 = float(found.group(1)), found.group(2), found.group(3) == "true"
    if kind == "TimeDelta" and abs(days) < LONGEST_DURATION_DAYS:
        return duration_text(days), True
    if is_1904 and 0 <= days < 1:
        return duration_text(days), True
    return (shown_error(detail), False) if days < 0 and not is_1904 else (None, True)


def duration_text(days: float) -> str:
    """`36:00:00` for a day and a half, with milliseconds where there are any."""
    milliseconds = round(abs(days) * 86_400_000)
    seconds, rest = divmod(milliseconds, 1000)
    sign = "-" if days < 0 and milliseconds else ""
    fraction = f".{rest:03}" if rest else ""
    return f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{fraction}"


def iso_duration_text(iso: str) -> str | None:
    """`36:00:00` for `PT36H`; None where it is no duration of days and hours."""
    found = _ISO_DURATION.match(iso)
    if found is None or not any(found.groups()[1:]):
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in found.group(2, 3, 4, 5))
    total = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    fraction = (found.group(6) or "").rstrip("0").rstrip(".")
    return f"{found.group(1)}{total // 3600:02}:{total // 60 % 60:02}:{total % 60:02}{fraction}"
