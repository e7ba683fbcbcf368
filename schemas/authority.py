"""What a tenant may not say in a definition, though the operator may; what nobody may say, none can hold."""

from collections.abc import Iterator

from schemas.connection import ConnectionDocument
from schemas.definition import Definition
from schemas.destination_document import FileDestination, TableDestination
from schemas.errors import NotAllowedError
from schemas.source import Source
from schemas.webhook import REFERENCE


def refuse_beyond(principal_is_operator: bool, definition: Definition) -> None:
    """Nothing, where the definition says only what whoever brings or uses it may say.

    Which database or connection a name means for a tenant is decided where it is looked up.

    Raises:
        NotAllowedError: `secret.reference`, it names an environment variable of the operator's machine;
            `database.url`, it names a database by its address or path; `file.url`, it names a file.
    """
    if principal_is_operator:
        return
    if isinstance(definition.destination, TableDestination):
        _refuse_beyond_names(definition.name, definition.destination)
    if isinstance(definition.destination, FileDestination):
        raise NotAllowedError(
            "file.url",
            f"the definition {definition.name!r} names a file (destination.url); only the operator may. A "
            "tenant's records go into a table, or to a vendor through a connection",
        )


def _refuse_beyond_names(name: str, table: TableDestination) -> None:
    if table.password is not None:
        raise NotAllowedError(
            "secret.reference",
            f"the definition {name!r} refers to a secret of the operator (destination.password); "
            "the operator can give the database a name, with its password, and a definition then names that",
        )
    if "://" in table.database:
        raise NotAllowedError(
            "database.url",
            f"the definition {name!r} names a database by its URL (destination.database); only the "
            "operator may. A tenant's names 'default', its own database, or one that the operator granted it",
        )


def refers_to_environment(definition: Definition) -> bool:
    """True when a secret of it is to be taken from the environment of whoever imports."""
    return any(text.startswith(REFERENCE) for text in _texts(definition.destination.model_dump()))


def refuse_webhooks_beyond(principal_is_operator: bool, definition: Definition) -> None:
    """Nothing, where whoever brings the definition may name its webhooks; whoever uses it need not be the same.

    Where an address leads is decided when it is called (`connectors.outgoing`).

    Raises:
        NotAllowedError: `secret.reference`, one names an environment variable of the operator's machine;
            `webhook.url`, the address of one is not https.
    """
    for hook in () if principal_is_operator else definition.hooks:
        if hook.secret.startswith(REFERENCE):
            raise NotAllowedError(
                "secret.reference",
                f"the definition {definition.name!r} refers to a secret of the operator (webhooks); say the "
                "webhook's own, which is kept sealed",
            )
        if not hook.url.startswith("https://"):
            raise NotAllowedError(
                "webhook.url", f"the webhook {hook.url} is no https address; only the operator's may be another"
            )


def refuse_source_beyond(principal_is_operator: bool, name: str, source: Source | str | None) -> None:
    """Nothing, where files for the definition of this name may be fetched from there.

    Where an https address leads is decided when it is called (`connectors.outgoing`).

    Args:
        source: a str is a path of this machine; None: none is named.

    Raises:
        NotAllowedError: `secret.reference`, it names an environment variable of the operator's machine;
            `source.url`, it is no https address.
    """
    if principal_is_operator or source is None:
        return
    if isinstance(source, Source) and source.secrets:
        raise NotAllowedError(
            "secret.reference",
            f"the definition {name!r} refers to a secret of the operator (source.secrets); a tenant's source "
            "is an https address",
        )
    if isinstance(source, str) or source.address.scheme != "https":
        raise NotAllowedError(
            "source.url",
            f"the source for {name!r} is no https address (source.url); only the operator's may be another",
        )


def refuse_connection_beyond(principal_is_operator: bool, document: ConnectionDocument) -> None:
    """Nothing, where whoever brings the connection may say what it says.

    Where its address leads is decided when it is called (`connectors.outgoing`).

    Raises:
        NotAllowedError: `secret.reference`, it names an environment variable of the operator's machine;
            `connection.url`, its address is not https; `connection.grant`, it says who else may use it.
    """
    if principal_is_operator:
        return
    if any(secret.startswith(REFERENCE) for secret in document.secrets.values()):
        raise NotAllowedError(
            "secret.reference",
            f"the connection {document.name!r} refers to a secret of the operator; say the secret itself, "
            "which is kept sealed",
        )
    if not document.url.startswith("https://"):
        raise NotAllowedError(
            "connection.url",
            f"the url of the connection {document.name!r} is no https address; only the operator's may be "
            "another",
        )
    if document.tenants:
        raise NotAllowedError(
            "connection.grant", f"who may use the connection {document.name!r} is for the operator to say"
        )


def refuse_folders_beyond(principal_is_operator: bool, definition: Definition) -> None:
    """Nothing, where whoever brings the definition may name the folders that it watches.

    Raises:
        NotAllowedError: `watch.folder`, it names one of the operator's machine.
    """
    if definition.watch and not principal_is_operator:
        raise NotAllowedError(
            "watch.folder",
            f"the definition {definition.name!r} names a folder to be watched (watch.folder); only the "
            "operator may",
        )


def _texts(value: object) -> Iterator[str]:
    """Every text in it, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _texts(part)
