"""From the text between the braces to an expression."""

import re
from collections.abc import Iterator

from schemas.handlebars.helpers import HELPERS
from schemas.handlebars.nodes import Call, Constant, Expression, Path

DEEPEST = 20
"""Calls within calls, and blocks within blocks."""

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<text>"[^"]*"|'[^']*')
      | (?P<number>-?\d+(?:\.\d+)?)(?=[\s)]|$)
      | (?P<bracket>[()])
      | (?P<path>(?:\[[^\]]*\]|[^\s()\[\]"'=|])+)(?![=\[])
    )""",
    re.VERBOSE,
)
_STEP = re.compile(r"\[([^\]]*)\]|([^./\[\]]+)")
_CONSTANTS = {"true": True, "false": False, "null": None, "undefined": None}
_BASES = frozenset({"@root", "@index", "@key", "@first", "@last"})


def parse_expression(text: str) -> Expression:
    """The value or the call that stands there.

    Raises:
        ValueError: it is none, or has something that is not served.
    """
    parts = parse_arguments(text)
    first, *rest = parts
    if isinstance(first, Path) and (rest or _needs_no_argument(first)):
        return _call(first, tuple(rest))
    if rest:
        raise ValueError(f"{{{{{text}}}}} names no helper")
    return first


def parse_arguments(text: str) -> list[Expression]:
    """Each value that stands there, at least one."""
    tokens = list(_tokens(text))
    parts, end = _values(tokens, 0, 0)
    if end < len(tokens):
        raise ValueError(f"{{{{{text}}}}} closes a bracket that is not open")
    if not parts:
        raise ValueError("{{}} names nothing")
    return parts


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    position, end = 0, len(text.rstrip())
    while position < end:
        found = _TOKEN.match(text, position)
        if found is None or found.lastgroup is None:
            raise ValueError(f"{{{{{text}}}}} can't be read at {text[position:].strip()[:20]!r}")
        yield found.lastgroup, found[found.lastgroup]
        position = found.end()


def _values(tokens: list[tuple[str, str]], start: int, depth: int) -> tuple[list[Expression], int]:
    """The values up to the bracket that closes, or the end; and where that is."""
    if depth > DEEPEST:
        raise ValueError(f"calls stand in each other more than {DEEPEST} deep")
    values: list[Expression] = []
    while start < len(tokens) and tokens[start] != ("bracket", ")"):
        kind, text = tokens[start]
        if kind == "bracket":
            inner, start = _values(tokens, start + 1, depth + 1)
            if start == len(tokens) or not inner or not isinstance(inner[0], Path):
                raise ValueError("a bracket is not closed, or names no helper")
            values.append(_call(inner[0], tuple(inner[1:])))
        else:
            values.append(_value(kind, text))
        start += 1
    return values, start


def _value(kind: str, text: str) -> Expression:
    if kind == "text":
        return Constant(text[1:-1])
    if kind == "number":
        return Constant(float(text) if "." in text else int(text))
    return Constant(_CONSTANTS[text]) if text in _CONSTANTS else _path(text)


def _path(text: str) -> Path:
    rest, ups, base = text, 0, ""
    while rest == ".." or rest.startswith("../"):
        rest, ups = rest[3:], ups + 1
    if rest.startswith("@"):
        base = re.match(r"@\w*", rest)[0]  # type: ignore[index]
        if base not in _BASES or ups:
            raise ValueError(f"{text!r} is not served; known are {', '.join(sorted(_BASES))}")
        rest = rest[len(base) :].lstrip("./")
    names = tuple(bracketed or plain for bracketed, plain in _STEP.findall(rest))
    if names[:1] == ("this",) and not rest.startswith("["):
        return Path(names[1:], ups, base)
    return Path(names, ups, base, ".".join(names))


def _needs_no_argument(path: Path) -> bool:
    return path.whole in HELPERS and HELPERS[path.whole].fewest == 0


def _call(path: Path, arguments: tuple[Expression, ...]) -> Call:
    helper = HELPERS.get(path.whole)
    if helper is None:
        raise ValueError(f"the helper {path.whole!r} is not served; served are {', '.join(sorted(HELPERS))}")
    if not helper.fewest <= len(arguments) <= helper.most:
        most = "" if helper.most == helper.fewest else f" to {helper.most}"
        raise ValueError(f"the helper {path.whole!r} takes {helper.fewest}{most} value(s)")
    return Call(path.whole, arguments)
