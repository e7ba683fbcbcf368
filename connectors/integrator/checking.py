"""Whether a document can be an import at all; what of it is served is another question (`core`)."""

import re
from collections.abc import Iterator, Mapping

from connectors.integrator.unfit import invalid, missing
from connectors.integrator.wire import ID_PATTERN, ApiError
from connectors.resources import Document

RDBMS, FTP, FILE_SYSTEM = "RDBMSImport", "FTPImport", "FileSystemImport"
BLOCKS: Mapping[str, str] = {
    RDBMS: "rdbms",
    FTP: "ftp",
    FILE_SYSTEM: "filesystem",
    "RESTImport": "rest",
    "HTTPImport": "http",
    "S3Import": "s3",
    "AS2Import": "as2",
    "NetSuiteDistributedImport": "netsuite_da",
    "NetSuiteImport": "netsuite",
    "SalesforceImport": "salesforce",
    "MongodbImport": "mongodb",
    "DynamodbImport": "dynamodb",
    "JDBCImport": "jdbc",
    "WrapperImport": "wrapper",
    "AiAgentImport": "aiAgent",
    "GuardrailImport": "guardrail",
    "ToolImport": "tool",
}
"""`adaptorType` → the field of its own; in the order in which a document that names none is looked at."""
SERVED: Mapping[str, str] = {RDBMS: "rdbms", FTP: "ftp", FILE_SYSTEM: "filesystem"}
"""Those that can be invoked → the type of their connections."""
_WITHOUT_CONNECTION = frozenset({"AiAgentImport", "GuardrailImport", "ToolImport"})
_REFERENCES = ("_connectionId", "_integrationId", "_connectorId")
_MOST_NAME_CHARS = 300

_FLAGS = ("distributed", "oneToMany", "ignoreExisting", "ignoreMissing")
_OBJECT, _ARRAY, _TEXT, _FLAG = Mapping, list, str, bool
_TYPES: Mapping[str, tuple[type, str]] = {
    **dict.fromkeys(("description", "externalId", "pathToMany", "idLockTemplate"), (_TEXT, "a text")),
    **dict.fromkeys(_FLAGS, (_FLAG, "true or false")),
    **dict.fromkeys(("mappings", "lookups"), (_ARRAY, "an array")),
    **dict.fromkeys(("mapping", "hooks", "filter", "file", *BLOCKS.values()), (_OBJECT, "an object")),
}


def adaptor_type(document: Document) -> str | None:
    """What kind of import it is: as it says, else as the field of its own kind says. None: nothing does."""
    said = document.get("adaptorType")
    if said is not None:
        return said if isinstance(said, str) else None
    return next((name for name, block in BLOCKS.items() if isinstance(document.get(block), Mapping)), None)


def problems_of(document: Document, *, needs_connection: bool = True) -> list[ApiError]:
    """All that keeps it from being an import.

    Args:
        needs_connection: false for one that never had a connection.
    """
    return list(_problems(document, needs_connection=needs_connection))


def _problems(document: Document, *, needs_connection: bool) -> Iterator[ApiError]:
    yield from _name_problems(document.get("name"))
    kind = adaptor_type(document)
    if document.get("adaptorType") is None and kind is None:
        yield missing("adaptorType")
    elif kind is None or kind not in BLOCKS:
        yield invalid("adaptorType", f"adaptorType is one of {', '.join(sorted(BLOCKS))}")
    elif kind in SERVED and document.get(BLOCKS[kind]) is None:
        yield missing(BLOCKS[kind])
    if needs_connection and kind not in _WITHOUT_CONNECTION and document.get("_connectionId") is None:
        yield missing("_connectionId")
    for field in _REFERENCES:
        if (said := document.get(field)) is not None and not _is_id(said):
            yield invalid(field, f"{field} is an id, 24 hexadecimal characters")
    for field, (wanted, name) in _TYPES.items():
        said = document.get(field)
        if said is not None and not isinstance(said, wanted):
            yield invalid(field, f"{field} is {name}")


def _name_problems(name: object) -> Iterator[ApiError]:
    if name is None or name == "":
        yield missing("name")
    elif not isinstance(name, str) or len(name) > _MOST_NAME_CHARS:
        yield invalid("name", f"name is a text of at most {_MOST_NAME_CHARS} characters")


def _is_id(said: object) -> bool:
    return isinstance(said, str) and re.fullmatch(ID_PATTERN, said) is not None
