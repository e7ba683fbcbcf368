"""The one way to read a file: which format it is of, told by its bytes, what is in it, and its rows.

A new format is one new module of this folder.
"""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path, PurePath

import formats
from formats.encoding import is_blank, is_text
from formats.foreign import FOREIGN_SUFFIXES, foreign_bytes, foreign_container, foreign_text
from formats.packing import plain_file
from schemas.codes import FILE_CODES
from schemas.definition import FileOptions
from schemas.errors import FileRefusedError
from schemas.limits import DEFAULT_LIMITS, Limits
from schemas.text_table import (
    CountingFormat,
    Detected,
    Format,
    RecordFormat,
    RowCount,
    StoredCells,
    TextBlock,
)

HEAD_BYTES = 64 * 1024


@dataclass(frozen=True)
class OpenFile:
    """A file that is open for reading, unpacked where it was packed.

    Attributes:
        detected: what it turned out to be.
        path: of the plain file, which may be gone once it is closed.
    """

    detected: Detected
    path: Path
    _format: Format
    _limits: Limits

    def blocks(self) -> Iterator[TextBlock]:
        """All data rows from the first, in blocks of exactly `BLOCK_ROWS` but for the last.

        Raises:
            FileRefusedError: the file turned out to be broken.
        """
        return self._format.read(self.path, self.detected, self._limits)

    def records(self) -> Iterator[Sequence[Mapping[str, object] | None]] | None:
        """The rows of each block as records with types of their own; None where all they have is text."""
        found = self._format
        return found.records(self.path, self.detected) if isinstance(found, RecordFormat) else None

    def counts(self) -> Iterator[RowCount]:
        """The same rows only counted, in parts of any size.

        Raises:
            FileRefusedError: the file turned out to be broken.
        """
        if isinstance(self._format, CountingFormat):
            return self._format.count(self.path, self.detected, self._limits)
        return (block.counted() for block in self.blocks())

    def stored_cells(self) -> StoredCells | None:
        """How the cells of a workbook are stored; None where all are text. Reads the whole sheet once more."""
        return self._format.stored_cells(self.path, self.detected, self._limits)


@contextmanager
def opened(
    path: Path,
    options: FileOptions,
    known_headers: frozenset[str],
    name: str | None = None,
    limits: Limits = DEFAULT_LIMITS,
    folder: Path | None = None,
) -> Iterator[OpenFile]:
    """The file, with a note where `name` contradicts the bytes.

    Args:
        known_headers: normalised by `schemas.headers.normalise`; empty where there is no definition.
        name: what the user calls the file; a stored upload's own path says nothing.
        folder: where a packed file is unpacked to; the system's where there is none.

    Raises:
        FileRefusedError: the file can't be read as a table.
    """
    with plain_file(path, limits, folder) as (plain, packing):
        found = _format_of(plain, options.kind)
        detected = found.detect(plain, options, known_headers, limits)
        _refuse_many_columns(detected, limits)
        noted = [_other_workbook(found, options.kind), _contradiction(found, packing, PurePath(name or ""))]
        notes = (*filter(None, noted), *detected.notes)
        yield OpenFile(replace(detected, notes=notes, packing=packing), plain, found, limits)


@contextmanager
def reopened(
    path: Path, detected: Detected, limits: Limits = DEFAULT_LIMITS, folder: Path | None = None
) -> Iterator[OpenFile]:
    """The file as it was detected before, without looking again.

    Raises:
        FileRefusedError: it can't be unpacked.
    """
    with plain_file(path, limits, folder) as (plain, _):
        yield OpenFile(detected, plain, _named(detected.kind), limits)


@cache
def all_formats() -> tuple[Format, ...]:
    """Every `FORMAT` in the modules of this folder, in order of kind."""
    names = [module.name for module in pkgutil.iter_modules(formats.__path__)]
    modules = [importlib.import_module(f"formats.{name}") for name in names]
    found: list[Format] = [module.FORMAT for module in modules if hasattr(module, "FORMAT")]
    return tuple(sorted(found, key=lambda f: f.kind))


def _refuse_many_columns(detected: Detected, limits: Limits) -> None:
    if len(detected.columns) > limits.columns:
        told = {"columns": f"{len(detected.columns):,}", "limit": f"{limits.columns:,}"}
        raise FileRefusedError("file.columns", FILE_CODES["file.columns"].says(**told))


def _named(kind: str) -> Format:
    for candidate in all_formats():
        if candidate.kind == kind:
            return candidate
    raise FileRefusedError("file.kind", _wrong_kind(f"there is no kind {kind!r} (file: kind)"))


def _format_of(path: Path, declared: str | None) -> Format:
    """The format of the file, whatever its name.

    Raises:
        FileRefusedError: it is empty (`file.empty`), of no kind that Lading reads or not of the declared one
            (`file.kind`), or a workbook that can't be opened (`file.unreadable`).
    """
    wanted = _named(declared) if declared is not None else None
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
    if is_blank(path, head):
        raise FileRefusedError("file.empty", FILE_CODES["file.empty"].says())
    if wanted is not None:
        return _declared(wanted, path, head)
    seems = foreign_bytes(head) or foreign_text(head)
    claims = [] if seems else [f for f in all_formats() if f.matches(path, head)]
    if not claims:
        raise FileRefusedError("file.kind", _wrong_kind(seems or foreign_container(path, head)))
    # Any text is a csv file of one column at least, so csv takes only what nobody else claims.
    return min(claims, key=lambda f: f.kind == "csv")


def _declared(wanted: Format, path: Path, head: bytes) -> Format:
    """The declared format; a text may be read as any kind of text, and a workbook is what its bytes say."""
    seems = foreign_bytes(head)
    claims = [] if seems else [f for f in all_formats() if f.matches(path, head)]
    if wanted in claims or (wanted.of_text and not seems and is_text(head)):
        return wanted
    if claims and not wanted.of_text and not claims[0].of_text:
        return claims[0]
    seems = seems or (f"its bytes are {claims[0].kind}" if claims else foreign_container(path, head))
    detail = f"the definition says {wanted.kind} (file: kind), but {seems}"
    raise FileRefusedError("file.kind", _wrong_kind(detail))


def _other_workbook(found: Format, declared: str | None) -> str | None:
    if declared in (None, found.kind):
        return None
    return f"the definition says {declared} (file: kind), but its bytes are {found.kind}; they decide"


def _contradiction(found: Format, packing: str | None, name: PurePath) -> str | None:
    packed = name.suffix.lower() == ".gz"
    if packed and packing is None:
        return f"the file is named .gz, but its bytes are not packed; it was read as {found.kind}"
    suffix = (name.with_suffix("") if packed else name).suffix.lower()
    telling = FOREIGN_SUFFIXES.union(*(f.suffixes for f in all_formats()))
    if suffix in found.suffixes and packing is not None and not packed:
        return f"the file is named {suffix}, but its bytes are packed with {packing}; it was unpacked"
    if suffix in found.suffixes or suffix not in telling:
        return None
    return f"the file is named {suffix}, but its bytes are {found.kind}; it was read as {found.kind}"


def _wrong_kind(detail: str) -> str:
    kinds = ", ".join(f"{f.kind} ({', '.join(f.suffixes)})" for f in all_formats())
    return FILE_CODES["file.kind"].says(detail=detail, kinds=f"{kinds}, each plain or packed with gzip (.gz)")
