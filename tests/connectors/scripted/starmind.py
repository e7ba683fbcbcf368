"""Starmind as its documents have it, scripted: a workbook is validated, then imported by a PUT."""

import re
from dataclasses import dataclass, field
from uuid import uuid4

from tests.connectors.scripted.script import Answer, Asked, Run, Script, rows_of_xlsx

API_KEY, EMAIL, PASSWORD = "starmind-key-1", "api@acme.example", "password-1"
_PATH = re.compile(r"/import/(?P<entity>tags|users)/(?:upload|(?P<number>\d+)(?P<status>/status)?)")


@dataclass
class Process(Run):
    """A validation or an import; an import is done once for its workbook, however often it is asked for."""

    type: str = "validation"
    refused: dict[int, str] = field(default_factory=dict)
    ended: bool = False


@dataclass
class ScriptedStarmind(Script):
    """The vendor.

    Attributes:
        token: the one that is good now; a login makes another.
        updated: so many of the rows are told to have been updated, the others created.
    """

    token: str = "token-0"
    updated: int = 0
    processes: dict[int, Process] = field(default_factory=dict)

    def call_of(self, method: str, path: str) -> str:
        if path == "/users/login":
            return "token"
        if path.endswith("/upload"):
            return "upload"
        return "submit" if method == "PUT" else "look"

    def answer(self, asked: Asked) -> Answer:
        if asked.call == "token":
            return self._login(asked)
        if asked.headers.get("authorization") != f"Bearer {self.token}":
            return _refused(401, "the token is not valid")
        return {"upload": self._upload, "submit": self._start, "look": self._look}[asked.call](asked)

    def _login(self, asked: Asked) -> Answer:
        if (asked.headers.get("api-key"), asked.json) != (API_KEY, {"email": EMAIL, "password": PASSWORD}):
            return _refused(401, "who are you?")
        self.token = f"token-{uuid4()}"
        return Answer.json({"token": self.token})

    def _upload(self, asked: Asked) -> Answer:
        name, content = asked.form_file("file")
        return self._begun(Process(rows_of_xlsx(content), self.looks, refused=dict(self.refused)), name)

    def _start(self, asked: Asked) -> Answer:
        uploaded = self.processes.get(int(_PATH.fullmatch(asked.path)["number"]))
        if uploaded is None or uploaded.type != "validation":
            return _refused(404, "there is no such file")
        if not uploaded.ended or uploaded.refused:
            return _refused(409, "the file is not validated")
        self.taken.append(uploaded.rows)
        return self._begun(Process(uploaded.rows, self.looks, "import"), "tags.xlsx")

    def _begun(self, process: Process, name: str) -> Answer:
        number = 73 + 3 * len(self.processes)
        self.processes[number] = process
        return Answer.json({"import_id": number, "user_id": 7, "file_name": name})

    def _look(self, asked: Asked) -> Answer:
        if asked.path.endswith("s/status"):
            return Answer.json([self._state(n, p) for n, p in reversed(self.processes.items())])
        number = int(_PATH.fullmatch(asked.path)["number"])
        if number not in self.processes:
            return _refused(404, "there is no such import")
        if self.is_last_look():
            self.token = "expired"
        process = self.processes[number]
        process.ended = process.ended or process.look()
        return Answer.json(self._state(number, process))

    def _state(self, number: int, process: Process) -> dict[str, object]:
        status = ("error" if process.refused else "success") if process.ended else "processing"
        return {
            "start_date": "2015-12-11T07:15:50.000Z",
            "result": self._result(number, process) if process.ended else None,
            "end_date": "2015-12-11T07:15:51.000Z" if process.ended else None,
            "status": status,
            "message": None,
            "import_id": number,
            "type": process.type,
        }

    def _result(self, number: int, process: Process) -> dict[str, object]:
        imported = process.rows if process.type == "import" else []
        return {
            "file_name": "tag_2015-12-11T07:15:50.192Z.xlsx",
            "created_records": len(imported[self.updated :]),
            "errors": [_fault(row, said) for row, said in process.refused.items()],
            "updated_records": len(imported[: self.updated]),
            "user_id": 7,
            "import_id": number,
        }


def _fault(row: int, said: str) -> dict[str, object]:
    return {"msg": said, "metadata": "C", "row": row, "field": "Tags"}


def _refused(status: int, message: str) -> Answer:
    return Answer.json({"status": status, "message": message}, status)
