"""Dates written by the tokens of moment.js, https://momentjs.com/docs/#/displaying/format (read 2026-11-28)."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, available_timezones

MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_LOCAL_FORMS = {
    "LTS": "h:mm:ss A",
    "LT": "h:mm A",
    "LLLL": "dddd, MMMM D, YYYY h:mm A",
    "LLL": "MMMM D, YYYY h:mm A",
    "LL": "MMMM D, YYYY",
    "L": "MM/DD/YYYY",
    "llll": "ddd, MMM D, YYYY h:mm A",
    "lll": "MMM D, YYYY h:mm A",
    "ll": "MMM D, YYYY",
    "l": "M/D/YYYY",
}
"""The forms that moment names by one token, in American English."""

_LOCAL = re.compile(r"\[[^\[\]]*\]|LTS|LT|L{1,4}|l{1,4}")
_TOKEN = re.compile(
    r"\[[^\[\]]*\]|Y{5,}|YYYY|YY|MMMM|MMM|MM|Mo|M|DDDD|DDD|DD|Do|D|dddd|ddd|dd|do|d|HH|H|hh|h|kk|k|mm|m|ss|s|S{1,9}"
    r"|A|a|ZZ|Z|X|x|Qo|Q|E|e|ww|wo|w|WW|Wo|W|gggg|gg|GGGG|GG|zz|z|N+|Y+|y+|.",
    re.DOTALL,
)
_NOT_SERVED = re.compile(r"e|k+|w[wo]?|Wo|g+|z+|N+|Y{1,3}|Y{5,}|y+")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _ordinal(number: int) -> str:
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _offset(moment: datetime, colon: str) -> str:
    minutes = int((moment.utcoffset() or timedelta()).total_seconds() // 60)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}{colon}{abs(minutes) % 60:02}"


def _milliseconds(moment: datetime) -> int:
    return (moment.astimezone(UTC) - EPOCH) // timedelta(milliseconds=1)


WRITERS: Mapping[str, Callable[[datetime], str]] = {
    "YYYY": lambda m: f"{m.year:04}",
    "YY": lambda m: f"{m.year % 100:02}",
    "MMMM": lambda m: MONTHS[m.month - 1],
    "MMM": lambda m: MONTHS[m.month - 1][:3],
    "MM": lambda m: f"{m.month:02}",
    "Mo": lambda m: _ordinal(m.month),
    "M": lambda m: str(m.month),
    "DDDD": lambda m: f"{m.timetuple().tm_yday:03}",
    "DDD": lambda m: str(m.timetuple().tm_yday),
    "DD": lambda m: f"{m.day:02}",
    "Do": lambda m: _ordinal(m.day),
    "D": lambda m: str(m.day),
    "dddd": lambda m: DAYS[m.weekday()],
    "ddd": lambda m: DAYS[m.weekday()][:3],
    "dd": lambda m: DAYS[m.weekday()][:2],
    "do": lambda m: _ordinal(m.isoweekday() % 7),
    "d": lambda m: str(m.isoweekday() % 7),
    "E": lambda m: str(m.isoweekday()),
    "HH": lambda m: f"{m.hour:02}",
    "H": lambda m: str(m.hour),
    "hh": lambda m: f"{(m.hour + 11) % 12 + 1:02}",
    "h": lambda m: str((m.hour + 11) % 12 + 1),
    "mm": lambda m: f"{m.minute:02}",
    "m": lambda m: str(m.minute),
    "ss": lambda m: f"{m.second:02}",
    "s": lambda m: str(m.second),
    "A": lambda m: "AM" if m.hour < 12 else "PM",
    "a": lambda m: "am" if m.hour < 12 else "pm",
    "Z": lambda m: _offset(m, ":"),
    "ZZ": lambda m: _offset(m, ""),
    "X": lambda m: str(_milliseconds(m) // 1000),
    "x": lambda m: str(_milliseconds(m)),
    "Q": lambda m: str((m.month + 2) // 3),
    "Qo": lambda m: _ordinal((m.month + 2) // 3),
    "WW": lambda m: f"{m.isocalendar().week:02}",
    "W": lambda m: str(m.isocalendar().week),
    "GGGG": lambda m: f"{m.isocalendar().year:04}",
    "GG": lambda m: f"{m.isocalendar().year % 100:02}",
}


@cache
def zone_names() -> frozenset[str]:
    """Every IANA name of a zone; to find them takes some milliseconds, once."""
    return frozenset(available_timezones())


def known_zone(name: str) -> tzinfo:
    """The zone of an IANA name.

    Raises:
        ValueError: there is none.
    """
    if name not in zone_names():
        raise ValueError(f"there is no time zone {name!r}; use an IANA name such as Europe/Berlin")
    return ZoneInfo(name)


def iso(moment: datetime) -> str:
    """The moment as ISO 8601 says it, to the millisecond at least; without an offset where it has none."""
    text = moment.isoformat(timespec="microseconds" if moment.microsecond % 1000 else "milliseconds")
    return text.removesuffix("+00:00") + ("Z" if text.endswith("+00:00") else "")


@lru_cache(maxsize=256)
def writer(form: str) -> Callable[[datetime], str]:
    """Writes aware moments in this form.

    Raises:
        ValueError: it has a token that is not served.
    """
    parts: list[str | Callable[[datetime], str]] = []
    for token in tokens(form):
        made = WRITERS.get(token)
        if made is None and token[0] == "S" and set(token) == {"S"}:
            made = _fraction(len(token))
        parts.append(made or literal(token))
    return lambda moment: "".join(part if isinstance(part, str) else part(moment) for part in parts)


def _fraction(digits: int) -> Callable[[datetime], str]:
    return lambda moment: f"{moment.microsecond:06}000"[:digits]


def tokens(form: str) -> list[str]:
    """The tokens and literal texts of a form, in order."""
    whole = _LOCAL.sub(lambda found: _LOCAL_FORMS.get(found[0], found[0]), form)
    return _TOKEN.findall(whole)


def literal(token: str) -> str:
    """What a token stands for that is none.

    Raises:
        ValueError: it is one of moment's that is not served.
    """
    if _NOT_SERVED.fullmatch(token):
        raise ValueError(f"the token {token!r} of moment.js is not served in date formats")
    return token[1:-1] if token[0] == "[" and token[-1] == "]" else token
