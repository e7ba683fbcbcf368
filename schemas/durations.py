"""Lengths of time as people write them: hours without end (`36:00:00`), or ISO 8601 (`PT36H`)."""

import re
from datetime import timedelta

_FRACTION = r"(?:[.,](?P<fraction>\d{1,6})0*)?"
_CLOCK = re.compile(
    rf"([+-])?(?P<hours>\d{{1,7}}):(?P<minutes>[0-5]?\d)(?::(?P<seconds>[0-5]?\d){_FRACTION})?", re.ASCII
)
_ISO = re.compile(
    r"([+-])?P(?=.*\d)(?:(?P<weeks>\d{1,5})W)?(?:(?P<days>\d{1,6})D)?(?:T(?=\d)"
    rf"(?:(?P<hours>\d{{1,7}})H)?(?:(?P<minutes>\d{{1,9}})M)?(?:(?P<seconds>\d{{1,9}}){_FRACTION}S)?)?",
    re.ASCII,
)


def read_duration(text: str) -> timedelta | None:
    """The duration that the text says; None where it says none, or one with years, months or nanoseconds.

    Two parts are hours and minutes, three have seconds too, which may have up to six digits of a fraction.
    """
    found = _CLOCK.fullmatch(text) or _ISO.fullmatch(text)
    if found is None:
        return None
    parts = {name: part for name, part in found.groupdict().items() if part is not None}
    microseconds = int(parts.pop("fraction", "0").ljust(6, "0"))
    length = timedelta(**{name: int(part) for name, part in parts.items()}, microseconds=microseconds)
    return -length if found.group(1) == "-" else length
