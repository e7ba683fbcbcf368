"""The options that several commands share, and the settings that they lead to."""

import os
from pathlib import Path
from typing import Annotated

import typer

from cli.log import log_to_home
from schemas.errors import NotFoundError
from schemas.settings import Settings

Home = Annotated[
    Path | None,
    typer.Option(help="Folder of all state; default: the nearest .lading at or above this folder."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


def existing(file: Path) -> Path:
    """The path, if a file is there.

    Raises:
        NotFoundError: none is.
    """
    if not file.is_file():
        raise NotFoundError(f"there is no file {str(file)!r}")
    return file


def settings_for(home: Path | None) -> Settings:
    """The settings of this run; a home that was named counts for every child process too."""
    if home is not None:
        os.environ["LADING_HOME"] = str(home.absolute())
    settings = Settings()
    settings = settings.model_copy(update={"home": settings.home.absolute()})
    log_to_home(settings)
    return settings
