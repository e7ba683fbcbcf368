"""The calls about connections, as far as imports need them: kept, looked at, tried, removed."""

import re
from collections.abc import Mapping
from enum import Enum
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

from connectors.integrator.asking import Asked, PageQuery, answered, listed, refusal, unprocessable
from connectors.integrator.choices import Choices
from connectors.integrator.connections import connection_problems
from connectors.integrator.documents import READ_ONLY
from connectors.integrator.import_calls import ImportCalls
from connectors.integrator.patching import CONNECTION_FIELDS, patched
from connectors.integrator.unfit import invalid, missing, unsupported
from connectors.integrator.wire import ApiError, moment_text
from connectors.resources import ConnectionView, Resources
from schemas.errors import UnfitConnectionError
from schemas.webhook import MASK

TYPES = (
    *("as2", "dynamodb", "filesystem", "ftp", "http", "jdbc", "mongodb", "netsuite"),
    *("rdbms", "rest", "s3", "salesforce", "van", "wrapper"),
)
_SECRET = re.compile(
    r"(?i)password|passphrase|secret|token$|api[_-]?key$|auth[_-]?key$|private_?key|access_?key|authorization"
    r"|^(?:set-)?cookie$"
)
"""Names of what nobody should see."""
_ALL_SECRET = re.compile(r"(?i)credential|^encrypted$")
"""Names of what nobody should see, whatever is in it."""


class _Meant(Enum):
    OPEN = "open"
    SECRET = "secret"  # noqa: S105 - no password
    ALL_SECRET = "all secret"  # noqa: S105 - no password


class ConnectionCalls:
    """Answers the calls about connections."""

    def __init__(self, resources: Resources, choices: Choices, imports: ImportCalls) -> None:
        self._resources = resources
        self._choices = choices
        self._imports = imports

    def list(self, asked: Asked) -> Response:
        """A page of the connections; of one `type`, where that is said."""
        page, wanted = PageQuery.of(asked, self._choices), asked.query.get("type")
        found = [c for c in self._resources.connections(asked.principal) if not wanted or c.type == wanted]
        shown = [_shown(view) for view in found[page.skip : page.skip + page.limit]]
        return listed(shown, self._choices, page.links(asked, len(found)))

    def get(self, asked: Asked) -> Response:
        """The connection."""
        return answered(_shown(self._resources.find_connection(asked.principal, asked.id)))

    def create(self, asked: Asked) -> Response:
        """A new connection."""
        return answered(_shown(self._kept(asked, None, asked.document())), HTTPStatus.CREATED)

    def put(self, asked: Asked) -> Response:
        """The connection, which says what the body says; a mask keeps the secret that is there.

        The imports that name it go where it leads from now on.
        """
        view = self._kept(asked, asked.id, asked.document())
        self._imports.follow(asked.principal, view)
        return answered(_shown(view))

    def patch(self, asked: Asked) -> Response:
        """The connection, with those fields changed of which a PATCH may speak; its secrets stay."""
        before = self._resources.find_connection(asked.principal, asked.id).document
        view = self._kept(asked, asked.id, patched(before, asked.json(), CONNECTION_FIELDS))
        if self._choices.patch_status == 200:
            return answered(_shown(view))
        return Response(status_code=HTTPStatus.NO_CONTENT)

    def delete(self, asked: Asked) -> Response:
        """Nothing; the connection is gone, unless an import names it."""
        self._resources.find_connection(asked.principal, asked.id)
        using = [
            view.document.get("name")
            for view in self._resources.imports(asked.principal)
            if view.document is not None and view.document.get("_connectionId") == asked.id
        ]
        if using:
            message = f"imports use the connection: {', '.join(map(ascii, using[:10]))}"
            raise refusal(HTTPStatus.CONFLICT, ApiError(code="conflict", message=message))
        self._resources.remove_connection(asked.principal, asked.id)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    def ping(self, asked: Asked) -> Response:
        """Whether the connection leads somewhere; told of databases only."""
        view = self._resources.find_connection(asked.principal, asked.id)
        if view.database is None:
            raise unprocessable(unsupported("type", f"a connection of the type {view.type} can't be tried"))
        return answered({"code": HTTPStatus.OK.value})

    def _kept(self, asked: Asked, connection_id: str | None, body: Mapping[str, Any]) -> ConnectionView:
        document = {key: value for key, value in body.items() if key not in READ_ONLY}
        if problems := list(_problems(document)):
            raise unprocessable(*problems)
        secrets: dict[str, str] = {}
        masked = _masked(document, "", secrets)
        if halves := [path for path, secret in secrets.items() if not _is_writable(secret)]:
            said = "half of a surrogate pair is no character"
            raise unprocessable(*(invalid(path, said) for path in halves))
        try:
            return self._resources.keep_connection(asked.principal, connection_id, masked, secrets)
        except UnfitConnectionError as error:
            raise unprocessable(invalid("secrets", str(error))) from error


def _problems(document: Mapping[str, Any]) -> list[ApiError]:
    problems = []
    for name in ("type", "name"):
        said = document.get(name)
        if said is None or said == "":
            problems.append(missing(name))
        elif not isinstance(said, str):
            problems.append(invalid(name, f"{name} is a text"))
    kind = document.get("type")
    if isinstance(kind, str) and kind and kind not in TYPES:
        problems.append(invalid("type", f"type is one of {', '.join(TYPES)}"))
    if kind == "rdbms":
        said = "databases are named by the operator: `lading databases add`; every tenant has one of its own"
        problems.append(invalid("type", said))
    return [*problems, *connection_problems(document)]


def _masked(document: Mapping[str, Any], path: str, secrets: dict[str, str]) -> dict[str, Any]:
    """The document with a mask in the place of each secret, which goes to `secrets`."""
    # A header is an object of its name and its value.
    names = {"value": document["name"]} if isinstance(document.get("name"), str) else {}
    return {
        key: _masked_value(value, f"{path}.{key}" if path else key, secrets, _meaning(names.get(key, key)))
        for key, value in document.items()
    }


def _masked_value(value: object, where: str, secrets: dict[str, str], meant: "_Meant") -> object:
    """The value at this path, masked likewise."""
    if isinstance(value, list):
        return [_masked_value(part, f"{where}[{place}]", secrets, meant) for place, part in enumerate(value)]
    if isinstance(value, Mapping):
        if meant is not _Meant.ALL_SECRET:
            return _masked(value, where, secrets)
        return {key: _masked_value(part, f"{where}.{key}", secrets, meant) for key, part in value.items()}
    if meant is _Meant.OPEN or value is None or isinstance(value, bool) or value == "":
        return value
    secrets[where] = str(value)
    return MASK


def _meaning(key: str) -> "_Meant":
    if _ALL_SECRET.search(key):
        return _Meant.ALL_SECRET
    return _Meant.SECRET if _SECRET.search(key) else _Meant.OPEN


def _is_writable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _shown(view: ConnectionView) -> dict[str, Any]:
    return {
        "_id": view.id,
        "createdAt": moment_text(view.created_at),
        "lastModified": moment_text(view.modified_at),
        "offline": False,
        **view.document,
    }
