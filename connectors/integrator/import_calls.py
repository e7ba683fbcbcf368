"""The calls about imports: looked at, listed, made, changed, removed, cloned; and who changed what."""

from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

from connectors.integrator.asking import Asked, PageQuery, answered, invalid_query, listed, unprocessable
from connectors.integrator.checking import SERVED, adaptor_type, problems_of
from connectors.integrator.choices import Choices
from connectors.integrator.core import Compiled, Earlier, Facts, compiled
from connectors.integrator.documents import changed_fields, only, projection, without, written
from connectors.integrator.patching import IMPORT_FIELDS, patched
from connectors.integrator.places import table_of
from connectors.integrator.rendering import Rendering
from connectors.integrator.unfit import invalid, no_reference
from connectors.integrator.wire import AuditEntry, CloneRequest, FieldChanged, ReplaceConnection, User
from connectors.resources import ChangeQuery, ChangeView, ConnectionView, ImportContent, ImportView, Resources
from schemas.errors import NotFoundError
from schemas.principal import Principal

_FILTERS = ("adaptorType", "_connectionId", "_integrationId")
_KEPT = ("_sourceId",)
"""Fields that a client does not write, and that are kept with what it writes."""
_KEY_CHARS = 16


class ImportCalls:
    """Answers the calls about imports."""

    def __init__(self, resources: Resources, choices: Choices) -> None:
        self._resources = resources
        self._choices = choices

    def list(self, asked: Asked) -> Response:
        """A page of the imports, with the fields that were asked for."""
        included, excluded = _projections(asked)
        page = PageQuery.of(asked, self._choices)
        rendering = self._rendering(asked.principal)
        wanted = {name: asked.query[name] for name in _FILTERS if asked.query.get(name)}
        found = [rendering.shown(view) for view in self._resources.imports(asked.principal)]
        found = [document for document in found if _matches(document, wanted, asked.query.get("name", ""))]
        shown = [_cut(document, included, excluded) for document in found[page.skip : page.skip + page.limit]]
        return listed(shown, self._choices, page.links(asked, len(found)))

    def get(self, asked: Asked) -> Response:
        """The import."""
        return self._answered(asked, self._resources.find_import(asked.principal, asked.id))

    def create(self, asked: Asked) -> Response:
        """A new import."""
        return self._answered(
            asked, self._added(asked.principal, written(asked.document())), HTTPStatus.CREATED
        )

    def put(self, asked: Asked) -> Response:
        """The import, which says what the body says and nothing else."""
        body = asked.document()
        if body.get("_id", asked.id) != asked.id:
            raise unprocessable(invalid("_id", "the _id of the body is another than that of the address"))
        return self._answered(asked, self._replaced(asked.principal, asked.id, written(body)))

    def patch(self, asked: Asked) -> Response:
        """The import, with those fields changed of which a PATCH may speak."""
        operations = asked.json()
        rendering = self._rendering(asked.principal)

        def change(view: ImportView) -> ImportContent:
            before = rendering.content(view)
            after = patched(before, operations, IMPORT_FIELDS)
            return ImportContent(after, view.definition, view.is_guessed, changed_fields(before, after))

        view = self._resources.change_import(asked.principal, asked.id, change)
        if self._choices.patch_status == 200:
            return self._answered(asked, view)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    def delete(self, asked: Asked) -> Response:
        """Nothing; the import is gone."""
        self._resources.remove_import(asked.principal, asked.id)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    def clone(self, asked: Asked) -> Response:
        """A new import that says the same, but for its name and, where that is said, its connection."""
        wanted = asked.message(CloneRequest, may_be_empty=True)
        rendering = self._rendering(asked.principal)
        source = self._resources.find_import(asked.principal, asked.id)
        document = rendering.content(source)
        document["name"] = wanted.name or f"Clone - {document['name']}"
        connection_id = document.get("_connectionId")
        if wanted.connection_map and connection_id in wanted.connection_map:
            document["_connectionId"] = wanted.connection_map[connection_id]
        view = self._added(asked.principal, {**written(document), "_sourceId": source.id})
        if self._choices.clone_answer == "models":
            model = {"model": "Import", "_id": view.id, "name": document["name"]}
            return answered([model], HTTPStatus.CREATED)
        return self._answered(asked, view, HTTPStatus.CREATED)

    def replace_connection(self, asked: Asked) -> Response:
        """The import, which uses another connection."""
        wanted = asked.message(ReplaceConnection)
        found = self._resources.find_import(asked.principal, asked.id)
        document = self._rendering(asked.principal).content(found)
        document["_connectionId"] = wanted.new_connection_id
        view = self._replaced(asked.principal, asked.id, written(document))
        if self._choices.replace_answer == "empty":
            return Response(status_code=HTTPStatus.OK)
        return self._answered(asked, view)

    def dependencies(self, asked: Asked) -> Response:
        """What uses the import, or is used by it: its connection; nothing of Lading depends on an import."""
        document = self._shown(asked.principal, self._resources.find_import(asked.principal, asked.id))
        connection_id = document.get("_connectionId")
        if connection_id is None or not self._choices.dependencies_name_connection:
            return answered({})
        try:
            connection = self._resources.find_connection(asked.principal, connection_id)
        except NotFoundError:
            return answered({})
        used = {
            "id": connection.id,
            "name": connection.document.get("name", ""),
            "paths": ["_connectionId"],
            "accessLevel": "owner",
        }
        return answered({"connections": [used]})

    def audit(self, asked: Asked) -> Response:
        """What was changed in the import, a field an entry, the newest first."""
        query = asked.query
        user = query.get("_byUserId")
        wanted = ChangeQuery(
            since=_moment(query, "from"),
            until=_moment(query, "to"),
            event=query["action"].lower() if query.get("action") else None,
            source=query["source"].lower() if query.get("source") else None,
            key_id=user[-_KEY_CHARS:] if user else None,
            limit=PageQuery.of(asked, self._choices).limit if "limit" in query else ChangeQuery.limit,
        )
        found = self._resources.changes(asked.principal, asked.id, wanted)
        return listed([_entry(asked.id, change).plain() for change in found], self._choices)

    def compiled_anew(self, principal: Principal, view: ImportView) -> Compiled:
        """What the import comes to now, the table that it names looked at."""
        rendering = self._rendering(principal)
        document = rendering.content(view)
        return compiled(document, self._facts(principal, document), _earlier(view, document))

    def follow(self, principal: Principal, connection: ConnectionView) -> None:
        """Let the tenant's imports that name the connection go where it leads now."""
        rendering, facts = self._rendering(principal), Facts(connection)

        def anew(view: ImportView) -> ImportContent:
            document = rendering.content(view)
            before = {key: value for key, value in document.items() if key != "_connectionId"}
            made = compiled(document, facts, _earlier(view, before))
            return ImportContent(document, made.definition, made.is_guessed)

        for view in self._resources.imports(principal):
            names_it = view.document is not None and view.document.get("_connectionId") == connection.id
            if names_it and anew(view).definition != view.definition:
                self._resources.change_import(principal, view.id, anew)

    def _added(self, principal: Principal, document: Mapping[str, Any]) -> ImportView:
        facts = self._facts(principal, document)
        self._refuse_unfit(document, facts)
        made = compiled(document, facts)
        return self._resources.add_import(principal, ImportContent(document, made.definition, made.is_guessed))

    def _replaced(self, principal: Principal, import_id: str, document: dict[str, Any]) -> ImportView:
        facts = self._facts(principal, document)
        rendering = self._rendering(principal)

        def change(view: ImportView) -> ImportContent:
            before = rendering.content(view)
            kept = {key: before[key] for key in _KEPT if key in before}
            self._refuse_unfit(document, facts, had_connection="_connectionId" in before)
            made = compiled(document, facts, _earlier(view, before))
            after = {**document, **kept}
            changes = changed_fields(before, after)
            return ImportContent(after, made.definition, made.is_guessed, changes)

        return self._resources.change_import(principal, import_id, change)

    def _refuse_unfit(self, document: Mapping[str, Any], facts: Facts, *, had_connection: bool = True) -> None:
        problems = problems_of(document, needs_connection=had_connection)
        if not problems and self._choices.checks_references and document.get("_connectionId") is not None:
            wanted = SERVED.get(adaptor_type(document) or "")
            if facts.connection is None:
                problems.append(no_reference("_connectionId", "there is no such connection"))
            elif wanted not in {None, facts.connection.type}:
                said = f"the connection is one of the type {facts.connection.type}, not {wanted}"
                problems.append(no_reference("_connectionId", said))
        if problems:
            raise unprocessable(*problems)

    def _facts(self, principal: Principal, document: Mapping[str, Any]) -> Facts:
        connection = self._connection(principal, document.get("_connectionId"))
        table = table_of(document)
        if connection is None or connection.database is None or table is None:
            return Facts(connection)
        return Facts(connection, self._resources.column_types(principal, connection.database, table))

    def _connection(self, principal: Principal, connection_id: object) -> ConnectionView | None:
        if not isinstance(connection_id, str):
            return None
        try:
            return self._resources.find_connection(principal, connection_id)
        except NotFoundError:
            return None

    def _rendering(self, principal: Principal) -> Rendering:
        return Rendering(
            self._resources.connections(principal),
            adds_adaptor_type=self._choices.adds_adaptor_type,
            drops_empty_arrays=self._choices.drops_empty_arrays,
        )

    def _shown(self, principal: Principal, view: ImportView) -> dict[str, Any]:
        return self._rendering(principal).shown(view)

    def _answered(self, asked: Asked, view: ImportView, status: int = HTTPStatus.OK) -> Response:
        return answered(self._shown(asked.principal, view), status)


def _earlier(view: ImportView, document: Mapping[str, Any]) -> Earlier | None:
    return None if view.definition is None else Earlier(document, view.definition)


def _projections(asked: Asked) -> tuple[tuple[tuple[str, ...], ...] | None, tuple[tuple[str, ...], ...] | None]:
    included, excluded = _projection(asked, "include"), _projection(asked, "exclude")
    if included and excluded:
        raise invalid_query("include and exclude can't be said together", "exclude")
    return included, excluded


def _projection(asked: Asked, name: str) -> tuple[tuple[str, ...], ...] | None:
    try:
        return projection(asked.query.get(name))
    except ValueError as error:
        raise invalid_query(str(error), name) from error


def _cut(
    document: dict[str, Any],
    included: tuple[tuple[str, ...], ...] | None,
    excluded: tuple[tuple[str, ...], ...] | None,
) -> dict[str, Any]:
    if included:
        return only({**document, "adaptorType": adaptor_type(document)}, included)
    return without(document, tuple(path for path in excluded if path != ("_id",))) if excluded else document


def _matches(document: Mapping[str, Any], wanted: Mapping[str, str], part_of_name: str) -> bool:
    said = {**document, "adaptorType": adaptor_type(document)}
    if part_of_name.casefold() not in document["name"].casefold():
        return False
    return all(said.get(name) == value for name, value in wanted.items())


def _moment(query: Mapping[str, str], name: str) -> datetime | None:
    said = query.get(name)
    if not said:
        return None
    try:
        moment = datetime.fromisoformat(said)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise invalid_query(f"{name} is a time such as 2026-01-31T12:00:00.000Z", name) from error


def _entry(import_id: str, change: ChangeView) -> AuditEntry:
    field = change.change
    return AuditEntry(
        id=f"{change.number:024x}",
        resource_id=import_id,
        event=change.event,
        source=change.source,
        time=change.at,
        by_user=User(id=f"{change.key_id:0>24}", name=change.key_id),
        field_change=None
        if field is None
        else FieldChanged(field_path=field.path, old_value=field.old, new_value=field.new),
    )
