"""How the pages write numbers, sizes, times and whatever somebody sent."""

import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType

SHOWN_CHARACTERS = 200
_VISIBLE = {"\n": "⏎", "\r": "␍", "\t": "⇥", "\0": "␀"}
_UNSEEN = frozenset({"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"})
"""Categories of characters that show nothing of themselves, or that turn the text around them about."""


def inert(text: str, limit: int = SHOWN_CHARACTERS) -> str:
    """The text with every unseen character made visible, cut to `limit` characters, which it then says.

    The templates escape what HTML would read; this is for what a reader would misread, such as a file name
    that an override of direction shows backwards.
    """
    shown = "".join(map(_visible, text[:limit]))
    return shown if len(text) <= limit else f"{shown}… ({number(len(text))} characters)"


def number(value: int) -> str:
    """12345 as `12,345`."""
    return f"{value:,}"


def many(value: int, noun: str) -> str:
    """So many of these: `1 row`, `2,000 rows`."""
    return f"{number(value)} {noun if value == 1 else f'{noun}s'}"


def size(value_bytes: int) -> str:
    """Bytes as people say them: `1.5 MiB`."""
    value, unit = float(value_bytes), "bytes"
    for larger in ("KiB", "MiB", "GiB"):
        if value < 1024:
            break
        value, unit = value / 1024, larger
    return f"{value:,.1f}".removesuffix(".0") + f" {unit}"


def moment(at: datetime) -> str:
    """The time to the minute, in UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


FILTERS: Mapping[str, Callable[..., str]] = MappingProxyType(
    {"inert": inert, "number": number, "many": many, "size": size, "moment": moment}
)


def _visible(character: str) -> str:
    if unicodedata.category(character) not in _UNSEEN:
        return character
    return _VISIBLE.get(character) or f"[U+{ord(character):04X}]"
