"""The options that several commands share, what must be true of them, and the settings that they lead to."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from cli.log import log_to_home
from schemas.errors import FatalError, NotFoundError
from schemas.principal import refuse_no_tenant
from schemas.settings import Settings

Home = Annotated[
    Path | None,
    typer.Option(help="Folder of all state; default: the nearest .lading at or above this folder."),
]
Tenant = Annotated[
    str | None, typer.Option(metavar="NAME", help="For whom; default: `LADING_TENANT`, else `local`.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


def refuse_undecodable(names: Iterable[str]) -> None:
    """Nothing, if every name is text, as the job store, JSON and polars want it.

    Raises:
        FatalError: one has bytes that are not UTF-8, which Python shows as lone surrogates.
    """
    for name in names:
        if any("\ud800" <= character <= "\udfff" for character in name):
            raise FatalError(f"{name!r} is not UTF-8 text; rename the file or folder")


def file_or_url(text: str) -> str:
    """The path of a file, which can be read where it is there; or a URL.

    Raises:
        BadParameter: it can't be read.
    """
    if not is_url(text) and Path(text).exists() and not os.access(text, os.R_OK):
        raise typer.BadParameter(f"{text!r} is not readable.")
    return text


def is_url(file: str) -> bool:
    """True where that names a file of another machine."""
    return "://" in file


def existing(file: Path) -> Path:
    """The path, if a file is there; Typer saw to it that one that is there can be read.

    Raises:
        NotFoundError: nothing is.
        FatalError: something else is.
    """
    if not file.exists():
        raise NotFoundError(f"there is no file {str(file)!r}")
    if not file.is_file():
        raise FatalError(f"{str(file)!r} is a folder, a pipe or a device; name a file")
    return file


def writable(out: Path, settings: Settings, source: Path | None = None) -> Path:
    """The path, if a file can be written there without harm to the home or to the file that is read.

    Raises:
        FatalError: it can't.
    """
    if out.exists() and not out.is_file():
        raise FatalError(f"{str(out)!r} is a folder or a device; name a file to be written")
    folder = out.resolve().parent
    if not folder.is_dir():
        raise FatalError(f"there is no folder {str(folder)!r} to write {out.name!r} in")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise FatalError(f"nothing can be written in the folder {str(folder)!r}: permission denied")
    if out.resolve().is_relative_to(settings.home.resolve()):
        raise FatalError(f"{str(out)!r} lies in Lading's home; name a file elsewhere")
    if source is not None and out.exists() and out.samefile(source):
        raise FatalError(f"{str(out)!r} is the file to be imported; name another file to be written")
    return out


def settings_for(home: Path | None, tenant: str | None = None) -> Settings:
    """The settings of this run; a home that was named counts for every child process too.

    Raises:
        FatalError: the home can't be used, or that can't be the name of a tenant.
    """
    if tenant is not None:
        refuse_no_tenant(tenant)
    if home is not None:
        os.environ["LADING_HOME"] = str(home.absolute())
    settings = Settings()
    named = {"home": settings.home.absolute(), "tenant": tenant or settings.tenant}
    settings = settings.model_copy(update=named)
    refuse_undecodable([str(settings.home)])
    try:
        log_to_home(settings)
    except OSError as error:
        said = "it is a file" if settings.home.is_file() else error.strerror
        raise FatalError(f"the home {settings.home} can't be used: {said}; --home names another") from error
    if not os.access(settings.home, os.W_OK | os.X_OK):
        raise FatalError(f"the home {settings.home} can't be used: it is read-only; --home names another")
    return settings
