"""Which format a file is of, told by its bytes alone; a new format is one new module of this folder."""

import importlib
import pkgutil
from dataclasses import replace
from functools import cache
from pathlib import Path, PurePath

import formats
from formats.encoding import is_blank
from formats.foreign import FOREIGN_SUFFIXES, foreign_kind
from schemas.codes import FILE_CODES
from schemas.definition import FileOptions
from schemas.errors import FileRefusedError
from schemas.limits import DEFAULT_LIMITS, Limits
from schemas.text_table import Detected, Format

HEAD_BYTES = 64 * 1024


@cache
def all_formats() -> tuple[Format, ...]:
    """Every `FORMAT` in the modules of this folder, in order of kind."""
    names = [module.name for module in pkgutil.iter_modules(formats.__path__)]
    modules = [importlib.import_module(f"formats.{name}") for name in names]
    found: list[Format] = [module.FORMAT for module in modules if hasattr(module, "FORMAT")]
    return tuple(sorted(found, key=lambda f: f.kind))


def open_format(path: Path) -> Format:
    """The format of the file, whatever its name.

    Raises:
        FileRefusedError: it is empty (`file.empty`), of no kind that Lading reads (`file.kind`), or a
            workbook that can't be opened (`file.unreadable`).
    """
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
    if is_blank(path, head):
        raise FileRefusedError("file.empty", FILE_CODES["file.empty"].says())
    seems = foreign_kind(path, head)
    claims = [] if seems else [f for f in all_formats() if f.matches(head)]
    if not claims:
        raise FileRefusedError("file.kind", _wrong_kind(seems or "the bytes are of no known kind"))
    # Any text is a csv file of one column at least, so csv takes only what nobody else claims.
    return min(claims, key=lambda f: f.kind == "csv")


def detect(
    path: Path,
    options: FileOptions,
    known_headers: frozenset[str],
    name: str | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> tuple[Format, Detected]:
    """The format and what it detects in the file, with a note where `name` contradicts the bytes.

    Args:
        known_headers: normalised by `schemas.headers.normalise`; empty where there is no definition.
        name: what the user calls the file; a stored upload's own path says nothing.

    Raises:
        FileRefusedError: the file can't be read as a table.
    """
    found = open_format(path)
    detected = found.detect(path, options, known_headers, limits)
    note = _contradiction(found, PurePath(name or "").suffix.lower())
    return found, replace(detected, notes=(note, *detected.notes)) if note else detected


def _contradiction(found: Format, suffix: str) -> str | None:
    telling = FOREIGN_SUFFIXES.union(*(f.suffixes for f in all_formats()))
    if suffix in found.suffixes or suffix not in telling:
        return None
    return f"the file is named {suffix}, but its bytes are {found.kind}; it was read as {found.kind}"


def _wrong_kind(detail: str) -> str:
    kinds = ", ".join(f"{f.kind} ({', '.join(f.suffixes)})" for f in all_formats())
    return FILE_CODES["file.kind"].says(detail=detail, kinds=kinds)
