"""`lading schedules`: what definitions say of times, made known to Prefect."""

from dataclasses import asdict

import typer

from cli.options import Home, Json, settings_for
from cli.output import print_json, say
from cli.runner import sync_schedules

SCHEDULES = typer.Typer(name="schedules", help="Schedules of definitions with a source.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    SCHEDULES.callback()(_nothing)  # with a callback the name of a command is asked for where there is but one
    SCHEDULES.command("sync")(sync_command)
    app.add_typer(SCHEDULES)


def sync_command(as_json: Json = False, home: Home = None) -> None:
    """Make Prefect's schedules and forms fit the definitions, once; `lading serve` does it all the time.

    Needed where `prefect deploy` registered the deployments at a server of your own, named by
    LADING_PREFECT_API_URL.
    """
    kept = asdict(sync_schedules(settings_for(home)))
    if as_json:
        return print_json(kept)
    for word, names in kept.items():
        say(word, ", ".join(names) or "none")
    return None


def _nothing() -> None:
    pass
