"""What a face may ask of imports and connections as documents: looked at, changed, and who changed what.

An import and a definition are two views of one thing: what either changes is seen in the other.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from schemas.definition import Definition
from schemas.field_types import FieldType
from schemas.principal import Principal

Document = Mapping[str, Any]


@dataclass(frozen=True)
class FieldChange:
    """One field of a document that says something else now; None: it was not there, or is not any more.

    Attributes:
        path: such as `mapping.fields[0].generate`.
    """

    path: str
    old: Any
    new: Any


@dataclass(frozen=True)
class ImportView:
    """An import, as it is kept.

    Attributes:
        id: 24 hexadecimal characters.
        api_identifier: a second name that never changes.
        document: as it came; None where nobody said it as a document yet.
        definition: its other view, as it is now; None where the document comes to none.
        compiled: what the document came to when it was kept; another than `definition` where that was changed
            elsewhere.
        is_guessed: types of the fields were guessed, because the table was not there.
        is_shared: the operator's, who alone may change it.
    """

    id: str
    api_identifier: str
    document: Document | None
    definition: Definition | None
    compiled: Definition | None
    is_guessed: bool
    is_shared: bool
    created_at: datetime
    modified_at: datetime


@dataclass(frozen=True)
class ImportContent:
    """What an import is to say from now on.

    Attributes:
        definition: what the document comes to; the name of a new one is made unlike all others. None: nothing
            that can run.
        changes: what is other than before; an import that says nothing else is not noted.
    """

    document: Document
    definition: Definition | None
    is_guessed: bool = False
    changes: Sequence[FieldChange] = ()


@dataclass(frozen=True)
class ChangeQuery:
    """Which changes are asked for; None: any.

    Attributes:
        since, until: both included.
        event, source: in small letters.
    """

    since: datetime | None = None
    until: datetime | None = None
    event: str | None = None
    source: str | None = None
    key_id: str | None = None
    limit: int = 100


@dataclass(frozen=True)
class ChangeView:
    """One change that somebody made.

    Attributes:
        number: above those of earlier changes.
        event: `create`, `update` or `delete`.
        change: None for the import as a whole.
    """

    number: int
    event: str
    source: str
    change: FieldChange | None
    key_id: str
    at: datetime


@dataclass(frozen=True)
class ConnectionView:
    """A place that imports may name.

    Attributes:
        id: 24 hexadecimal characters.
        type: as documents say it, such as `rdbms` or `ftp`.
        document: as it came, with a mask in the place of each secret.
        secrets: path in the document → the secret, sealed for the tenant.
        database: what a definition calls it, where it is one of tables.
        is_fixed: it comes with the tenant, or from the operator, and can't be changed here.
    """

    id: str
    type: str
    document: Document
    created_at: datetime
    modified_at: datetime
    secrets: Mapping[str, str] = field(default_factory=dict)
    database: str | None = None
    is_fixed: bool = False


class Resources(Protocol):
    """Imports and connections of the principal's tenant; what is another tenant's is not there."""

    def imports(self, principal: Principal) -> Sequence[ImportView]:
        """All that the principal may see, the oldest first."""
        ...

    def find_import(self, principal: Principal, import_id: str) -> ImportView:
        """The import with this id.

        Raises:
            NotFoundError: there is none.
        """
        ...

    def add_import(self, principal: Principal, content: ImportContent) -> ImportView:
        """A new import that says this.

        Raises:
            NotAllowedError: the principal may not say what it says.
            DefinitionError: it can't be.
        """
        ...

    def change_import(
        self, principal: Principal, import_id: str, change: Callable[[ImportView], ImportContent]
    ) -> ImportView:
        """The import, which says from now on what `change` makes of it; nobody else changes it meanwhile.

        Args:
            change: is quick; what it raises leaves everything as it was.

        Raises:
            NotFoundError: there is none.
            NotAllowedError: it is the operator's, or the principal may not say what it says.
            DefinitionError: it can't be.
        """
        ...

    def remove_import(self, principal: Principal, import_id: str) -> None:
        """Remove the import and its definition; jobs that were accepted keep it.

        Raises:
            NotFoundError: there is none.
            NotAllowedError: it is the operator's.
        """
        ...

    def changes(self, principal: Principal, import_id: str, wanted: ChangeQuery) -> Sequence[ChangeView]:
        """What was changed in the import over this protocol, the newest first.

        Raises:
            NotFoundError: there is no such import.
        """
        ...

    def connections(self, principal: Principal) -> Sequence[ConnectionView]:
        """The tenant's own database, databases that were granted to it, and what it made, in this order."""
        ...

    def find_connection(self, principal: Principal, connection_id: str) -> ConnectionView:
        """The connection with this id.

        Raises:
            NotFoundError: there is none.
        """
        ...

    def keep_connection(
        self, principal: Principal, connection_id: str | None, document: Document, secrets: Mapping[str, str]
    ) -> ConnectionView:
        """The connection, new where no id is given, that says this from now on.

        Args:
            document: with a mask in the place of each secret.
            secrets: path in the document → the secret, or a mask, which keeps the one that is there as long as
                the connection leads where it did.

        Raises:
            NotFoundError: there is none with this id.
            NotAllowedError: it can't be changed here, or the principal may not say what it says.
            UnfitConnectionError: a mask stands for no secret.
        """
        ...

    def remove_connection(self, principal: Principal, connection_id: str) -> None:
        """Remove the connection.

        Raises:
            NotFoundError: there is none.
            NotAllowedError: it can't be removed here.
        """
        ...

    def column_types(self, principal: Principal, database: str, table: str) -> Mapping[str, FieldType] | None:
        """Column, in small letters, → the type of field that comes nearest; None where no table can be seen.

        Raises:
            NotAllowedError: the principal may not use that database.
        """
        ...

    def public_url(self) -> str | None:
        """How others reach the service, without a slash at the end; None where nobody said it."""
        ...
