"""One pass over one file: every row read, checked and staged; the same for an import and for `check -d`.

Only the reader's process calls these functions: see `tasks.reader`.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from formats import OpenFile, opened
from schemas.definition import Definition
from schemas.headers import Binding, bind, known_headers, normalise
from schemas.limits import DEFAULT_LIMITS, Limits
from schemas.text_table import Detected, TextBlock
from tasks.ahead import read_ahead
from tasks.checking import Checker
from tasks.duplicates import KeyIndex
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
    known = frozenset(known_headers(definition))
    with opened(path, definition.file, known, file_name, limits, staged.folder) as file:
        return _checked(file, definition, staged, keep)


def _checked(file: OpenFile, definition: Definition, staged: Stage, keep: KeepErrors) -> FileChecked:
    detected = file.detected
    binding = bind(definition, [column.header for column in detected.columns])
    keys = KeyIndex(definition, detected, binding.columns)
    checker = Checker(definition, detected, binding)
    groups, rows, nameless = ErrorGroups(), 0, _Nameless(detected)
    with read_ahead(file.blocks()) as blocks:
        for number, block in enumerate(blocks):
            nameless.look(block)
            checked = checker.check(block)
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
    warnings = [*_warnings(definition, binding, rows), *nameless.warnings, *checker.remarks.warnings]
    detected = replace(detected, notes=(*detected.notes, *checker.remarks.notes))
    return FileChecked(detected, rows, groups, warnings)


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


def _warnings(definition: Definition, binding: Binding, rows: int) -> list[str]:
    warnings = []
    if binding.unknown and definition.policies.unknown_columns == "warn":
        warnings.append(f"no field claims {_listed(binding.unknown)}; left out")
    absent = [f.headers[0] for f in definition.fields if f.name not in binding.columns]
    if absent:
        warnings.append(f"the file lacks {_listed(absent)}; left alone in records that exist")
    if not rows:
        warnings.append("the file has a header but no rows")
    return warnings


def _listed(headers: Sequence[str]) -> str:
    noun = "the column" if len(headers) == 1 else "the columns"
    return f"{noun} {', '.join(repr(header) for header in headers)}"
