"""One pass over one file: every row read, checked and staged; the same for an import and for `check -d`.

Only the reader's process calls these functions: see `tasks.reader`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from formats import OpenFile, opened
from schemas.definition import Definition
from schemas.headers import bind, known_headers, normalise
from schemas.limits import DEFAULT_LIMITS, Limits
from schemas.text_table import Detected, TextBlock
from tasks.ahead import read_ahead
from tasks.checking import CheckedBlock, Checker
from tasks.duplicates import KeyIndex
from tasks.mapped_columns import read_names
from tasks.mapped_file import MappedFile, SeenBlock
from tasks.reading import ErrorGroups, FileChecked, KeepErrors
from tasks.staging import Stage


def check_file(
    path: Path,
    file_name: str,
    definition: Definition,
    staged: Stage,
    keep: KeepErrors,
    limits: Limits = DEFAULT_LIMITS,
) -> FileChecked:
    """Read the whole file; errors of rows go to `keep`, block by block, those of duplicates at the end.

    Raises:
        FileRefusedError: the file as a whole can't be imported.
    """
    staged.start()
    known = known_headers(definition) if definition.mapping is None else map(normalise, read_names(definition))
    with opened(path, definition.file, frozenset(known), file_name, limits, staged.folder) as file:
        return _checked(file, definition, staged, keep)


def _checked(file: OpenFile, definition: Definition, staged: Stage, keep: KeepErrors) -> FileChecked:
    detected = file.detected
    source = (
        _PlainFile(definition, detected) if definition.mapping is None else MappedFile(definition, detected)
    )
    keys = KeyIndex(definition, source.detected, source.binding.columns)
    checker = Checker(definition, source.detected, source.binding)
    groups, rows, nameless = ErrorGroups(), 0, _Nameless(detected)
    with read_ahead(source.blocks(file)) as blocks:
        for number, seen in enumerate(blocks):
            nameless.look(seen.block)
            checked = source.check(checker, seen)
            staged.write(number, checked.frame)
            keys.add(checked.frame)
            rows += checked.frame.height
            groups.update((error.code, error.field) for error in checked.errors)
            keep("validate", checked.errors, rows)
    duplicates = keys.find(staged)
    staged.finish(duplicates.verdicts)
    for errors in duplicates.errors:
        groups.update((error.code, error.field) for error in errors)
        keep("duplicates", errors, rows)
    warnings = [*_warnings(definition, source, rows), *nameless.warnings, *checker.remarks.warnings]
    detected = replace(detected, notes=(*detected.notes, *checker.remarks.notes))
    return FileChecked(detected, rows, groups, warnings)


class _PlainFile:
    """The rows of one file, checked as they stand there; like `MappedFile`.

    Attributes:
        lacking: field → the header by which the file would have it.
    """

    def __init__(self, definition: Definition, detected: Detected) -> None:
        self.detected = detected
        self.binding = bind(definition, [column.header for column in detected.columns])
        there = self.binding.columns
        self.lacking = {f.name: f.headers[0] for f in definition.fields if f.name not in there}

    def blocks(self, file: OpenFile) -> Iterator[SeenBlock]:
        """All rows of the file."""
        return map(SeenBlock, file.blocks())

    def check(self, checker: Checker, seen: SeenBlock) -> CheckedBlock:
        """The rows of the block, checked."""
        return checker.check(seen.block)


class _Nameless:
    """Columns without a header: no field can claim them, so it is said when they hold something."""

    def __init__(self, detected: Detected) -> None:
        self._letters = {i: c.letter for i, c in enumerate(detected.columns) if not normalise(c.header)}
        self._filled: set[int] = set()

    def look(self, block: TextBlock) -> None:
        """Note which of them hold something in this block."""
        for index in self._letters.keys() - self._filled:
            if block.cells[str(index)].null_count() < block.cells.height:
                self._filled.add(index)

    @property
    def warnings(self) -> list[str]:
        """A sentence for each that holds something."""
        letters = [self._letters[index] for index in sorted(self._filled)]
        return [f"column {letter} has no header; what it holds was left out" for letter in letters]


def _warnings(definition: Definition, source: _PlainFile | MappedFile, rows: int) -> list[str]:
    warnings, unknown = [], source.binding.unknown
    is_mapped = definition.mapping is not None
    if unknown and definition.policies.unknown_columns == "warn":
        warnings.append(f"no {'rule reads' if is_mapped else 'field claims'} {_listed(unknown)}; left out")
    if absent := list(source.lacking.values()):
        follows = "what rules read there is empty" if is_mapped else "left alone in records that exist"
        warnings.append(f"the file lacks {_listed(absent)}; {follows}")
    if not rows:
        warnings.append("the file has a header but no rows")
    return warnings


def _listed(headers: Sequence[str]) -> str:
    noun = "the column" if len(headers) == 1 else "the columns"
    return f"{noun} {', '.join(repr(header) for header in headers)}"
