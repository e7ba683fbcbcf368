"""JSON Lines: one object a line; values become text digit by digit, never through floats."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from formats.blocks import TEXT_CHARS, DataRows, resized
from formats.encoding import head_text, marked_codec
from schemas.chunk import BLOCK_ROWS
from schemas.definition import FileOptions
from schemas.errors import FileRefusedError
from schemas.limits import DEFAULT_LIMITS, Limits
from schemas.text_table import Column, Detected, TextBlock

LONGEST_LINE_BYTES = 64 * 1024 * 1024
_OBJECT = re.compile(r"[ \t]*\{\s*(\"|\}|\Z)")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_LONGEST_INTEGER = 4_000
"""Digits; Python makes no number of many more."""
_MARK = b"\xef\xbb\xbf"


class LineError(Exception):
    """A line that is no record; becomes a malformed row and never leaves this module."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


class Literal(str):
    """A number as its digits stood in the file, told from a string inside nested values."""

    __slots__ = ()


@dataclass(frozen=True)
class JsonLines:
    """A file with one JSON object a line; `row` and `line` are the same number."""

    kind: str = "jsonl"
    suffixes: tuple[str, ...] = (".jsonl", ".ndjson", ".json")
    of_text: bool = True

    def matches(self, path: Path, head: bytes) -> bool:
        """True where one of the first lines begins as an object and none before it as something else."""
        del path
        lines = [line for line in head_text(head).split("\n") if line.strip()]
        return bool(lines) and (_OBJECT.match(lines[0]) is not None or _begins_with_other_json(lines))

    def detect(
        self,
        path: Path,
        options: FileOptions,
        known_headers: frozenset[str],
        limits: Limits = DEFAULT_LIMITS,
    ) -> Detected:
        """The keys of all objects of the file, in order of first appearance."""
        del known_headers, limits
        _refuse_wide_text(path)
        keys: dict[str, None] = {}
        for _, line in numbered_lines(path):
            try:
                keys |= dict.fromkeys(_parsed(line))
            except LineError:
                continue
        if not keys:
            raise FileRefusedError(
                "file.unreadable",
                "no line of the file is a JSON object with keys; one object per line is needed",
            )
        columns = tuple(Column(key, None) for key in keys)
        return Detected(self.kind, columns, encoding="utf-8", flat=options.flat)

    def read(self, path: Path, detected: Detected, limits: Limits = DEFAULT_LIMITS) -> Iterator[TextBlock]:
        """All lines but blank ones; what is no object is malformed."""
        del limits
        return resized(_parts(path, detected))

    def records(self, path: Path, detected: Detected) -> Iterator[list[dict[str, object] | None]]:
        """The objects of each block; None for a line that is none."""
        lines = numbered_lines(path)
        while block := [_record(line, detected) for _, line in islice(lines, BLOCK_ROWS)]:
            yield block

    def stored_cells(self, path: Path, detected: Detected, limits: Limits = DEFAULT_LIMITS) -> None:
        """None: all is text."""
        del path, detected, limits


def _record(line: bytes, detected: Detected) -> dict[str, object] | None:
    try:
        found = _parsed(line, _TYPED)
        if detected.flat:
            _refuse_nested(found)
    except LineError:
        return None
    return found


def _begins_with_other_json(lines: list[str]) -> bool:
    """Whether complete JSON values stand above the first object."""
    for line in lines:
        if _OBJECT.match(line):
            return True
        try:
            json.loads(line, parse_int=Literal)
        except (ValueError, RecursionError):
            return False
    return False


def _refuse_wide_text(path: Path) -> None:
    with path.open("rb") as stream:
        codec = marked_codec(stream.read(4))
    if codec not in (None, "utf-8"):
        raise FileRefusedError("file.encoding", f"the file is {codec}; JSON Lines must be UTF-8")


def _parts(path: Path, detected: Detected) -> Iterator[TextBlock]:
    keys = [column.header for column in detected.columns]
    rows = DataRows(detected, 0)
    for number, line in numbered_lines(path):
        try:
            found = _parsed(line)
            if detected.flat:
                _refuse_nested(found)
            rows.add([v if type(v) is str else _text(v) for v in map(found.get, keys)], number, number)
        except LineError as e:
            text = line[: 4 * TEXT_CHARS].decode(errors="replace")
            rows.add_malformed(e.code, text, str(e), number, number)
        if len(rows.rows) == BLOCK_ROWS:
            yield rows.block()
            rows = DataRows(detected, rows.first_ordinal + BLOCK_ROWS)
    yield rows.block()


def numbered_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Physical lines (1-based) that are not blank, without their ends; cut where they are too long."""
    with path.open("rb") as stream:
        number = 0
        while line := stream.readline(LONGEST_LINE_BYTES + 1):
            number += 1
            if len(line) > LONGEST_LINE_BYTES and not line.endswith(b"\n"):
                _skip_line(stream)
            if number == 1:
                line = line.removeprefix(_MARK)
            line = line.rstrip(b"\r\n")
            if line.strip():
                yield number, line


def is_record(line: bytes) -> bool:
    """Whether the line is an object that can be read."""
    try:
        _parsed(line)
    except LineError:
        return False
    return True


def with_keys(line: bytes, added: dict[str, str]) -> str:
    """The object in the line, which must be one, with its values as they stood and these keys behind them."""
    return _compact({key: value for key, value in _parsed(line).items() if key not in added} | added)


def _skip_line(stream: BinaryIO) -> None:
    while (rest := stream.readline(LONGEST_LINE_BYTES)) and not rest.endswith(b"\n"):
        pass


def _unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise LineError("row.json", f"the key {twice!r} stands twice in one object")
    return found


_DECODER = json.JSONDecoder(
    parse_int=Literal, parse_float=Literal, parse_constant=Literal, object_pairs_hook=_unique_keys
)


def _integer(digits: str) -> int | Decimal:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else Decimal(digits)


def _fraction(digits: str) -> Decimal | Literal:
    try:
        return Decimal(digits)
    except InvalidOperation:  # an exponent of twenty digits
        return Literal(digits)


_TYPED = json.JSONDecoder(
    parse_int=_integer, parse_float=_fraction, parse_constant=Literal, object_pairs_hook=_unique_keys
)


def _parsed(line: bytes, decoder: json.JSONDecoder = _DECODER) -> dict[str, object]:
    """The object in the line; raises LineError."""
    if len(line) > LONGEST_LINE_BYTES:
        raise LineError("row.json", f"the line is longer than {LONGEST_LINE_BYTES // 2**20} MiB")
    try:
        text = line.decode()
        found = decoder.decode(text)
    except UnicodeDecodeError as e:
        raise LineError("row.json", f"byte {line[e.start]:02X} at position {e.start + 1} is not UTF-8") from e
    except json.JSONDecodeError as e:
        raise LineError("row.json", f"not valid JSON at character {e.colno}: {e.msg}") from e
    except RecursionError as e:
        raise LineError("row.json", "objects and arrays are nested too deeply") from e
    if not isinstance(found, dict):
        raise LineError("row.not_object", f"a JSON {_kind_of(found)}, not an object")
    if "\\u" in text and _SURROGATE.search(text):
        _refuse_half_pairs(found)
    return found


def _refuse_nested(found: dict[str, object]) -> None:
    for key, value in found.items():
        if isinstance(value, dict | list):
            kind = "object" if isinstance(value, dict) else "array"
            raise LineError(
                "row.nested", f"the key {key!r} holds an {kind}; text, a number, true, false or null is needed"
            )


def _refuse_half_pairs(found: dict[str, object]) -> None:
    try:
        _compact(found).encode()
    except UnicodeEncodeError as e:
        raise LineError("row.json", "half of a surrogate pair (\\uD800 to \\uDFFF) is no character") from e


def _kind_of(value: object) -> str:
    if isinstance(value, Literal):
        return "number"
    return {str: "string", list: "array", bool: "truth value"}.get(type(value), "null")


def _text(value: object) -> str | None:
    """A value as cell text; None for null."""
    if value is None or isinstance(value, str):
        return value
    try:
        return _compact(value)
    except RecursionError as e:
        raise LineError("row.json", "objects and arrays are nested too deeply") from e


def _compact(value: object) -> str:
    """The value as JSON without blanks, its numbers as they stood."""
    if isinstance(value, Literal | Decimal):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{_compact(key)}:{_compact(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_compact, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


FORMAT = JsonLines()
