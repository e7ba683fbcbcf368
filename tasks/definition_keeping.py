"""Keeps a definition that somebody brought: whoever it was, its secrets are sealed before it is stored."""

from functools import cache

from schemas.definition import Definition
from schemas.secret_key import Seal, secret_key
from schemas.settings import Settings
from schemas.webhook_secrets import sealed
from store.database import Transaction
from store.definitions import own_definition, put_definition
from store.tables import DefinitionVersion
from tasks.vendor_destination import refuse_unfit_vendor


def keep_definition(
    settings: Settings, session: Transaction, tenant: str, definition: Definition
) -> DefinitionVersion:
    """The tenant's own version that says just this; a new one where the newest of that name says otherwise.

    Raises:
        DefinitionError: the mask of a secret stands for none, or a vendor can't do what it says.
        NotAllowedError: `connection.not_granted`, it names a connection that the tenant may not use.
    """
    refuse_unfit_vendor(session, tenant, definition)
    newest = own_definition(session, tenant, definition.name)
    earlier = newest.definition if newest is not None and newest.removed_at is None else None
    seal = cache(lambda: Seal(secret_key(settings), tenant))
    return put_definition(session, tenant, sealed(definition, earlier, seal))
