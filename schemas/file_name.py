"""The blanks in the URL of a file destination: which there are, and how they are filled in."""

import re
from collections.abc import Mapping
from datetime import datetime

FILE_BLANKS = ("definition", "job_id", "timestamp", "date", "file_name", "tenant", "mode")
"""What stands in braces; `timestamp` and `date` may have a format behind a colon."""
TIMESTAMP = "%Y%m%dT%H%M%S.%fZ"
"""The fact `timestamp`."""

_BLANK = re.compile(r"\{([^{}]*)\}")
_MOMENTS = ("timestamp", "date")
_PARTS: Mapping[str, str] = {
    "YYYY": "%Y",
    "YY": "%y",
    "MM": "%m",
    "DD": "%d",
    "HH": "%H",
    "mm": "%M",
    "ss": "%S",
    "SSS": "%f",
}
_PART = re.compile("|".join(_PARTS))
_BETWEEN = "[-_. T]*"
_FORMAT = re.compile(rf"{_BETWEEN}(?:(?:{_PART.pattern}){_BETWEEN})+")
_UNSAFE = re.compile(r"[^\w .+()-]|[\x00-\x1f]")
_NAME_CHARS = 120


def has_blank(text: str) -> bool:
    """True where something is to be filled in."""
    return _BLANK.search(text) is not None


def refuse_unknown_blanks(text: str) -> None:
    """Nothing, where every blank can be filled in.

    Raises:
        ValueError: one can't.
    """
    for blank in _BLANK.findall(text):
        name, colon, form = blank.partition(":")
        if name not in FILE_BLANKS or (colon and name not in _MOMENTS):
            known = ", ".join(f"{{{known}}}" for known in FILE_BLANKS)
            raise ValueError(f"there is no blank {{{blank}}}; known are {known}")
        if colon and not _FORMAT.fullmatch(form):
            raise ValueError(
                f"{{{blank}}} has no format such as YYYY-MM-DD or YYYYMMDDHHmmssSSS, with '-', '_', '.', 'T' "
                "or a space between"
            )


def filled_in(text: str, facts: Mapping[str, str]) -> str:
    """The text with every blank filled in; a value never leads into another folder.

    Args:
        facts: a text for each blank; `timestamp` as `TIMESTAMP` has it.
    """
    return _BLANK.sub(lambda blank: _value(blank[1], facts), text)


def _value(blank: str, facts: Mapping[str, str]) -> str:
    name, colon, form = blank.partition(":")
    if not colon:
        return _UNSAFE.sub("_", facts[name]).lstrip(".")[:_NAME_CHARS] or "_"
    # Naive as it is, it stays in UTC, as the fact is.
    moment = datetime.strptime(facts["timestamp"], TIMESTAMP)  # noqa: DTZ007
    return _PART.sub(lambda part: _part(moment, part[0]), form).lstrip(".")


def _part(moment: datetime, name: str) -> str:
    text = moment.strftime(_PARTS[name])
    return text[:3] if name == "SSS" else text
