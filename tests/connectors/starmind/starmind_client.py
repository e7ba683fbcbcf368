"""What Starmind's clients do, and workbooks for them."""

from io import BytesIO

import xlsxwriter

from connectors.starmind.wire import Accepted, Process, Users
from tests.connectors.face_client import FaceClient

HEADER = ["Id", "Language", "Tags", "Description"]
TAGS = [["1", "en", "machine learning", "Learning from data"], ["", "de", "Straße", ""], ["", "", "ÄÖ", ""]]
ADA = {"firstname": "Ada", "lastname": "Lovelace", "email": "ada@example.com", "language_id": "en"}
GRACE = {"firstname": "Grace", "lastname": "Hopper", "email": "grace@example.com", "country": "US"}


def workbook(rows, header=HEADER) -> bytes:
    """A workbook of one sheet."""
    content = BytesIO()
    with xlsxwriter.Workbook(content) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate([header, *rows]):
            sheet.write_row(number, 0, row)
    return content.getvalue()


def with_a_tag(tag, row=6) -> bytes:
    """A workbook with this tag in the row, as Excel counts, and good ones above it."""
    return workbook([["", "en", f"tag {number}", ""] for number in range(2, row)] + [["", "en", tag, ""]])


class Starmind:
    """What Starmind's clients do."""

    def __init__(self, client: FaceClient) -> None:
        self.client, self.http = client, client.http

    def upload(self, content: bytes, name="tags.xlsx", entity="tags") -> Accepted:
        return self._accepted(self.http.post(f"/import/{entity}/upload", files={"file": (name, content)}))

    def put(self, number: int, entity="tags") -> Accepted:
        return self._accepted(self.http.put(f"/import/{entity}/{number}"))

    def users(self, users, mode=None) -> Accepted:
        params = {} if mode is None else {"mode": mode}
        return self._accepted(
            self.http.post("/import/users", params=params, content=Users(rows=users).encode())
        )

    def status(self, number: int, entity="tags") -> Process:
        answer = self.http.get(f"/import/{entity}/{number}/status")
        assert answer.status_code == 200, answer.text
        return Process.decode(answer.content)

    def finished(self, number: int, entity="tags") -> Process:
        """The state of the process when all jobs have come to their ends."""
        self.client.finish_jobs()
        return self.status(number, entity)

    def list(self, entity="tags") -> list[Process]:
        answer = self.http.get(f"/import/{entity}/status")
        assert answer.status_code == 200, answer.text
        return [Process.model_validate(process) for process in answer.json()]

    def valid(self, content: bytes, entity="tags") -> int:
        """The number of the workbook, which is valid."""
        number = self.upload(content, entity=entity).import_id
        process = self.finished(number, entity)
        assert (process.status, process.type, process.message) == ("success", "validation", None)
        return number

    @staticmethod
    def _accepted(answer) -> Accepted:
        assert answer.status_code == 200, answer.text
        assert list(answer.json()) == ["import_id", "user_id", "file_name"]
        return Accepted.decode(answer.content)


def refused(answer, status):
    """The message of a refusal, whose shape is checked."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert list(answer.json()) == ["status", "message"]
    assert answer.json()["status"] == status
    return answer.json()["message"]
