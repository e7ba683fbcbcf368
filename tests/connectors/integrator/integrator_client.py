"""What integrator.io's clients do, and what a refusal looks like."""

import itertools

from tests.connectors.face_client import FaceClient

NOWHERE = "0123456789abcdef01234567"
FIELDS = [{"extract": "Id", "generate": "id"}, {"extract": "Name", "generate": "name"}]


class Integrator:
    """The calls of a client; each sees to it that it was answered as documented."""

    def __init__(self, client: FaceClient) -> None:
        self.client, self.http = client, client.http

    @property
    def database(self) -> str:
        """The id of the connection that leads to the tenant's own database."""
        return self.http.get("/v1/connections").json()[0]["_id"]

    def table(self, **changes) -> dict:
        """A document whose records go to a table of the tenant's own database."""
        return {
            "name": "People",
            "_connectionId": self.database,
            "adaptorType": "RDBMSImport",
            "rdbms": {"queryType": ["bulk_load"], "bulkLoad": {"tableName": "people", "primaryKeys": ["id"]}},
            "mapping": {"fields": FIELDS},
            **changes,
        }

    def create(self, document=None, **changes) -> dict:
        return self._answer(self.http.post("/v1/imports", json=document or self.table(**changes)), 201)

    def get(self, import_id: str) -> dict:
        return self._answer(self.http.get(f"/v1/imports/{import_id}"), 200)

    def put(self, import_id: str, document: dict) -> dict:
        return self._answer(self.http.put(f"/v1/imports/{import_id}", json=document), 200)

    def patch(self, import_id: str, *operations: dict) -> None:
        answer = self.http.patch(f"/v1/imports/{import_id}", json=operations)
        assert (answer.status_code, answer.content) == (204, b""), answer.text

    def listed(self, **parameters) -> list[dict]:
        answer = self.http.get("/v1/imports", params=parameters)
        return [] if answer.status_code == 204 else self._answer(answer, 200)

    def own(self) -> list[dict]:
        """The imports of the tenant, without those of the operator."""
        shared = {"starmind-tags", "starmind-users"}
        return [found for found in self.listed() if found["name"] not in shared]

    def audit(self, import_id: str, **parameters) -> list[dict]:
        answer = self.http.get(f"/v1/imports/{import_id}/audit", params=parameters)
        return [] if answer.status_code == 204 else self._answer(answer, 200)

    def changes(self, import_id: str) -> dict[str, tuple]:
        """Path → what stood there before, and after, in the newest change."""
        entries = self.audit(import_id)
        newest = itertools.takewhile(
            lambda e: e["event"] == "update" and e["time"] == entries[0]["time"], entries
        )
        fields = [entry["fieldChange"] for entry in newest]
        return {field["fieldPath"]: (field["oldValue"], field["newValue"]) for field in fields}

    def connection(self, document: dict) -> dict:
        return self._answer(self.http.post("/v1/connections", json=document), 201)

    def remove_all(self) -> None:
        for found in self.own():
            self.http.delete(f"/v1/imports/{found['_id']}")

    @staticmethod
    def _answer(answer, status):
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/json; charset=utf-8"
        return answer.json()


def refused(answer, status) -> list[tuple]:
    """Code and field of each error of a refusal, whose shape is checked."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert list(answer.json()) == ["errors"]
    errors = answer.json()["errors"]
    assert errors
    for error in errors:
        assert {"code", "message"} <= error.keys() <= {"code", "message", "field"}
        assert error["message"]
    return [(error["code"], error.get("field")) for error in errors]
