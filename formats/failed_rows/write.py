"""Writes failed rows as the kind of file that they came in."""

from collections.abc import Callable, Iterable
from pathlib import Path

from formats.failed_rows.as_csv import write_csv
from formats.failed_rows.as_jsonl import write_jsonl
from formats.failed_rows.row import FailedRow
from formats.registry import OpenFile
from schemas.text_table import Detected

Write = Callable[[Path, OpenFile, Iterable[FailedRow]], int]


def failed_rows_suffix(detected: Detected) -> str:
    """The end of the file's name: `.csv`, `.tsv`, `.jsonl`, or `.xlsx` for every kind of workbook."""
    if detected.sheet is not None:
        return ".xlsx"
    if detected.delimiter is None:
        return ".jsonl"
    return ".tsv" if detected.delimiter == "\t" else ".csv"


def write_failed_rows(path: Path, file: OpenFile, rows: Iterable[FailedRow]) -> int:
    """Write the rows in the format of the original file; returns how many.

    The new file is there as a whole or not at all. The workbooks that no kept library writes (xls, xlsb,
    ods) become xlsx; what was packed comes plain.

    Args:
        file: the original; a column of reasons that it had already is replaced.
        rows: in the order of the original.
    """
    write = _writer(failed_rows_suffix(file.detected))
    part = path.with_name(f"{path.name}.part")
    try:
        count = write(part, file, rows)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return count


def _writer(suffix: str) -> Write:
    if suffix == ".xlsx":
        from formats.failed_rows.as_xlsx import write_xlsx

        return write_xlsx
    return write_jsonl if suffix == ".jsonl" else write_csv
