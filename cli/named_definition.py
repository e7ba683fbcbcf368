"""The definition that a command names: a stored one, or one in a document."""

from pathlib import Path

from schemas.definition import Definition
from schemas.document import read_definition
from schemas.settings import Settings

DOCUMENTS = (".yaml", ".yml", ".json")


def named_definition(settings: Settings, named: str) -> Definition:
    """The stored definition of this name, or the one in the document of this path; nothing is kept.

    Raises:
        NotFoundError: there is neither.
        DefinitionError: the document is wrong.
    """
    if is_document(named):
        return read_definition(Path(named))
    from store.database import Store
    from store.definitions import get_definition

    with Store.opened(settings) as store, store.read() as session:
        return get_definition(session, settings.tenant, named).definition


def is_document(named: str) -> bool:
    """Whether this is the path of a definition's document, and not the name of a stored one."""
    return named.lower().endswith(DOCUMENTS)
