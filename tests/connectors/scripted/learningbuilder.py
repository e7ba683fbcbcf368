"""LearningBuilder as its documents have it, scripted: one call takes a batch, and nothing tells of it."""

import json
from dataclasses import dataclass

from tests.connectors.scripted.script import Answer, Asked, Script, rows_of_jsonl

API_KEY = "0b1f6f6e-5f0b-4c67-9a52-1f2e3d4c5b6a"
DETAILS = "https://acme.example/Admin/WorkflowImportQueue/Details?batchId={}"


@dataclass
class ScriptedLearningBuilder(Script):
    """The vendor; its answer is the documented sample, but for the number in it."""

    def call_of(self, method: str, path: str) -> str:
        assert (method, path.lower()) == ("POST", "/api/workflowimportqueue/createbatch")
        return "submit"

    def answer(self, asked: Asked) -> Answer:
        if asked.headers.get("authorization") != f"apikey {API_KEY}":
            return Answer.json({"message": "a valid key is needed"}, 401)
        if not asked.query.get("importProcessId", "").isdecimal():
            return Answer.json({"message": "importProcessId is needed"}, 400)
        if not all(isinstance(json.loads(line), dict) for line in asked.body.splitlines()):
            return Answer.json({"message": "the body is not JSON Lines"}, 400)
        self.taken.append(rows_of_jsonl(asked.body))
        batch_id = f"abc-def-{122 + len(self.taken)}"
        return Answer.json({"queueBatchId": batch_id, "queueBatchDetails": DETAILS.format(batch_id)})
