"""Drives public clients of integrator.io, unchanged, against a `lading serve` over a new home.

    .venv/bin/python -m tests.public_clients.run FOLDER

FOLDER has a git directory or a checkout of each client; `clients.py` says which, and at which commit. Prints a
line for each client and call, and ends with 1 where one failed. Nothing of the clients is kept.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from tests.public_clients.checkouts import CheckoutError, checked_out
from tests.public_clients.clients import CLIENTS, Client, NotInClientError
from tests.public_clients.front import fronts
from tests.public_clients.service import Service, running_service

RECORDS = [{"Id": "1", "Name": "Ada", "Qty": 3}, {"Id": "2", "Name": "Bo", "Qty": 5}]
TABLE = "public_client_items"


class WrongAnswerError(Exception):
    """A call was not answered as the client needs it."""


def document(service: Service, name: str) -> dict:
    """An import whose records go into a table."""
    fields = [{"extract": name, "generate": name.lower()} for name in RECORDS[0]]
    return {
        "name": name,
        "adaptorType": "RDBMSImport",
        "_connectionId": service.connections[0],
        "rdbms": {"queryType": ["bulk_load"], "bulkLoad": {"tableName": TABLE, "primaryKeys": ["id"]}},
        "mapping": {"fields": fields},
    }


class Story:
    """What each client does with one import, call by call; a later call stands on those before it."""

    def __init__(self, client: Client, service: Service, files: Path) -> None:
        self._client = client
        self._service = service
        self._files = files
        self._id = ""
        self._name = f"Items of {client.name}"
        self.calls = {
            "create": self._create,
            "list": self._list,
            "get": self._get,
            "update": self._update,
            "patch": self._patch,
            "audit": self._audit,
            "dependencies": self._dependencies,
            "clone": self._clone,
            "invoke": self._invoke,
            "replaceConnection": self._replace_connection,
            "delete": self._delete,
        }

    def _create(self) -> None:
        made = self._client.create(document(self._service, self._name))
        self._id = made["_id"]
        expect(made["name"], self._name)

    def _list(self) -> None:
        names = [found["name"] for found in self._client.list_all()]
        expect(self._name in names, True)

    def _get(self) -> None:
        expect(self._client.get(self._id)["_id"], self._id)

    def _update(self) -> None:
        self._name += " (updated!)"
        after = self._client.update(self._id, document(self._service, self._name))
        expect((after["_id"], after["name"]), (self._id, self._name))
        expect(self._client.get(self._id)["name"], self._name)

    def _patch(self) -> None:
        until = "2030-01-01T00:00:00.000Z"
        self._client.patch(self._id, {"op": "replace", "path": "/debugUntil", "value": until})
        expect(self._client.get(self._id).get("debugUntil"), until)

    def _audit(self) -> None:
        changed = [
            entry["fieldChange"]["fieldPath"]
            for entry in self._client.audit(self._id)
            if "fieldChange" in entry
        ]
        expect("name" in changed, True)

    def _dependencies(self) -> None:
        used = self._client.dependencies(self._id).get("connections", [])
        expect([connection["id"] for connection in used], [self._service.connections[0]])

    def _clone(self) -> None:
        clone = self._client.clone(self._id)
        expect((clone["_id"] != self._id, clone["_sourceId"]), (True, self._id))

    def _invoke(self) -> None:
        answers = self._client.invoke(self._id, RECORDS, self._files)
        expect([answer["statusCode"] for answer in answers], [200, 200])
        wanted = [tuple(record.values()) for record in RECORDS]
        rows = [tuple(map(str, row)) for row in self._service.rows(TABLE)]
        expect(rows, [tuple(map(str, row)) for row in wanted])

    def _replace_connection(self) -> None:
        other = self._service.connections[1]
        self._client.replace_connection(self._id, other)
        expect(self._client.get(self._id)["_connectionId"], other)

    def _delete(self) -> None:
        self._client.delete(self._id)
        expect(self._id in [found["_id"] for found in self._client.list_all()], False)


def expect(found: object, wanted: object) -> None:
    """Nothing, where both are the same."""
    if found != wanted:
        raise WrongAnswerError(f"{found!r} in place of {wanted!r}")


def outcomes(story: Story) -> Iterator[tuple[str, str]]:
    """Each call, and how it went."""
    for name, call in story.calls.items():
        try:
            call()
        except NotInClientError:
            yield name, "not in this client"
        except Exception as error:  # noqa: BLE001 - whatever a client does is told
            yield name, f"FAIL: {type(error).__name__}: {error}"
        else:
            yield name, "pass"


def main() -> None:
    """Run all clients, and tell how it went."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="with a git directory or checkout of each client")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    chosen = parser.parse_args()
    told: dict[str, dict[str, str]] = {}
    with tempfile.TemporaryDirectory(prefix="lading-clients-") as scratch, ExitStack() as stack:
        files = Path(scratch)
        service = stack.enter_context(running_service(files))
        addresses = stack.enter_context(fronts(service.url, files))
        for kind in CLIENTS:
            try:
                code = checked_out(chosen.folder, kind, files)
            except CheckoutError as error:
                told[kind.name] = {"checkout": f"FAIL: {error}"}
                continue
            with kind(code, service, addresses) as client:
                told[kind.name] = dict(outcomes(Story(client, service, files)))
    _print(told, as_json=chosen.json)
    sys.exit(any(how.startswith("FAIL") for calls in told.values() for how in calls.values()))


def _print(told: dict[str, dict[str, str]], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(told, indent=2))
        return
    for kind in CLIENTS:
        print(f"{kind.name} at {kind.commit[:12]}")
        for call, how in told[kind.name].items():
            print(f"  {call:<18} {how}")


if __name__ == "__main__":
    main()
