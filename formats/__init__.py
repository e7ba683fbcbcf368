"""The kinds of files that Lading reads, one module each, and the two files that it writes for people."""

from formats.failed_rows import FailedRow, failed_rows_suffix, write_failed_rows
from formats.registry import OpenFile, all_formats, opened, reopened
from formats.template import csv_template, describe, write_template

__all__ = [
    "FailedRow",
    "OpenFile",
    "all_formats",
    "csv_template",
    "describe",
    "failed_rows_suffix",
    "opened",
    "reopened",
    "write_failed_rows",
    "write_template",
]
