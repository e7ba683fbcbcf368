"""integrator.io as its documents have it, scripted: an invoke answers with what became of each record."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.connectors.scripted.script import Answer, Asked, Row, Script

TOKEN = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
IMPORT_ID = "594a1b2c3d4e5f6071829662"


@dataclass
class ScriptedIntegrator(Script):
    """The vendor.

    Attributes:
        ignored: rows, as the vendor's client counts them, that it skips.
        answers: row → what it answers instead of what its documents show.
        skipped: so many rows, the last ones, are not answered for.
    """

    ignored: frozenset[int] = frozenset()
    answers: Mapping[int, object] = field(default_factory=dict)
    skipped: int = 0

    def call_of(self, method: str, path: str) -> str:
        if (method, path) == ("GET", "/v1/tokenInfo"):
            return "token"
        assert (method, path) == ("POST", f"/v1/imports/{IMPORT_ID}/invoke")
        return "submit"

    def answer(self, asked: Asked) -> Answer:
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return _refused(401, "unauthorized", "the token is not valid")
        if asked.call == "token":
            return Answer.json({"_userId": "55e0000000000000000000aa", "scope": "full"})
        assert asked.headers["content-type"] == "application/json"
        records = asked.json
        if len(records) > 1_000 or len(asked.body) > 5_000_000:
            return _refused(413, "request_too_large", "at most 1,000 records and 5 MB are taken at once")
        self.taken.append([_row(record) for record in records])
        return Answer.json([self._result(row) for row in range(2, len(records) + 2 - self.skipped)])

    def _result(self, row: int) -> object:
        if row in self.answers:
            return self.answers[row]
        if row in self.refused:
            error = {"code": "invalid_field", "message": self.refused[row], "source": "application"}
            return {"statusCode": 422, "errors": [error]}
        return {"statusCode": 200, "_json": {}} | ({"ignored": True} if row in self.ignored else {})


def _row(record: Mapping[str, object]) -> Row:
    return tuple(map(str, record.values()))


def _refused(status: int, code: str, message: str) -> Answer:
    return Answer.json({"errors": [{"code": code, "message": message}]}, status)
