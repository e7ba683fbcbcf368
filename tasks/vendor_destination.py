"""Where the records of a definition go, whatever kind of place that is: its identity, and whether it can be."""

from pydantic import ValidationError

from connectors.registry import known_connectors
from destinations import destination_key
from schemas.definition import Definition
from schemas.destination_document import CONNECTION_KEY, ConnectionDestination
from schemas.errors import DefinitionError, DestinationError
from store.connections import own_connection, resolved_connection
from store.database import Transaction
from store.databases import resolved
from store.delivery_tables import Connection
from store.tables import Job


def destination_identity(session: Transaction, tenant: str, definition: Definition) -> str:
    """The identity of the table, file or vendor's container that the tenant means; a lock's name.

    A container is the same whoever delivers to it, as long as it is reached through the same connection.

    Raises:
        NotAllowedError: the tenant may not use that database or connection.
        DestinationError: the database is none that Lading knows.
        DefinitionError: the vendor has no such container, or can't do what the definition's mode asks for.
    """
    destination = definition.destination
    if not isinstance(destination, ConnectionDestination):
        return destination_key(tenant, resolved(session, tenant, definition))
    connection = resolved_connection(session, tenant, destination.connection)
    refuse_unfit_vendor(session, tenant, definition)
    return f"{CONNECTION_KEY}{connection.tenant}/{connection.name}/{destination.container_text}"


def connection_of(session: Transaction, job: Job, destination: ConnectionDestination) -> Connection:
    """The connection that the job was accepted for.

    Whether its tenant may use it was decided then, and the name may mean another for the tenant by now.

    Raises:
        DestinationError: it is not there any more.
    """
    owner = job.destination_key.removeprefix(CONNECTION_KEY).partition("/")[0]
    connection = own_connection(session, owner, destination.connection)
    if connection is None:
        raise DestinationError(
            f"the connection {destination.connection!r} that job {job.id} was accepted for is gone; "
            "give it back with `lading connections add`, then bring the file again"
        )
    return connection


def refuse_unfit_vendor(session: Transaction, tenant: str, definition: Definition) -> None:
    """Nothing, where the records go to no vendor, or to one that can do what the definition says.

    Raises:
        NotAllowedError: the tenant may not use that connection.
        DefinitionError: the vendor has no such container, or can't do what the definition's mode asks for.
    """
    if isinstance(definition.destination, ConnectionDestination):
        connection = resolved_connection(session, tenant, definition.destination.connection)
        _refuse_unfit(definition, definition.destination, connection)


def _refuse_unfit(definition: Definition, destination: ConnectionDestination, connection: Connection) -> None:
    connector = known_connectors().get(connection.connector)
    if connector is None or connector.client is None or connector.container is None:
        raise DefinitionError(f"Lading delivers to no vendor {connection.connector!r}")
    try:
        connector.container.model_validate(dict(destination.container))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in ("destination", *first["loc"]))
        raise DefinitionError(
            f"{where}: {first['msg'].removeprefix('Value error, ')}; the connection {connection.name!r} "
            f"leads to {connector.name}, where records go to {' and '.join(connector.container.model_fields)}"
        ) from error
    if definition.mode not in connector.client_modes:
        known = ", ".join(sorted(mode.value for mode in connector.client_modes))
        raise DefinitionError(f"{connector.name} can't do mode {definition.mode.value!r}; it can do {known}")
