"""Puts the definitions that come with the vendors into the job store, where they never were."""

from schemas.document import parse_definition
from store.database import Store
from store.shipped import keep_shipped, never_kept


def keep_shipped_definitions(store: Store) -> None:
    """Make them there from the first start; one that the operator changed or removed stays as it is."""
    from connectors import known_connectors

    documents = {
        name: document
        for connector in known_connectors().values()
        for name, document in connector.definitions.items()
    }
    with store.read() as session:
        missing = never_kept(session, documents)
    if missing:
        definitions = [parse_definition(documents[name]) for name in sorted(missing)]
        with store.write() as session:
            keep_shipped(session, definitions)
