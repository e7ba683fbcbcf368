"""The file of failed rows for people: in the original format, with the reasons, to be mended and sent again."""

from formats.failed_rows.row import FailedRow
from formats.failed_rows.write import failed_rows_suffix, write_failed_rows

__all__ = ["FailedRow", "failed_rows_suffix", "write_failed_rows"]
