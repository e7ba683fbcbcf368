"""A job in a page of Markdown: the counts, what failed and why, and where the rest is."""

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from schemas.job import Outcome
from schemas.row_error import RowError
from store.tables import Job

SHOWN_ERRORS = 20


def summary_markdown(job: Job, file_name: str, errors: Iterable[RowError], failed_rows: Path | None) -> str:
    """The page; it says how many errors there are where it does not show them all."""
    lines = [f"# {_escaped(file_name)}: {job.state.value}", ""]
    if job.error_message:
        lines += [_escaped(job.error_message), ""]
    lines += ["| outcome | rows |", "|---|---:|"]
    lines += [f"| {outcome.value} | {getattr(job, outcome.value):,} |" for outcome in Outcome]
    lines += [f"| **rows** | **{job.rows or 0:,}** |", ""]
    if job.deleted:
        lines.append(f"- {job.deleted:,} records that the file lacks were deleted")
    if job.vendor_counts:
        said = ", ".join(f"{number:,} {_escaped(word)}" for word, number in job.vendor_counts.items())
        lines.append(f"- the vendor counts {said}")
    if job.vendor_link is not None:
        lines.append(f"- at the vendor: <{job.vendor_link}>")
    lines += [f"- **Warning:** {_escaped(warning)}" for warning in job.warnings]
    lines += [f"- {_escaped(note)}" for note in (job.detected or {}).get("notes", [])]
    if job.errors:
        lines += ["", f"## The first {min(SHOWN_ERRORS, job.errors)} of {job.errors:,} errors", ""]
        lines += [
            "| row | line | column | field | code | what is wrong | value |",
            "|---|---|---|---|---|---|---|",
        ]
        lines += [_row(error) for error in islice(errors, SHOWN_ERRORS)]
    if failed_rows is not None:
        lines += ["", f"Failed rows, to be mended and sent again: `{failed_rows}`"]
    return "\n".join(lines)


def _row(error: RowError) -> str:
    cells = (error.row, error.line, error.column, error.field, error.code, error.message, error.value)
    return "| " + " | ".join("" if cell is None else _escaped(str(cell)) for cell in cells) + " |"


def _escaped(text: str) -> str:
    """The text as it stands, whatever Markdown or HTML would make of it."""
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace("\n", " ").replace("\r", " ")
    return "".join(f"\\{c}" if c in "\\`*_[]|#" else c for c in plain)
