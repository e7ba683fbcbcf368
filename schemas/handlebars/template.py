"""A template: read once, filled in for many records."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from schemas.handlebars.blocks import BLOCKS, OPERATORS, write
from schemas.handlebars.expression import DEEPEST, parse_arguments, parse_expression
from schemas.handlebars.nodes import Block, Call, Constant, Expression, Node, Path
from schemas.handlebars.scope import Scope

_TAG = re.compile(
    r"""\{\{!--.*?--\}\}
      | \{\{![^}]*\}\}
      | (?P<open>\{\{\{?)(?P<left>~?)
        (?P<inside>(?:"[^"]*"|'[^']*'|\[[^\]]*\]|[^{}"'\[~])*)
        (?P<right>~?)(?P<close>\}\}\}?)""",
    re.DOTALL | re.VERBOSE,
)


class Template:
    """A text with `{{…}}` in it.

    Both `{{name}}` and `{{{name}}}` give the value as it is: nothing is escaped.

    Attributes:
        lookup_names: every lookup that the template asks.
        names: those of the record that it reads, with the dots of those within objects.

    Raises:
        ValueError: it can't be read, or has something that is not served; says what.
    """

    def __init__(self, text: str) -> None:
        self._nodes = _Reading(text).whole()
        self.lookup_names = frozenset(_lookups(self._nodes))
        self.names = tuple(dict.fromkeys(_names(self._nodes)))

    def fill(self, scope: Scope) -> str:
        """The text for what the scope holds.

        Raises:
            TemplateError: a helper can't make anything of a value, or the text would be too long.
        """
        out: list[str] = []
        scope.frames.clear()
        write(self._nodes, scope, out)
        return "".join(out)


class _Tag(str):
    """What stands between braces."""

    __slots__ = ()


class _Reading:
    """One text being read, from its beginning to its end."""

    def __init__(self, text: str) -> None:
        self._pieces = _pieces(text)

    def whole(self) -> tuple[Node, ...]:
        nodes, end = self._until_end(0)
        if end is not None:
            raise ValueError(f"{{{{{end}}}}} ends a block that was not begun")
        return nodes

    def _until_end(self, depth: int) -> tuple[tuple[Node, ...], str | None]:
        """What stands up to the tag that ends or divides a block, and that tag; None: the text ended."""
        if depth > DEEPEST:
            raise ValueError(f"blocks stand in each other more than {DEEPEST} deep")
        nodes: list[Node] = []
        for piece in self._pieces:
            if not isinstance(piece, _Tag):
                nodes.append(piece)
            elif piece.startswith("#"):
                name = piece[1:].split(maxsplit=1)[0] if piece[1:].strip() else ""
                nodes.append(self._block(piece[1:].strip(), name, depth))
            elif piece.startswith(("/", "^")) or piece.split(maxsplit=1)[:1] == ["else"]:
                return tuple(nodes), piece
            elif piece.startswith((">", "*")):
                raise ValueError(f"{{{{{piece}}}}} is a partial; partials are not served")
            else:
                nodes.append(parse_expression(piece.removeprefix("&")))
        return tuple(nodes), None

    def _block(self, text: str, closed_by: str, depth: int) -> Block:
        name, _, rest = text.partition(" ")
        if name not in BLOCKS:
            raise ValueError(f"the block {name!r} is not served; served are {', '.join(BLOCKS)}")
        arguments = tuple(parse_arguments(rest)) if rest.strip() else ()
        if len(arguments) != BLOCKS[name]:
            raise ValueError(f"the block {name!r} takes {BLOCKS[name]} value(s)")
        if name == "compare" and not _is_operator(arguments[1]):
            raise ValueError(f"'compare' compares by one of {', '.join(OPERATORS)}, in quotes")
        body, end = self._until_end(depth + 1)
        otherwise: tuple[Node, ...] = ()
        if end is not None and not end.startswith("/"):
            chained = end.removeprefix("^").removeprefix("else").strip()
            if chained:
                return Block(name, arguments, body, (self._block(chained, closed_by, depth + 1),))
            otherwise, end = self._until_end(depth + 1)
        if end is None or end[1:].strip() != closed_by:
            raise ValueError(f"the block {closed_by!r} is not ended by {{{{/{closed_by}}}}}")
        return Block(name, arguments, body, otherwise)


def _is_operator(expression: Expression) -> bool:
    return isinstance(expression, Constant) and expression.value in OPERATORS


def _pieces(text: str) -> Iterator[str]:
    """The text between tags, and the tags."""
    if "\\{{" in text:
        raise ValueError("braces with a backslash before them are not served")
    position, strip = 0, False
    for tag in _TAG.finditer(text):
        yield from _plain(text[position : tag.start()], left=strip, right=bool(tag["left"]))
        position, strip = tag.end(), bool(tag["right"])
        if tag["inside"] is not None:
            if len(tag["open"]) != len(tag["close"]):
                raise ValueError(f"the braces around {tag['inside'].strip()!r} don't match")
            yield _Tag(tag["inside"].strip())
    yield from _plain(text[position:], left=strip, right=False)


def _plain(text: str, *, left: bool, right: bool) -> Iterator[str]:
    if "{{" in text:
        part = text[text.index("{{") :][:40]
        raise ValueError(f"the braces of {part!r} are not closed, or what they hold can't be read")
    text = text.lstrip() if left else text
    text = text.rstrip() if right else text
    if text:
        yield text


def _names(nodes: Sequence[Node], depth: int = 0) -> Iterator[str]:
    """Names of the record; within so many blocks of `each`, names are those of the element."""
    for node in nodes:
        if isinstance(node, Path):
            name = (node.whole or ".".join(node.names)).removeprefix("record.").removeprefix("data.0.")
            is_of_record = node.base == "@root" or (not node.base and node.ups >= depth)
            if name and is_of_record and node.names[0] != "settings":
                yield name
        elif isinstance(node, Call):
            yield from _names(node.arguments, depth)
        elif isinstance(node, Block):
            yield from _names(node.arguments, depth)
            yield from _names(node.body, depth + (node.helper == "each"))
            yield from _names(node.otherwise, depth)


def _lookups(nodes: Sequence[Node]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, Block):
            yield from _lookups((*node.arguments, *node.body, *node.otherwise))
        elif isinstance(node, Call):
            yield from _lookups(node.arguments)
            if node.helper == "lookup":
                name: Any = node.arguments[0]
                if not isinstance(name, Constant):
                    raise ValueError("'lookup' takes the name of the lookup in quotes first")
                yield str(name.value)
