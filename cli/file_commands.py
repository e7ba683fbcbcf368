"""`lading check`, `lading infer`: look at a file without importing it."""

import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.error_view import SHOWN_ERRORS, error_text
from cli.options import Home, Json, existing, settings_for
from cli.output import ExitStatus, plain, print_json, say
from schemas.definition import Definition
from schemas.errors import FileRefusedError
from schemas.row_error import RowError
from schemas.settings import Settings
from schemas.text_table import Detected
from tasks.error_document import error_document
from tasks.reader_limits import unenforced
from tasks.reading import StageFolder, check, look

if TYPE_CHECKING:
    from tasks.budget import Objection


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("check")(check_command)
    app.command("infer")(infer_command)


def check_command(
    file: Annotated[Path, typer.Argument(help="The file to look at.")],
    definition: Annotated[
        str | None, typer.Option("-d", "--definition", help="Check every row against this definition as well.")
    ] = None,
    as_json: Json = False,
    home: Home = None,
) -> None:
    """Say what the file is and what would be refused; nothing is kept. Exit status as for import."""
    existing(file)
    try:
        found = _alone(file) if definition is None else _with_definition(file, definition, home)
    except FileRefusedError as refusal:
        found = {
            "refused": True,
            "error_code": refusal.code,
            "error_message": str(refusal),
            "errors": [error_document(RowError(refusal.code, str(refusal)))],
            "errors_total": 1,
        }
    if as_json:
        print_json(found)
    else:
        _show(found)
    if found["refused"]:
        raise typer.Exit(ExitStatus.UNSUCCESSFUL)
    raise typer.Exit(ExitStatus.SOME_FAILED if found["errors_total"] else ExitStatus.WELL)


def infer_command(
    file: Annotated[Path, typer.Argument(help="The file to learn from.")], as_json: Json = False
) -> None:
    """Print a definition that accepts every row of the file, to be edited and applied."""
    from cli.inference import infer_file, show_inference

    inference = infer_file(Settings(), file)
    if as_json:
        document = inference.definition.model_dump(mode="json")
        return print_json({"definition": document, "notes": inference.notes})
    return show_inference(inference)


def _alone(file: Path) -> dict[str, Any]:
    """What the file is by itself: its rows, and those that can't be split into cells."""
    seen = look(Settings().limits, file, file.name, SHOWN_ERRORS)
    return _found(seen.detected, seen.rows, [], seen.errors, seen.malformed)


def _with_definition(file: Path, named: str, home: Path | None) -> dict[str, Any]:
    """What an import with the definition of this name, or in this document, would refuse."""
    from cli.named_definition import is_document, named_definition

    # A home is needed, and made, only where a stored definition is asked for.
    settings = Settings() if is_document(named) else settings_for(home)
    definition = named_definition(settings, named)
    errors: list[RowError] = []

    def keep(_part: str, found: Sequence[RowError], rows: int) -> None:
        if not rows:
            errors.clear()
        errors.extend(found[: SHOWN_ERRORS - len(errors)])

    with tempfile.TemporaryDirectory(prefix="lading-check-") as folder:
        draft = Path(folder) / "draft"
        stage = StageFolder(draft, is_draft=True)
        checked = check(settings.limits, file, file.name, definition, stage, keep)
        objection = _objection(definition, draft, checked.rows)
    found = _found(checked.detected, checked.rows, checked.warnings, errors, checked.groups.total())
    if objection is None:
        return found
    return found | {"refused": True, "error_code": objection.code, "error_message": objection.message}


def _objection(definition: Definition, draft: Path, rows: int) -> "Objection | None":
    if not definition.judges_files:
        return None
    from tasks.budget import objection_to
    from tasks.staging import Draft

    return objection_to(definition, partial(Draft(draft).finished_blocks, rows), rows)


def _found(
    detected: Detected, rows: int, warnings: list[str], errors: list[RowError], total: int
) -> dict[str, Any]:
    return {
        "refused": False,
        "error_code": None,
        "error_message": None,
        "detected": asdict(detected),
        "rows": rows,
        "notes": detected.notes,
        "warnings": [*warnings, *unenforced()],
        "errors": [error_document(error) for error in errors],
        "errors_total": total,
    }


def _show(found: dict[str, Any]) -> None:
    for key, value in found.get("detected", {}).items():
        if key not in {"columns", "notes"} and value is not None:
            say(key.replace("_", " "), str(value))
    if "rows" in found:
        columns = [
            f"{c['letter']} {c['header']!r}" if c["letter"] else c["header"]
            for c in found["detected"]["columns"]
        ]
        say("columns", ", ".join(columns))
        say("rows", f"{found['rows']:,}")
    for note in found.get("notes", ()):
        say("note", note)
    for warning in found.get("warnings", ()):
        say("warning", warning)
    if found["refused"]:
        say("refused", f"{found['error_code']}: {found['error_message']}")
    say("errors", f"{found['errors_total']:,}")
    for error in found["errors"]:
        plain("  " + error_text(RowError(**error)))
