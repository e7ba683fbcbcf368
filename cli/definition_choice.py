"""Which definition an import runs with: a stored one, one from a file, or one inferred and agreed to."""

import sys
from pathlib import Path

import typer

from cli.inference import infer_file, show_inference
from cli.named_definition import is_document, stored_definition
from schemas.document import read_definition
from schemas.errors import FatalError, NotFoundError
from schemas.settings import Settings
from store.database import Store
from store.definitions import get_definition
from store.tables import DefinitionVersion
from tasks.definition_keeping import keep_definition


def kept_definition(settings: Settings, named: str) -> DefinitionVersion:
    """The same, but a document is kept under the name that stands in it, as an import needs it.

    Raises:
        NotFoundError: there is neither.
        DefinitionError: the document is wrong.
    """
    if not is_document(named):
        return stored_definition(settings, named)
    definition = read_definition(Path(named))
    with Store.opened(settings) as store, store.write() as session:
        return keep_definition(settings, session, settings.tenant, definition)


def agreed_definition(settings: Settings, path: Path, *, yes: bool, quiet: bool) -> DefinitionVersion:
    """The inferred definition of the file, shown, agreed to and kept under the file's name.

    Raises:
        FatalError: nobody can be asked, or the answer was no.
    """
    inference = infer_file(settings, path)
    definition = inference.definition
    with Store.opened(settings) as store:
        known = _known(store, settings, definition.name)
        if known is not None and known.definition == definition:
            return known
        if not quiet:
            show_inference(inference)
        question = f"Keep it as definition {definition.name!r}"
        question += ", a new version beside the one that exists," if known is not None else ""
        if not yes and not _agreed(f"{question} and import the file?"):
            raise FatalError("nothing was imported; write a definition and name it with -d")
        with store.write() as session:
            return keep_definition(settings, session, settings.tenant, definition)


def _known(store: Store, settings: Settings, name: str) -> DefinitionVersion | None:
    try:
        with store.read() as session:
            return get_definition(session, settings.tenant, name)
    except NotFoundError:
        return None


def _agreed(question: str) -> bool:
    if not sys.stdin.isatty():
        raise FatalError("no definition was named and there is no terminal to ask on; pass -d NAME or --yes")
    return typer.confirm(question, default=True)
