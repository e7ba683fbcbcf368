"""`lading import` and `lading resume`: bring files into their destination, and jobs to their end."""

from pathlib import Path
from typing import Annotated

import typer

from cli.definition_choice import agreed_definition, kept_definition
from cli.job_view import exit_status, job_json, tell_job
from cli.options import Home, Json, existing, file_or_url, is_url, settings_for, writable
from cli.output import ExitStatus, error_line, print_json, say, size_text
from cli.runner import abandon, resume, run_import
from cli.stopping import StoppedError, job_at_stake
from cli.watch import watched
from schemas.definition import Definition, Mode
from schemas.errors import FatalError
from schemas.import_request import ImportRequest
from schemas.job import JobKind
from schemas.settings import Settings
from store.database import Store
from store.jobs import find_job, get_job, running_jobs, unreported_jobs
from store.leases import is_free
from store.tables import DefinitionVersion
from tasks.sources import is_pattern
from tasks.vendor_destination import destination_identity


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("import")(import_command)
    app.command("resume")(resume_command)


def import_command(
    file: Annotated[
        str,
        typer.Argument(
            help="The file: csv, xlsx or JSON Lines; or its URL.", parser=file_or_url, metavar="FILE"
        ),
    ],
    definition: Annotated[
        str | None,
        typer.Option("-d", "--definition", help="A stored definition, or a YAML or JSON file of one."),
    ] = None,
    mode: Annotated[Mode | None, typer.Option(help="Instead of the definition's mode.")] = None,
    validate_only: Annotated[
        bool, typer.Option("--validate-only", help="Check every row, write nothing.")
    ] = False,
    flow: Annotated[
        bool, typer.Option("--flow", help="Run as a Prefect flow, on a server of Lading's own if none is set.")
    ] = False,
    failed_rows: Annotated[
        Path | None, typer.Option(help="Write the failed rows to this file as well.")
    ] = None,
    abandon_interrupted: Annotated[
        bool,
        typer.Option("--abandon", help="Cancel interrupted imports into the same table, do not finish them."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Take the inferred definition without asking.")] = False,
    as_json: Json = False,
    home: Home = None,
) -> None:
    """Import one file. Exit status: 0 all rows well, 3 some failed, 4 not finished, 2 wrong usage."""
    settings = settings_for(home)
    path = None if is_url(file) else existing(Path(file))
    if failed_rows is not None:
        writable(failed_rows, settings, path)
    stored = _choose(settings, file, path, definition, yes=yes, quiet=as_json)
    chosen = stored.definition.in_mode(mode)
    if abandon_interrupted:
        _abandon_interrupted(settings, chosen, quiet=as_json)
    source = file if path is None else str(path.absolute())
    request = ImportRequest(source, stored.name, mode, validate_only, stored.version)
    if path is None:
        _refuse_several(settings, request)
    with watched(settings, quiet=as_json) as watcher:
        job_id = run_import(settings, request, chosen, as_flow=flow, watcher=watcher)
        watcher.follow(job_id)
    with job_at_stake():
        raise typer.Exit(tell_job(settings, job_id, as_json=as_json, out=failed_rows))


def resume_command(
    job: Annotated[str | None, typer.Argument(help="Id of the job, or its beginning; default: all.")] = None,
    as_json: Json = False,
    home: Home = None,
) -> None:
    """Bring interrupted jobs to their end. Exit status as for import; the worst of several."""
    settings = settings_for(home)
    jobs = [_find(settings, job)] if job is not None else _interrupted(settings)
    statuses = [_resume(settings, job_id, quiet=as_json) for job_id in jobs]
    if as_json and job is None:
        print_json({"jobs": [job_json(settings, job_id) for job_id in jobs]})
    else:
        statuses += [tell_job(settings, job_id, as_json=as_json) for job_id in jobs]
    if not jobs and not as_json:
        say("resume", "no job was interrupted")
    raise typer.Exit(max(statuses, default=ExitStatus.WELL))


def _choose(
    settings: Settings, file: str, path: Path | None, named: str | None, *, yes: bool, quiet: bool
) -> DefinitionVersion:
    """The definition that was named, else the one that is inferred and agreed to; kept either way."""
    if path is None and named is None:
        raise FatalError(f"for {file} no definition can be inferred; name one with -d")
    if not quiet:
        say("home", str(settings.home))
        if settings.store_url is not None:
            say("store", settings.store_url)
    chosen = (
        kept_definition(settings, named)
        if named is not None
        else agreed_definition(settings, Path(file), yes=yes, quiet=quiet)
    )
    if not quiet:
        size = "" if path is None else f" ({size_text(path.stat().st_size)})"
        say("upload", f"{file}{size} with definition {chosen.name!r}")
    return chosen


def _refuse_several(settings: Settings, request: ImportRequest) -> None:
    if is_pattern(settings, request):
        raise FatalError(
            f"{request.source} is a pattern for several files, and this command imports one; the deployment "
            "'import-file/ad-hoc' imports them all"
        )


def _resume(settings: Settings, job_id: str, *, quiet: bool) -> ExitStatus:
    """Bring one job to its end; one that can't be does not keep the others from theirs."""
    try:
        with watched(settings, quiet=quiet) as watcher:
            watcher.follow(job_id)
            resume(settings, job_id)
    except StoppedError as stopped:
        if stopped.status is ExitStatus.INTERRUPTED:
            raise
        error_line(str(stopped), as_json=False)
        return stopped.status
    with Store.opened(settings) as store, store.read() as session:
        return exit_status(get_job(session, job_id))


def _abandon_interrupted(settings: Settings, definition: Definition, *, quiet: bool) -> None:
    """End the interrupted imports into the definition's table as `cancelled`, and say of each what stays."""
    with Store.opened(settings) as store:
        with store.read() as session:
            key = destination_identity(session, settings.tenant, definition)
            running = running_jobs(session, settings.tenant, key)
            jobs = [job.id for job in running if job.kind is JobKind.IMPORT and is_free(session, job)]
        for job_id in jobs:
            abandon(settings, job_id)
            with store.read() as session:
                counts = get_job(session, job_id).counts
            if not quiet:
                kept = counts.created + counts.updated + counts.unchanged
                say("abandons", f"job {job_id}: {kept:,} rows kept, {counts.unprocessed:,} not imported")


def _find(settings: Settings, prefix: str) -> str:
    with Store.opened(settings) as store, store.read() as session:
        return find_job(session, settings.tenant, prefix).id


def _interrupted(settings: Settings) -> list[str]:
    with Store.opened(settings) as store, store.read() as session:
        running = [job for job in running_jobs(session, settings.tenant) if is_free(session, job)]
        return [job.id for job in (*running, *unreported_jobs(session, settings.tenant))]
