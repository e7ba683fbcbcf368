"""Keeps a definition that somebody brought: whoever it was, its secrets are sealed before it is stored."""

from collections.abc import Collection
from functools import cache

from schemas.authority import (
    refuse_beyond,
    refuse_folders_beyond,
    refuse_source_beyond,
    refuse_webhooks_beyond,
)
from schemas.definition import Definition
from schemas.definition_secrets import sealed
from schemas.errors import NotAllowedError
from schemas.principal import Principal
from schemas.secret_key import Seal, secret_key
from schemas.settings import Settings
from store.database import Transaction
from store.definitions import own_definition, put_definition
from store.tables import DefinitionVersion
from tasks.face_addresses import refuse_unfit_faces
from tasks.mail import refuse_recipients
from tasks.vendor_destination import refuse_unfit_vendor


def refuse_unsayable(settings: Settings, principal: Principal, definition: Definition) -> None:
    """Nothing, where whoever came in over HTTP may keep this definition.

    Raises:
        NotAllowedError: it says what only the operator may, or has a name that the key is kept from.
    """
    if not principal.may_use(definition.name):
        raise NotAllowedError(
            "definition.not_allowed", f"the key may not use the definition {definition.name!r}"
        )
    refuse_beyond(principal.is_operator, definition)
    refuse_webhooks_beyond(principal.is_operator, definition)
    refuse_source_beyond(principal.is_operator, definition.name, definition.source)
    refuse_folders_beyond(principal.is_operator, definition)
    if definition.notify is not None:
        refuse_recipients(settings, principal, list(definition.notify.mail))


def keep_definition(
    settings: Settings,
    session: Transaction,
    tenant: str,
    definition: Definition,
    sealed_here: Collection[str] = (),
) -> DefinitionVersion:
    """The tenant's own version that says just this; a new one where the newest of that name says otherwise.

    Args:
        sealed_here: what was sealed for this tenant before, and may be among the secrets of a place.

    Raises:
        DefinitionError: the mask of a secret stands for none, a vendor can't do what it says, or an address at
            a face is none.
        NotAllowedError: `connection.not_granted`, it names a connection that the tenant may not use.
    """
    refuse_unfit_faces(definition)
    refuse_unfit_vendor(session, tenant, definition)
    newest = own_definition(session, tenant, definition.name)
    earlier = newest.definition if newest is not None and newest.removed_at is None else None
    seal = cache(lambda: Seal(secret_key(settings), tenant))
    return put_definition(session, tenant, sealed(definition, earlier, seal, sealed_here))
