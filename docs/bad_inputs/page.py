"""The page of bad inputs, in which nothing but the inputs' names is written by hand."""

from collections.abc import Iterable, Iterator

from cli.error_view import error_text
from docs.bad_inputs.outcomes import Outcome

SHOWN_ERRORS = 4
_INTRODUCTION = """# Bad inputs

What Lading says of files that break importers. This page is made by importing each of them (`make docs`);
the tests import them again. The definition has the fields `Id` (the key), `Name` and `Amount` (an `integer`).
The codes are explained in [errors.md](errors.md)."""


def bad_inputs_markdown(outcomes: Iterable[Outcome]) -> str:
    """The page `docs/bad-inputs.md`."""
    lines = [_INTRODUCTION, "", "| input | the job | what Lading says |", "|---|---|---|"]
    for outcome in outcomes:
        said = "<br>".join(_escaped(line) for line in _said(outcome))
        lines.append(f"| {outcome.given.name} | {_ending(outcome)} | {said} |")
    return "\n".join(lines) + "\n"


def _ending(outcome: Outcome) -> str:
    job = outcome.job
    if job["error_code"]:
        return f"{job['state']}: `{job['error_code']}`"
    counted = [f"{job[name]:,} {name}" for name in ("created", "ignored", "failed") if job[name]]
    rows = f"{job['rows']:,} {_plural('row', job['rows'])}"
    return f"{job['state']}: {', '.join([rows, *counted])}"


def _said(outcome: Outcome) -> Iterator[str]:
    """Message, errors of rows, warnings, notes, and what a column that matters holds in the end."""
    if outcome.job["error_message"]:
        yield outcome.job["error_message"]
    rows = [error for error in outcome.errors if error.row is not None]
    for error in rows[:SHOWN_ERRORS]:
        yield error_text(error)
    if len(rows) > SHOWN_ERRORS:
        yield f"… and {len(rows) - SHOWN_ERRORS:,} {_plural('error', len(rows) - SHOWN_ERRORS)} more"
    yield from (f"warning: {text}" for text in outcome.job["warnings"])
    yield from (f"note: {text}" for text in outcome.job["notes"])
    if outcome.given.shows and outcome.records:
        names = [field["name"] for field in outcome.given.fields]
        values = [repr(record[names.index(outcome.given.shows)]) for record in outcome.records]
        yield f"in the table, {outcome.given.shows} is {', '.join(values)}"


def _plural(noun: str, number: int) -> str:
    return noun if number == 1 else f"{noun}s"


def _escaped(text: str) -> str:
    """The text as it stands, whatever Markdown or HTML would make of it."""
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace("\n", " ")
    return "".join(f"\\{character}" if character in "\\`*_[]|#~" else character for character in plain)
