"""TeamTracks as its documents have it, scripted: a file makes a job, which is looked at until it is done."""

from dataclasses import dataclass, field
from uuid import UUID, uuid4

from tests.connectors.scripted.script import Answer, Asked, Run, Script, rows_of_csv, rows_of_xlsx

TENANT, SUBSCRIPTION_KEY, PASSWORD = "acme-tenant", "subscription-1", "password-1"
_READERS = {".csv": rows_of_csv, "xlsx": rows_of_xlsx}


@dataclass
class ScriptedTeamTracks(Script):
    """The vendor.

    Attributes:
        has_new_path: the status is at `/job/objectimport/{id}`; else at the older `/job/{id}` alone.
        token: the one that is good now; a call for a token makes another.
        updated, unchanged: so many of the rows that are not refused, the first ones; the others are created.
    """

    has_new_path: bool = True
    token: str = "token-0"
    updated: int = 0
    unchanged: int = 0
    runs: dict[str, Run] = field(default_factory=dict)

    def call_of(self, method: str, path: str) -> str:
        if path == "/auth/token":
            return "token"
        return "submit" if method == "POST" else "look"

    def answer(self, asked: Asked) -> Answer:
        if (
            asked.headers.get("tenant") != TENANT
            or asked.headers.get("ocp-apim-subscription-key") != SUBSCRIPTION_KEY
        ):
            return _refused(401, "Access denied due to missing subscription key.")
        if asked.call == "token":
            return self._new_token(asked)
        if asked.headers.get("authorization") != f"Bearer {self.token}":
            return _refused(401, "the token is not valid")
        return self._submit(asked) if asked.call == "submit" else self._look(asked)

    def _new_token(self, asked: Asked) -> Answer:
        if asked.json["password"] != PASSWORD:
            return _refused(401, "wrong password")
        self.token = f"token-{uuid4()}"
        return Answer.json({"token": f"Bearer {self.token}"})

    def _submit(self, asked: Asked) -> Answer:
        name, content = asked.form_file("file")
        rows = _READERS[name[-4:].lower()](content)
        self.taken.append(rows)
        job_id = str(uuid4())
        self.runs[job_id] = Run(rows, self.looks)
        return Answer.json({"jobId": job_id}, 202)

    def _look(self, asked: Asked) -> Answer:
        *before, job_id = asked.path.strip("/").split("/")
        if job_id not in self.runs or before != (["job", "objectimport"] if self.has_new_path else ["job"]):
            return _refused(404, "Resource not found")
        if self.is_last_look():
            self.token = "expired"
        run = self.runs[job_id]
        return Answer.json(self._finished(run) if run.look() else _RUNNING)

    def _finished(self, run: Run) -> dict[str, object]:
        created = len(run.rows) - len(self.refused) - self.updated - self.unchanged
        return {
            "finished": True,
            "dateFinished": 1_724_442_508_936,
            "successfullyCreated": created,
            "failedToCreate": len(self.refused),
            "successfullyUpdated": self.updated,
            "unchanged": self.unchanged,
            "failedToUpdate": 0,
            "objectsCreated": [str(UUID(int=n)) for n in range(created)],
            "errors": [{"row": row, "field": None, "message": said} for row, said in self.refused.items()],
        }


_RUNNING = {
    "finished": False,
    "dateFinished": 0,
    "successfullyCreated": 0,
    "failedToCreate": 0,
    "successfullyUpdated": 0,
    "unchanged": 0,
    "failedToUpdate": 0,
}


def _refused(status: int, message: str) -> Answer:
    return Answer.json({"statusCode": status, "message": message}, status)
