"""A template being filled in: what its parts are worth, and which of them are written."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from schemas.handlebars.helpers import HELPERS, made
from schemas.handlebars.nodes import Block, Call, Constant, Expression, Node
from schemas.handlebars.numbers import number
from schemas.handlebars.scope import Frame, Scope

BLOCKS: Mapping[str, int] = {"if": 1, "unless": 1, "each": 1, "compare": 3}
"""Block → how many values it takes."""
OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": eq,
    "===": eq,
    "!=": ne,
    "!==": ne,
    "<": lt,
    ">": gt,
    "<=": le,
    ">=": ge,
}


def write(nodes: Sequence[Node], scope: Scope, out: list[str]) -> None:
    """Append what the nodes give.

    Raises:
        TemplateError: see `Template.fill`.
    """
    for node in nodes:
        if isinstance(node, str):
            scope.budget.charge(len(node))
            out.append(node)
        elif isinstance(node, Block):
            _write_block(node, scope, out)
        else:
            out.append(scope.text(evaluated(node, scope)))


def evaluated(expression: Expression, scope: Scope) -> Any:  # noqa: ANN401 - any JSON value
    """What the expression is worth."""
    if isinstance(expression, Constant):
        return expression.value
    if isinstance(expression, Call):
        arguments = tuple([evaluated(argument, scope) for argument in expression.arguments])
        return made(HELPERS[expression.helper], scope, arguments)
    return scope.value(expression)


def _write_block(block: Block, scope: Scope, out: list[str]) -> None:
    values = [evaluated(argument, scope) for argument in block.arguments]
    if block.helper == "each":
        return _write_each(block, values[0], scope, out)
    holds = _compares(scope, *values) if block.helper == "compare" else is_true(values[0])
    return write(block.body if holds is (block.helper != "unless") else block.otherwise, scope, out)


def _write_each(block: Block, value: Any, scope: Scope, out: list[str]) -> None:  # noqa: ANN401 - any JSON value
    frame: Frame | None = None
    for frame in _frames(value):
        scope.budget.charge(0)
        scope.frames.append(frame)
        write(block.body, scope, out)
        scope.frames.pop()
    if frame is None:
        write(block.otherwise, scope, out)


def _frames(value: Any) -> Iterator[Frame]:  # noqa: ANN401 - any JSON value
    keyed = isinstance(value, Mapping)
    if keyed or isinstance(value, list | tuple):
        elements = value.items() if keyed else enumerate(value)
        for position, (key, element) in enumerate(elements):
            yield Frame(element, position, key, position == len(value) - 1)


def is_true(value: Any) -> bool:  # noqa: ANN401 - any JSON value
    """False for what handlebars takes for false: nothing, false, 0, an empty text and an empty list."""
    return bool(value) or isinstance(value, Mapping)


def _compares(scope: Scope, first: Any, operator: Any, second: Any) -> bool:  # noqa: ANN401 - any JSON values
    """Whether the comparison holds, by the rules of JavaScript: texts as texts, else as numbers."""
    compare = OPERATORS[operator]
    if operator in {"===", "!=="}:
        return compare((_kind(first), scope.text(first)), (_kind(second), scope.text(second)))
    if isinstance(first, str) and isinstance(second, str):
        return compare(first, second)
    try:
        return compare(number(first), number(second))
    except ValueError:
        return compare in {eq, ne} and compare(scope.text(first), scope.text(second))


def _kind(value: Any) -> str:  # noqa: ANN401 - any JSON value
    is_number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    return "number" if is_number else type(value).__name__
