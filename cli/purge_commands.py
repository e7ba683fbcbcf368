"""`lading purge`: removes what has had its time."""

from dataclasses import asdict
from typing import Annotated

import typer

from cli.options import Home, Json, settings_for
from cli.output import ExitStatus, error_line, print_json, say, size_text
from tasks.purge import purge_home


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("purge")(purge_command)


def purge_command(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False,
    as_json: Json = False,
    home: Home = None,
) -> None:
    """Remove what has had its time; counts stay. Exit status: 0, or 4 where something could not be removed."""
    purged = purge_home(settings_for(home), dry_run=dry_run)
    if as_json:
        print_json(asdict(purged))
    else:
        label = "would go" if dry_run else "removed"
        say(
            label,
            f"{purged.uploads:,} uploads, {purged.stages:,} stages, {purged.reports:,} reports, "
            f"{purged.leftovers:,} leftovers: {purged.files:,} files, {size_text(purged.size_bytes)}",
        )
        say(label, f"the rows of {purged.jobs:,} jobs and the errors of {purged.errors:,}; their counts stay")
        if purged.unfinished:
            say("kept", f"{purged.unfinished:,} jobs past their time are unfinished: lading resume")
    for path in purged.stuck:
        error_line(f"{path} could not be removed", as_json=False)
    raise typer.Exit(ExitStatus.UNSUCCESSFUL if purged.stuck else ExitStatus.WELL)
