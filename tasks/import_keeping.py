"""Keeps imports that come as documents: each with what it comes to, a definition, in one transaction."""

import secrets
from collections.abc import Callable, Sequence
from datetime import timedelta

from connectors.resources import FieldChange, ImportContent, ImportView
from schemas.clock import utc_now
from schemas.definition import Definition
from schemas.errors import NotAllowedError
from schemas.principal import Principal
from schemas.settings import Settings
from store.database import Transaction
from store.databases import resolved
from store.definitions import list_definitions, own_definition, remove_definition
from store.resource_tables import ImportResource, ResourceChange
from store.resources import (
    add_changes,
    find_resource,
    keep_resource,
    list_integrator_connections,
    one_at_a_time,
)
from store.tables import DefinitionVersion
from tasks.definition_keeping import keep_definition, refuse_unsayable
from tasks.import_views import find_import

CHANGE_DAYS = 365
"""So long it is known who changed what."""
SOURCE = "api"
_NAME_CHARS = 60
_IDENTIFIER_BYTES = 5


def new_id() -> str:
    """An id that nothing has: the seconds, as eight hexadecimal digits, and sixteen at random."""
    return f"{int(utc_now().timestamp()):08x}{secrets.token_hex(8)}"


def add_import(
    settings: Settings, session: Transaction, principal: Principal, content: ImportContent
) -> ImportView:
    """A new import that says this.

    Raises:
        NotAllowedError: the principal may not say what it says.
        DefinitionError: it can't be.
    """
    one_at_a_time(session, principal.tenant)
    resource = ImportResource(
        tenant=principal.tenant,
        id=new_id(),
        api_identifier=f"i{secrets.token_hex(_IDENTIFIER_BYTES)[:-1]}",
        document={},
    )
    _refuse_hidden(principal, content)
    _keep(settings, session, principal, resource, content)
    _note(session, principal, resource.id, "create", [None])
    return find_import(session, principal, resource.id)


def change_import(
    settings: Settings,
    session: Transaction,
    principal: Principal,
    import_id: str,
    change: Callable[[ImportView], ImportContent],
) -> ImportView:
    """The import, which says from now on what `change` makes of it.

    Raises:
        NotFoundError: there is none.
        NotAllowedError: it is the operator's, or the principal may not say what it says.
        DefinitionError: it can't be.
    """
    one_at_a_time(session, principal.tenant)
    view = _own(session, principal, import_id)
    content = change(view)
    _refuse_hidden(principal, content)
    resource = find_resource(session, principal.tenant, import_id) or ImportResource(
        tenant=principal.tenant,
        id=import_id,
        api_identifier=view.api_identifier,
        document={},
        created_at=view.created_at,
    )
    if view.definition is not None:
        resource.definition_name = view.definition.name
    resource.removed_at = None
    _keep(settings, session, principal, resource, content)
    _note(session, principal, import_id, "update", content.changes)
    return find_import(session, principal, import_id)


def remove_import(session: Transaction, principal: Principal, import_id: str) -> None:
    """Remove the import and its definition.

    Raises:
        NotFoundError: there is none.
        NotAllowedError: it is the operator's.
    """
    one_at_a_time(session, principal.tenant)
    view = _own(session, principal, import_id)
    if view.definition is not None:
        remove_definition(session, principal.tenant, view.definition.name)
    resource = find_resource(session, principal.tenant, import_id)
    if resource is not None:
        resource.removed_at = utc_now()
        keep_resource(session, resource)
    _note(session, principal, import_id, "delete", [None])


def _own(session: Transaction, principal: Principal, import_id: str) -> ImportView:
    view = find_import(session, principal, import_id)
    if view.is_shared:
        raise NotAllowedError(
            "import.shared", "the import is the operator's, who alone may change it; a clone of it is your own"
        )
    return view


def _refuse_hidden(principal: Principal, content: ImportContent) -> None:
    """A key that is kept from definitions sees no import without one, so it makes none."""
    if content.definition is None and principal.definitions is not None:
        raise NotAllowedError("definition.not_allowed", "the key may only be used for its own definitions")


def _keep(
    settings: Settings,
    session: Transaction,
    principal: Principal,
    resource: ImportResource,
    content: ImportContent,
) -> None:
    if content.definition is None:
        if resource.definition_name is not None:
            remove_definition(session, principal.tenant, resource.definition_name)
        resource.definition_name = resource.definition_id = None
    else:
        name = resource.definition_name or _free_name(session, principal.tenant, content.definition.name)
        stored = _kept_definition(
            settings, session, principal, content.definition.model_copy(update={"name": name})
        )
        resource.definition_name, resource.definition_id = stored.name, stored.id
    resource.document, resource.is_guessed = dict(content.document), content.is_guessed
    resource.modified_at = utc_now()
    keep_resource(session, resource)


def _kept_definition(
    settings: Settings, session: Transaction, principal: Principal, definition: Definition
) -> DefinitionVersion:
    """The version that says this; one that says nothing new may hold what the operator alone may say."""
    newest = own_definition(session, principal.tenant, definition.name)
    if newest is not None and newest.removed_at is None and newest.definition == definition:
        return newest
    refuse_unsayable(settings, principal, definition)
    resolved(session, principal.tenant, definition)
    made = list_integrator_connections(session, principal.tenant)
    sealed_here = {secret for connection in made for secret in connection.secrets.values()}
    return keep_definition(settings, session, principal.tenant, definition, sealed_here)


def _free_name(session: Transaction, tenant: str, wanted: str) -> str:
    """The name, or the same with a number where another definition that the tenant sees has it."""
    taken = {stored.name for stored in list_definitions(session, tenant)}
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted[: _NAME_CHARS - len(str(number))]}-{number}"
    return name


def _note(
    session: Transaction,
    principal: Principal,
    import_id: str,
    event: str,
    changes: Sequence[FieldChange | None],
) -> None:
    """Note who changed what, all at one moment; None stands for the import as a whole."""
    now = utc_now()
    noted = [
        ResourceChange(
            tenant=principal.tenant,
            resource_id=import_id,
            event=event,
            source=SOURCE,
            field_path=None if change is None else change.path,
            old_value=None if change is None else change.old,
            new_value=None if change is None else change.new,
            key_id=principal.key_id,
            at=now,
        )
        for change in changes
    ]
    add_changes(session, noted, now - timedelta(days=CHANGE_DAYS))
