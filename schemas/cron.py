"""Times that come again, in the five fields of cron; of these, what all its readers take alike."""

import re

_DAYS_OF_MONTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 7, _WEEKDAYS),
)
"""Name, least and greatest value, and the words that stand for values from the least on."""
_PART = re.compile(r"(?:\*|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/(?P<step>\d{1,2}))?")


def refuse_no_cron(cron: str) -> None:
    """Nothing, where these are five fields, and there is a moment that they mean.

    Raises:
        ValueError: says which field is wrong.
    """
    written = cron.split()
    if len(written) != len(_FIELDS):
        raise ValueError(
            f"cron {cron!r} has {len(written)} fields, not five: minute, hour, day of the month, month, day of "
            "the week"
        )
    _, _, days, months, _ = (_values(text, *field) for text, field in zip(written, _FIELDS, strict=True))
    if written[4] == "*" and not any(min(days) <= _DAYS_OF_MONTHS[month - 1] for month in months):
        raise ValueError(f"cron {cron!r} means a day that no month has")


def _values(text: str, name: str, least: int, greatest: int, words: tuple[str, ...]) -> set[int]:
    values: set[int] = set()
    for part in text.lower().split(","):
        found = _PART.fullmatch(part)
        step = int(found["step"] or 1) if found else 0
        if found is None or step == 0 or (found["step"] and found["first"] and not found["last"]):
            raise ValueError(f"{text!r} is no {name} of cron: *, a value, first-last, */step or several with ,")
        first = _value(found["first"] or str(least), name, least, greatest, words)
        last = _value(found["last"] or found["first"] or str(greatest), name, least, greatest, words)
        if last < first:
            raise ValueError(f"{text!r} is no {name} of cron: the last comes before the first")
        values.update(range(first, last + 1, step))
    return values


def _value(text: str, name: str, least: int, greatest: int, words: tuple[str, ...]) -> int:
    is_number = text.isascii() and text.isdigit()
    value = words.index(text) + least if text in words else int(text) if is_number else None
    if value is None or not least <= value <= greatest:
        raise ValueError(f"{text!r} is no {name} of cron: {least} to {greatest}")
    return value
