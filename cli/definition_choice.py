"""Which definition an import runs with: a stored one, one from a file, or one inferred and agreed to."""

import sys
from pathlib import Path

import typer

from cli.options import existing
from cli.output import plain, say
from schemas.definition import Definition
from schemas.document import read_definition, write_definition
from schemas.errors import FatalError, NotFoundError
from schemas.settings import Settings
from store.database import Store
from store.definitions import get_definition
from store.tables import DefinitionVersion
from tasks.definition_keeping import keep_definition
from tasks.reading import Proposal, infer
from tasks.shipped import keep_shipped_definitions

DOCUMENTS = (".yaml", ".yml", ".json")


def named_definition(settings: Settings, named: str) -> Definition:
    """The stored definition of this name, or the one in the document of this path; nothing is kept.

    Raises:
        NotFoundError: there is neither.
        DefinitionError: the document is wrong.
    """
    return read_definition(Path(named)) if is_document(named) else stored_definition(settings, named).definition


def stored_definition(settings: Settings, name: str) -> DefinitionVersion:
    """The stored definition of this name, one that comes with the product included.

    Raises:
        NotFoundError: there is none.
    """
    with Store.opened(settings) as store:
        try:
            with store.read() as session:
                return get_definition(session, settings.tenant, name)
        except NotFoundError:
            keep_shipped_definitions(store)
        with store.read() as session:
            return get_definition(session, settings.tenant, name)


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


def infer_file(settings: Settings, path: Path) -> Proposal:
    """The definition that accepts every well-formed row of the file.

    Raises:
        NotFoundError: there is no such file.
        FileRefusedError: the file can't be read as a table.
    """
    return infer(settings.limits, existing(path), path.name)


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


def show_inference(inference: Proposal) -> None:
    """Print the definition as the document that `lading apply` takes, and what to look at."""
    plain(write_definition(inference.definition).rstrip())
    for note in inference.notes:
        say("note", note)


def is_document(named: str) -> bool:
    """Whether this is the path of a definition's document, and not the name of a stored one."""
    return named.lower().endswith(DOCUMENTS)


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
