"""The definition that a command names: a stored one, or one in a document."""

from pathlib import Path
from typing import TYPE_CHECKING

from schemas.definition import Definition
from schemas.document import read_definition
from schemas.errors import NotFoundError
from schemas.settings import Settings

if TYPE_CHECKING:
    from store.tables import DefinitionVersion

DOCUMENTS = (".yaml", ".yml", ".json")


def named_definition(settings: Settings, named: str) -> Definition:
    """The stored definition of this name, or the one in the document of this path; nothing is kept.

    Raises:
        NotFoundError: there is neither.
        DefinitionError: the document is wrong.
    """
    return read_definition(Path(named)) if is_document(named) else stored_definition(settings, named).definition


def stored_definition(settings: Settings, name: str) -> "DefinitionVersion":
    """The stored definition of this name, one that comes with the product included.

    Raises:
        NotFoundError: there is none.
    """
    from store.database import Store
    from store.definitions import get_definition
    from tasks.shipped import keep_shipped_definitions

    with Store.opened(settings) as store:
        try:
            with store.read() as session:
                return get_definition(session, settings.tenant, name)
        except NotFoundError:
            keep_shipped_definitions(store)
        with store.read() as session:
            return get_definition(session, settings.tenant, name)


def is_document(named: str) -> bool:
    """Whether this is the path of a definition's document, and not the name of a stored one."""
    return named.lower().endswith(DOCUMENTS)
