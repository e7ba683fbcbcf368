"""`lading serve` and `lading status`: the service on this machine, and where it listens."""

import os
from contextlib import ExitStack
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from cli.options import Home, Json, settings_for
from cli.output import ExitStatus, error_line, print_json, say
from cli.serve.demo import Demo
from cli.serve.listening import listening
from cli.serve.parts import service
from cli.serve.serving import Serving, now_serving, only_one
from cli.serve.supervisor import Supervisor
from schemas.settings import Settings
from store.database import Store


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("serve")(serve_command)
    app.command("status")(status_command)


def serve_command(
    host: Annotated[str | None, typer.Option(help="Where API and pages listen; default: loopback.")] = None,
    port: Annotated[int | None, typer.Option(help="Their port; 0 takes a free one.")] = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="Make a key, definitions and sample jobs, and print curls that work.")
    ] = False,
    home: Home = None,
) -> None:
    """Serve API, pages, Prefect with its UI, a runner and a worker until Ctrl-C or SIGTERM."""
    for name, value in (("LADING_HOST", host), ("LADING_PORT", port)):
        if value is not None:
            os.environ[name] = str(value)
    settings = settings_for(home)
    with only_one(settings):
        with Store.opened(settings) as store:
            shown = Demo.prepared(settings, store) if demo else None
        _serve(settings, shown)


def status_command(as_json: Json = False, home: Home = None) -> None:
    """Say where the service of this home listens, and how its parts are. Exit status: 0, or 4: none runs."""
    settings = settings_for(home)
    serving = now_serving(settings)
    if serving is None:
        error_line(f"nothing serves the home {settings.home}; `lading serve` does")
        raise typer.Exit(ExitStatus.UNSUCCESSFUL)
    if as_json:
        return print_json(asdict(serving))
    _show(serving)
    for name, part in serving.parts.items():
        again = f", brought back {part['restarts']} times" if part["restarts"] else ""
        say(name, f"{part['state']} since {part['since']}, process {part['pid']}{again}")
    return None


def _serve(settings: Settings, demo: Demo | None) -> None:
    with ExitStack() as open_sockets:
        listen = partial(listening, say=partial(say, "port"))
        bound = open_sockets.enter_context(listen(settings.host, settings.port, "LADING_PORT"))
        prefect_bound = None
        if settings.prefect_api_url is None:
            place = (settings.prefect_host, settings.prefect_port, "LADING_PREFECT_PORT")
            prefect_bound = open_sockets.enter_context(listen(*place))
        serving, parts = service(settings, bound, prefect_bound, Path.cwd())
        _show(serving)

        def all_up() -> None:
            say("ready", "every part is up; Ctrl-C ends them")
            if demo is not None:
                demo.show(serving.api)

        Supervisor(settings, serving, parts, say, all_up).run()


def _show(serving: Serving) -> None:
    say("home", serving.home)
    say("api", f"{serving.api} (health: {serving.api}/health, pages: {serving.api}/ui)")
    say("prefect", f"{serving.prefect_ui} (API: {serving.prefect_api})")
