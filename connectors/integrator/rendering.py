"""An import as clients see it: the document that was kept, and what its definition says otherwise by now."""

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.integrator.checking import FILE_SYSTEM, FTP, RDBMS, adaptor_type
from connectors.integrator.documents import without_empty_arrays
from connectors.integrator.records import data_type_of
from connectors.integrator.wire import moment_text
from connectors.resources import ConnectionView, ImportView
from schemas.definition import Definition, Field, Mode
from schemas.destination_document import ConnectionDestination, FileDestination, TableDestination

_ADAPTORS = {"file": FILE_SYSTEM, "ftp": FTP, "sftp": FTP, "s3": "S3Import"}
"""Scheme of a place → the adaptor that writes there."""


class Rendering:
    """Makes the documents that clients are shown.

    Args:
        connections: those of the tenant.
        adds_adaptor_type: name it also where the document that was kept did not.
    """

    def __init__(
        self,
        connections: Sequence[ConnectionView],
        *,
        adds_adaptor_type: bool,
        drops_empty_arrays: bool,
    ) -> None:
        self._databases = {c.database: c.id for c in connections if c.database is not None}
        self._adds_adaptor_type = adds_adaptor_type
        self._drops_empty_arrays = drops_empty_arrays

    def shown(self, view: ImportView) -> dict[str, Any]:
        """The import as answers have it."""
        document = self.content(view)
        if self._adds_adaptor_type and document.get("adaptorType") is None:
            document["adaptorType"] = adaptor_type(document)
        if self._drops_empty_arrays:
            document = without_empty_arrays(document)
        return {
            "_id": view.id,
            "createdAt": moment_text(view.created_at),
            "lastModified": moment_text(view.modified_at),
            **document,
            "apiIdentifier": view.api_identifier,
        }

    def content(self, view: ImportView) -> dict[str, Any]:
        """What the import says, without what integrator.io makes of itself."""
        if view.document is None:
            return {} if view.definition is None else self.rendered(view.definition, is_shared=view.is_shared)
        if view.definition is None or view.compiled is None or view.definition == view.compiled:
            return dict(view.document)
        return _overlaid(view.document, self.rendered(view.compiled), self.rendered(view.definition))

    def rendered(self, definition: Definition, *, is_shared: bool = False) -> dict[str, Any]:
        """The document that says what the definition says, as far as one can.

        Args:
            is_shared: where the operator's records go is no tenant's business.
        """
        document: dict[str, Any] = {"name": definition.name}
        destination = definition.destination
        if isinstance(destination, TableDestination):
            document |= self._table(definition, destination)
        elif isinstance(destination, FileDestination):
            document |= _file(destination, is_shared=is_shared)
        elif isinstance(destination, ConnectionDestination):
            document |= {"adaptorType": "HTTPImport", "http": {"type": "records"}}
        document["mapping"] = _mapping(definition)
        if definition.lookups:
            document["lookups"] = [
                lookup.model_dump(mode="json", by_alias=True, exclude_defaults=True)
                for lookup in definition.lookups
            ]
        return document

    def _table(self, definition: Definition, table: TableDestination) -> dict[str, Any]:
        connection_id = self._databases.get(table.database)
        block: dict[str, Any] = {"queryType": ["bulk_insert"], "bulkInsert": {"tableName": table.table}}
        if definition.key:
            loaded = {"tableName": table.table, "primaryKeys": list(definition.key)}
            block = {"queryType": ["bulk_load"], "bulkLoad": loaded}
        return {
            "adaptorType": RDBMS,
            **({} if connection_id is None else {"_connectionId": connection_id}),
            **({"ignoreExisting": True} if definition.key and definition.mode is Mode.INSERT else {}),
            **({"ignoreMissing": True} if definition.mode is Mode.UPDATE else {}),
            "rdbms": block,
        }


def _overlaid(kept: Mapping[str, Any], before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """What was kept, and the fields in which the definition says something else than it said then."""
    document = dict(kept)
    for key in {**before, **now}:
        if key == "name" or before.get(key) == now.get(key):
            continue
        if key not in now:
            document.pop(key, None)
        elif key != "mapping" and isinstance(now[key], Mapping) and isinstance(document.get(key), Mapping):
            document[key] = {**document[key], **now[key]}
        else:
            document[key] = now[key]
    return document


def _file(destination: FileDestination, *, is_shared: bool) -> dict[str, Any]:
    address = destination.address
    adaptor = _ADAPTORS[address.scheme]
    said: dict[str, Any] = {"adaptorType": adaptor, "file": {"type": destination.kind}}
    if is_shared:
        return said
    folder, _, name = address.path.rpartition("/")
    if adaptor == "S3Import":
        return {**said, "s3": {"bucket": address.host, "fileKey": address.path.lstrip("/")}}
    if adaptor == FTP:
        return {**said, "ftp": {"directoryPath": folder or "/", "fileName": name}}
    return {**said, "filesystem": {"directoryPath": folder or "/"}, "file": {**said["file"], "fileName": name}}


def _mapping(definition: Definition) -> dict[str, Any]:
    """Its own mapping; else what takes each field from the first column that it may be called."""
    if definition.mapping is not None:
        said = definition.mapping.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        return {key: value for key, value in said.items() if value}
    return {"fields": [_rule(field) for field in definition.fields]}


def _rule(field: Field) -> dict[str, Any]:
    data_type = data_type_of(field.type)
    return {
        "extract": field.headers[0],
        "generate": field.name,
        **({} if data_type is None else {"dataType": data_type}),
    }
