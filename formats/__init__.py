"""The kinds of files that Lading reads, one module each, and the two files that it writes for people."""

from formats.failed_rows import write_failed_rows
from formats.registry import all_formats, detect, open_format
from formats.template import write_template

__all__ = ["all_formats", "detect", "open_format", "write_failed_rows", "write_template"]
