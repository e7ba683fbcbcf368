"""Imports as a face sees them: what is kept as a document and what as a definition, as one list."""

import hashlib
from collections.abc import Mapping
from datetime import datetime

from connectors.resources import ImportView
from schemas.errors import NotFoundError
from schemas.principal import Principal
from store.database import Transaction
from store.definitions import definition_of, list_definitions, made_at, own_definition
from store.resource_tables import ImportResource
from store.resources import find_resource, list_resources
from store.tables import DefinitionVersion

_ID_CHARS = 24
_IDENTIFIER_CHARS = 9


def derived_id(*names: str) -> str:
    """The id of what has no other: always the same for the same names."""
    return _digest(*names)[:_ID_CHARS]


def list_imports(session: Transaction, principal: Principal) -> list[ImportView]:
    """All imports that the principal may see, the oldest first."""
    documents = list_resources(session, principal.tenant)
    by_name = {found.definition_name: found for found in documents if found.definition_name is not None}
    since = made_at(session, principal.tenant)
    views = [_view_of_document(session, found, None) for found in documents if found.definition_name is None]
    for stored in list_definitions(session, principal.tenant):
        document = by_name.get(stored.name) if stored.tenant == principal.tenant else None
        if document is None:
            views.append(_view_of_definition(stored, principal, since))
        else:
            views.append(_view_of_document(session, document, stored))
    seen = [view for view in views if _may_see(principal, view)]
    return sorted(seen, key=lambda view: (view.created_at, view.id))


def find_import(session: Transaction, principal: Principal, import_id: str) -> ImportView:
    """The import with this id that the principal may see.

    Raises:
        NotFoundError: there is none; says nothing of others.
    """
    document = find_resource(session, principal.tenant, import_id)
    found: ImportView | None = None
    if document is not None and document.removed_at is None:
        found = _alive(session, document)
    else:
        found = next((view for view in list_imports(session, principal) if view.id == import_id), None)
    if found is None or not _may_see(principal, found):
        raise NotFoundError("there is no import with this id")
    return found


def _alive(session: Transaction, document: ImportResource) -> ImportView | None:
    """The import; None where its definition was removed elsewhere."""
    if document.definition_name is None:
        return _view_of_document(session, document, None)
    stored = own_definition(session, document.tenant, document.definition_name)
    is_gone = stored is None or stored.removed_at is not None
    return None if is_gone else _view_of_document(session, document, stored)


def _view_of_document(
    session: Transaction, document: ImportResource, stored: DefinitionVersion | None
) -> ImportView:
    is_changed = stored is not None and stored.id != document.definition_id
    compiled = stored
    if stored is not None and is_changed and document.definition_id is not None:
        compiled = definition_of(session, document.definition_id)
    changed_at = [document.modified_at, *([stored.created_at] if stored is not None and is_changed else [])]
    return ImportView(
        id=document.id,
        api_identifier=document.api_identifier,
        document=document.document,
        definition=None if stored is None else stored.definition,
        compiled=None if compiled is None else compiled.definition,
        is_guessed=document.is_guessed and not is_changed,
        is_shared=False,
        created_at=document.created_at,
        modified_at=max(changed_at),
    )


def _view_of_definition(
    stored: DefinitionVersion, principal: Principal, since: Mapping[tuple[str, str], datetime]
) -> ImportView:
    digest = _digest(stored.tenant, stored.name)
    return ImportView(
        id=digest[:_ID_CHARS],
        api_identifier=f"i{digest[_ID_CHARS : _ID_CHARS + _IDENTIFIER_CHARS]}",
        document=None,
        definition=stored.definition,
        compiled=None,
        is_guessed=False,
        is_shared=stored.tenant != principal.tenant,
        created_at=since[stored.tenant, stored.name],
        modified_at=stored.created_at,
    )


def _may_see(principal: Principal, view: ImportView) -> bool:
    if view.definition is None:
        return principal.definitions is None
    return principal.may_use(view.definition.name)


def _digest(*names: str) -> str:
    return hashlib.sha256("/".join(names).encode()).hexdigest()
