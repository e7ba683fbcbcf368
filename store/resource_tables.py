"""The tables of imports as integrator.io knows them: documents, what was changed in them, and connections."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Index
from sqlmodel import Field, SQLModel

from schemas.clock import utc_now
from store.tables import FreeText, UtcDateTime


class ImportResource(SQLModel, table=True):
    """An import that somebody made or changed as a document; its definition is the other view of it.

    Attributes:
        id: 24 hexadecimal characters; (tenant, id) because those of definitions are made of their names.
        definition_name: of the tenant's own definition that the document came to; None where it came to none.
        definition_id: the version that the document came to when it was kept; a newer one was made elsewhere.
        api_identifier: a second name, given once.
        document: as it came, what Lading does not know included.
        is_guessed: types of fields were guessed, because the table was not there.
        removed_at: None while it is in use.
    """

    __tablename__ = "import_resource"
    __table_args__ = (Index("import_resource_by_definition", "tenant", "definition_name"),)

    tenant: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    definition_name: str | None = None
    definition_id: int | None = Field(default=None, foreign_key="definition.id")
    api_identifier: str
    document: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    is_guessed: bool = False
    created_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)
    modified_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)
    removed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class ResourceChange(SQLModel, table=True):
    """One field of an import that somebody changed; or that the import was made or removed. Only ever added.

    Attributes:
        event: `create`, `update` or `delete`.
        source: how whoever it was came.
        field_path: such as `mapping.fields[0].generate`; None for the import as a whole.
        old_value, new_value: None where the field was not there, or is not any more.
        key_id: of whoever came in.
    """

    __tablename__ = "resource_change"
    __table_args__ = (Index("resource_change_by_time", "tenant", "resource_id", "id"),)

    id: int = Field(default=None, primary_key=True)
    tenant: str
    resource_id: str
    event: str
    source: str
    field_path: str | None = Field(default=None, sa_type=FreeText)
    old_value: Any = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    new_value: Any = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    key_id: str
    at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)


class IntegratorConnection(SQLModel, table=True):
    """A connection that somebody made as a document.

    Attributes:
        id: 24 hexadecimal characters.
        document: as it came, with a mask in the place of each secret.
        secrets: path in the document → the value as it was sealed.
        removed_at: None while it is in use.
    """

    __tablename__ = "integrator_connection"

    tenant: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    document: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    secrets: dict[str, str] = Field(sa_column=Column(JSON, nullable=False))
    created_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)
    modified_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)
    removed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
