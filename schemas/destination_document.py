"""The key `destination` of a definition: a table, a vendor behind a connection, or a file."""

import json
import re
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from schemas.csv_options import CsvOptions
from schemas.file_name import filled_in, has_blank, refuse_unknown_blanks
from schemas.patterns import (
    NAME_PATTERN,
    PASSWORD_IN_URL,
    REFERENCE_PATTERN,
    RESERVED_PREFIX,
    TABLE_PATTERN,
)
from schemas.place import Place

DEFAULT_DATABASE = "default"
"""What a definition calls the tenant's own database."""
FILE_KEY, CONNECTION_KEY = "file:", "connection:"
"""How the identity of a destination begins that is no table, and which no tenant claims."""

FILE_FORMATS = ("csv", "xlsx", "jsonl", "json", "parquet")


class TableDestination(BaseModel):
    """A table of a database.

    Attributes:
        database: `default`, the tenant's own SQLite file; the name that the operator gave a database; or a
            SQLAlchemy URL without a password.
        password: where the password stands: `env:NAME`, an environment variable of whoever imports.
        table: as the database knows it; in PostgreSQL `schema.table`, the schema `public` where none is named.
    """

    # An input may hold what nobody should see: a password in a URL.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    database: Annotated[str, Field(min_length=1)] = DEFAULT_DATABASE
    password: Annotated[str, Field(pattern=REFERENCE_PATTERN)] | None = None
    table: Annotated[str, Field(pattern=TABLE_PATTERN)]

    @model_validator(mode="after")
    def _table_is_free(self) -> Self:
        if self.table.lower().rpartition(".")[2].startswith((RESERVED_PREFIX, "sqlite_")):
            raise ValueError(f"the table name {self.table!r} is reserved")
        return self

    @property
    def database_name(self) -> str | None:
        """The name under which the database is to be looked up; None where there is nothing to look up."""
        return None if self.database == DEFAULT_DATABASE or "://" in self.database else self.database

    @model_validator(mode="after")
    def _database_is_named_or_a_url(self) -> Self:
        if self.database_name is not None and not re.fullmatch(NAME_PATTERN, self.database_name):
            raise ValueError(
                "the database is neither 'default', nor a name (small letters, digits, - and _), nor a URL "
                "such as postgresql://user@host/database"
            )
        return self

    @model_validator(mode="after")
    def _holds_no_secret(self) -> Self:
        if PASSWORD_IN_URL.match(self.database):
            raise ValueError(
                "the URL of the database has a password in it; take it out, put it into an environment "
                "variable and name that: `password: env:NAME`"
            )
        if self.password is not None and "://" not in self.database:
            raise ValueError(f"the database {self.database!r} takes no password")
        return self


class ConnectionDestination(BaseModel):
    """A container of a vendor's system, such as a track or an app, reached through a connection.

    Every key beside `connection` names the container, in the words of the connection's vendor.

    Attributes:
        connection: its name; the tenant's own goes before one that the operator granted.
    """

    model_config = ConfigDict(extra="allow", frozen=True, hide_input_in_errors=True)
    __pydantic_extra__: dict[str, str | int | bool]

    connection: Annotated[str, Field(pattern=NAME_PATTERN)]

    @property
    def container(self) -> Mapping[str, str | int | bool]:
        """Where, in the vendor's words, the records go."""
        return dict(self.__pydantic_extra__)

    @property
    def container_text(self) -> str:
        """The container as one text, the same in whatever order its keys are written."""
        return json.dumps(self.container, sort_keys=True, ensure_ascii=False)


class FileDestination(Place):
    """A new file for each import, of all its records.

    Attributes:
        url: whole, where it is a path. Blanks are filled in for each import: `{definition}`, `{job_id}`,
            `{timestamp}` and `{date}` (when the job came, in UTC; with a format: `{timestamp:YYYYMMDD}`),
            `{file_name}` (of the file that was brought, without its suffix), `{tenant}`, `{mode}`. A file of
            the same name is written over.
        format: `csv`, `xlsx`, `jsonl`, `json` (one array of objects) or `parquet`; None: as the suffix says.
        escape: in csv, text that a spreadsheet would run as a formula gets an apostrophe before it.
        csv: how a csv file is written.
    """

    format: Literal["csv", "xlsx", "jsonl", "json", "parquet"] | None = None
    escape: bool = True
    csv: CsvOptions = CsvOptions()

    @property
    def kind(self) -> str:
        """The format of the file."""
        return self.format or self.address.path.rpartition(".")[2].lower()

    def filled(self, facts: Mapping[str, str]) -> Self:
        """The same with every blank filled in; a value never leads into another folder."""
        return self.model_copy(update={"url": filled_in(self.url, facts)})

    @model_validator(mode="after")
    def _names_a_whole_file(self) -> Self:
        address = self.address
        refuse_unknown_blanks(self.url)
        if has_blank(address.host):
            raise ValueError("a blank can stand in folders and names, not in the name of a server or bucket")
        if not address.path.startswith("/") or address.path.endswith("/"):
            raise ValueError("the url names no file by its whole path, such as /srv/out/{definition}.csv")
        if self.kind not in FILE_FORMATS:
            raise ValueError(f"the suffix tells no format; say `format:` {', '.join(FILE_FORMATS)}")
        if self.kind != "csv" and self.csv != CsvOptions():
            raise ValueError(f"the options of 'csv' are for csv, and the file is {self.kind}")
        return self


DESTINATIONS: Mapping[str, type[BaseModel]] = {
    "table destination": TableDestination,
    "connection destination": ConnectionDestination,
    "file destination": FileDestination,
}
"""Each kind by a name that can't be the key of a document."""


def _kind(value: object) -> str:
    """The kind that a document means: the one whose own key is in it; a table where none is."""
    for name, model in DESTINATIONS.items():
        if isinstance(value, model):
            return name
    keys = value if isinstance(value, Mapping) else {}
    if "connection" in keys:
        return "connection destination"
    return "file destination" if "url" in keys else "table destination"


AnyDestination = Annotated[
    Annotated[TableDestination, Tag("table destination")]
    | Annotated[ConnectionDestination, Tag("connection destination")]
    | Annotated[FileDestination, Tag("file destination")],
    Discriminator(_kind),
]
