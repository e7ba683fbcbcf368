"""From the text of a definition document to a `Definition`, with the line of what is wrong."""

import difflib
import json
import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from schemas.definition import Definition, Field, whole_match
from schemas.destination_document import DESTINATIONS
from schemas.errors import DefinitionError, NotFoundError
from schemas.field_types import typed_value
from schemas.headers import known_headers

Path_ = tuple[str | int, ...]


class _LineLoader(yaml.SafeLoader):
    """A safe loader that refuses duplicate keys and remembers the line of every key and element."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self.lines: dict[Path_, int] = {}

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise DefinitionError("aliases (*name) are not supported; write the value out", line=self.line + 1)
        node: yaml.Node | None = super().compose_node(parent, index)
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[object] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise DefinitionError(f"the key {key!r} stands twice", line=key_node.start_mark.line + 1)
            seen.add(key)
        return super().construct_mapping(node, deep)


# What is no plain number, truth value or null stays text: `010`, `12:30`, `yes` and `2024-01-02` mean what the
# definition says. Each pattern is narrower than YAML's own, so that what `safe_dump` leaves bare stays text.
_LineLoader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?(0|[1-9][0-9]*)", "-+0123456789"),
    ("float", r"[-+]?(0|[1-9][0-9]*)\.[0-9]*([eE][-+][0-9]+)?", "-+0123456789"),
):
    _LineLoader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), list(_first)
    )


def parse_definition(text: str) -> Definition:
    """The definition that a YAML or JSON document declares.

    Raises:
        DefinitionError: the text is no such document; tells the line and what would be right.
    """
    document, lines = _parse_json(text) if text.lstrip().startswith("{") else _parse_yaml(text)
    try:
        definition = Definition.model_validate(document)
    except ValidationError as error:
        raise _explain(error, lines) from error
    known_headers(definition)
    _refuse_wrong_defaults(definition, lines)
    _refuse_wrong_record(definition, lines)
    return definition


def read_definition(path: Path) -> Definition:
    """The definition in a file.

    Raises:
        NotFoundError: there is no such file.
        DefinitionError: it holds no definition.
    """
    try:
        return parse_definition(path.read_text("utf-8-sig"))
    except FileNotFoundError as error:
        raise NotFoundError(f"there is no file {str(path)!r}") from error
    except UnicodeDecodeError as error:
        raise DefinitionError(f"{path.name} is not UTF-8 text") from error
    except OSError as error:
        raise NotFoundError(f"{str(path)!r} can't be read: {error.strerror}") from error


def write_definition(definition: Definition) -> str:
    """The document that `parse_definition` reads back as the same definition, without what is default."""
    document = json.loads(definition.model_dump_json(exclude_defaults=True))
    document = {"name": definition.name, "key": list(definition.key), "mode": definition.mode.value} | document
    head = {key: value for key, value in document.items() if key != "fields"}
    rows = "".join(f"  - {_flow(field)}\n" for field in document["fields"])
    return yaml.safe_dump(head, sort_keys=False, allow_unicode=True) + "fields:\n" + rows


def _flow(field: dict[str, Any]) -> str:
    text = yaml.safe_dump(field, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10_000)
    return text.strip()


def _parse_json(text: str) -> tuple[dict[str, Any], dict[Path_, int]]:
    try:
        document: dict[str, Any] = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise DefinitionError(f"not valid JSON: {error.msg}", line=error.lineno) from error
    except (RecursionError, ValueError) as error:
        raise DefinitionError(f"not valid JSON: {error}", line=_line_of_fault(text)) from error
    try:
        return document, _parse_yaml(text.replace("\t", " "))[1]
    except DefinitionError:
        # Not all JSON is YAML; then the line is not told.
        return document, {}


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {next(key for key in keys if keys.count(key) > 1)!r} stands twice")
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no value")


def _line_of_fault(text: str) -> int | None:
    """The line of a key that stands twice, as YAML finds it; None where YAML finds no fault."""
    try:
        _parse_yaml(text.replace("\t", " "))
    except DefinitionError as error:
        return error.line
    return None


def _parse_yaml(text: str) -> tuple[dict[str, Any], dict[Path_, int]]:
    try:
        loader = _LineLoader(text)
        node = loader.get_single_node()
        document = loader.construct_document(node) if node is not None else None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise DefinitionError(f"not valid YAML: {error.problem}", line=line) from error
    except (yaml.YAMLError, RecursionError, TypeError, ValueError) as error:
        raise DefinitionError(f"not valid YAML: {error}") from error
    if node is None or not isinstance(document, dict):
        raise DefinitionError("a definition is a mapping of keys such as 'name', 'fields' and 'destination'")
    lines: dict[Path_, int] = {}
    _note_lines(node, (), lines, loader)
    return document, lines


def _note_lines(node: yaml.Node, path: Path_, lines: dict[Path_, int], loader: _LineLoader) -> None:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        for key_node, value_node in node.value:
            key = (*path, str(loader.construct_object(key_node, deep=True)))
            lines[key] = key_node.start_mark.line + 1
            _note_lines(value_node, key, lines, loader)
    elif isinstance(node, yaml.SequenceNode):
        for index, value_node in enumerate(node.value):
            _note_lines(value_node, (*path, index), lines, loader)


def _explain(error: ValidationError, lines: dict[Path_, int]) -> DefinitionError:
    problems = _deepest(error.errors())
    first = min(problems, key=lambda p: _line_of(_as_written(p["loc"]), lines) or 0)
    place = _as_written(first["loc"])
    where = ".".join(str(part) for part in place)
    if first["type"] == "extra_forbidden":
        message = f"unknown key {where!r}{_suggest(first['loc'])}"
    elif first["type"] == "missing":
        message = f"the key {where!r} is missing"
    else:
        said = first["msg"].removeprefix("Value error, ")
        message = f"{where}: {said}" if where else said
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return DefinitionError(message + more, line=_line_of(place, lines))


def _as_written(location: Path_) -> Path_:
    """The place in the document, without the name of the kind that a destination was taken for."""
    return tuple(part for part in location if part not in DESTINATIONS)


def _deepest(problems: list[ErrorDetails]) -> list[ErrorDetails]:
    """The problems without those that only follow from one inside (a list of one wrong element is empty)."""
    inner = {problem["loc"][:length] for problem in problems for length in range(len(problem["loc"]))}
    return [problem for problem in problems if problem["loc"] not in inner]


def _refuse_wrong_defaults(definition: Definition, lines: dict[Path_, int]) -> None:
    for index, field in enumerate(definition.fields):
        problem = None if field.default is None else _default_problem(field)
        if problem is not None:
            where = ("fields", index, "default")
            raise DefinitionError(
                f"fields.{index}: the default {field.default!r} {problem}", line=_line_of(where, lines)
            )


def _refuse_wrong_record(definition: Definition, lines: dict[Path_, int]) -> None:
    if definition.record is None:
        return
    from schemas.record_checks import fitting_model

    try:
        fitting_model(definition)
    except DefinitionError as error:
        raise DefinitionError(f"record: {error}", line=_line_of(("record",), lines)) from error


def _default_problem(field: Field) -> str | None:
    """What is wrong with the field's default, in words; None where a cell might hold it."""
    import polars as pl

    from schemas.casting import default_value

    value: Any = default_value(field)
    if value is None:
        return f"is no value of type {field.type.value!r}"
    low, high = (
        None if limit is None else typed_value(field.type, limit, field.timezone)
        for limit in (field.min, field.max)
    )
    if (low is not None and value < low) or (high is not None and value > high):
        return "is not between 'min' and 'max'"
    if field.min_length is not None and len(value) < field.min_length:
        return "is shorter than 'min_length'"
    if field.max_length is not None and len(value) > field.max_length:
        return "is longer than 'max_length'"
    if field.pattern is not None and not pl.Series([value]).str.contains(whole_match(field.pattern))[0]:
        return "does not match 'pattern'"
    return None


def _line_of(location: Path_, lines: dict[Path_, int]) -> int | None:
    for length in range(len(location), -1, -1):
        if location[:length] in lines:
            return lines[location[:length]]
    return None


def _suggest(location: Path_) -> str:
    model: type[BaseModel] | None = Definition
    for part in location[:-1]:
        if isinstance(part, str) and model is not None:
            model = DESTINATIONS.get(part) or _model_of(model, part)
    known = list(model.model_fields) if model else []
    close = difflib.get_close_matches(str(location[-1]), known, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; known are {', '.join(known)}"


def _model_of(model: type[BaseModel], key: str) -> type[BaseModel] | None:
    """The model of what stands under a key, or of each element of it; None where that is no model."""
    field = model.model_fields.get(key)
    annotation: Any = field.annotation if field else None
    while getattr(annotation, "__args__", None):
        annotation = annotation.__args__[0]
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None
