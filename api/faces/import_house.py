"""What faces ask of imports and connections as documents: `connectors.resources.Resources`."""

from collections.abc import Callable, Mapping, Sequence

from pydantic import ValidationError

from api.context import Context
from connectors.resources import (
    ChangeQuery,
    ChangeView,
    ConnectionView,
    Document,
    FieldChange,
    ImportContent,
    ImportView,
)
from destinations import table_columns
from schemas.destination_document import TableDestination
from schemas.errors import DestinationError, RetriableError
from schemas.field_types import FieldType
from schemas.principal import Principal
from store.databases import resolved_table
from store.resource_tables import ResourceChange
from store.resources import MOST_CHANGES, ChangeFilter, list_changes
from tasks.import_connections import (
    find_connection_view,
    keep_connection_document,
    list_connection_views,
    remove_connection_document,
)
from tasks.import_keeping import add_import, change_import, remove_import
from tasks.import_views import find_import, list_imports


class ImportHouse:
    """`connectors.resources.Resources`.

    Args:
        context: gives the service's context, which is there once the app has started.
    """

    def __init__(self, context: Callable[[], Context]) -> None:
        self._context = context

    def imports(self, principal: Principal) -> Sequence[ImportView]:
        """All that the principal may see, the oldest first."""
        with self._context().store.read() as session:
            return list_imports(session, principal)

    def find_import(self, principal: Principal, import_id: str) -> ImportView:
        """The import with this id."""
        with self._context().store.read() as session:
            return find_import(session, principal, import_id)

    def add_import(self, principal: Principal, content: ImportContent) -> ImportView:
        """A new import that says this."""
        context = self._context()
        with context.store.write() as session:
            return add_import(context.settings, session, principal, content)

    def change_import(
        self, principal: Principal, import_id: str, change: Callable[[ImportView], ImportContent]
    ) -> ImportView:
        """The import, which says from now on what `change` makes of it."""
        context = self._context()
        with context.store.write() as session:
            return change_import(context.settings, session, principal, import_id, change)

    def remove_import(self, principal: Principal, import_id: str) -> None:
        """Remove the import and its definition; jobs that were accepted keep it."""
        with self._context().store.write() as session:
            remove_import(session, principal, import_id)

    def changes(self, principal: Principal, import_id: str, wanted: ChangeQuery) -> Sequence[ChangeView]:
        """What was changed in the import over this protocol, the newest first."""
        asked = ChangeFilter(wanted.since, wanted.until, wanted.event, wanted.source, wanted.key_id)
        limit = min(wanted.limit, MOST_CHANGES)
        with self._context().store.read() as session:
            find_import(session, principal, import_id)
            found = list_changes(session, principal.tenant, import_id, asked, limit)
            return [_change(change) for change in found]

    def connections(self, principal: Principal) -> Sequence[ConnectionView]:
        """The tenant's own database, databases that were granted to it, and what it made, in this order."""
        with self._context().store.read() as session:
            return list_connection_views(session, principal)

    def find_connection(self, principal: Principal, connection_id: str) -> ConnectionView:
        """The connection with this id."""
        with self._context().store.read() as session:
            return find_connection_view(session, principal, connection_id)

    def keep_connection(
        self, principal: Principal, connection_id: str | None, document: Document, secrets: Mapping[str, str]
    ) -> ConnectionView:
        """The connection, new where no id is given, that says this from now on."""
        context = self._context()
        with context.store.write() as session:
            return keep_connection_document(
                context.settings, session, principal, connection_id, document, secrets
            )

    def remove_connection(self, principal: Principal, connection_id: str) -> None:
        """Remove the connection."""
        with self._context().store.write() as session:
            remove_connection_document(session, principal, connection_id)

    def column_types(self, principal: Principal, database: str, table: str) -> Mapping[str, FieldType] | None:
        """Column, in small letters, → the type of field that comes nearest; None where no table can be seen."""
        context = self._context()
        try:
            named = TableDestination(database=database, table=table)
        except ValidationError:
            # The name is one of Lading's or of SQLite's; who compiles the document says so.
            return None
        with context.store.read() as session:
            meant = resolved_table(session, principal.tenant, named)
        try:
            return table_columns(context.settings, principal.tenant, meant)
        except (DestinationError, RetriableError):
            return None

    def public_url(self) -> str | None:
        """How others reach the service, without a slash at the end; None where nobody said it."""
        said = self._context().settings.public_url
        return None if said is None else said.rstrip("/")


def _change(found: ResourceChange) -> ChangeView:
    path = found.field_path
    change = None if path is None else FieldChange(path, found.old_value, found.new_value)
    return ChangeView(found.id, found.event, found.source, change, found.key_id, found.at)
