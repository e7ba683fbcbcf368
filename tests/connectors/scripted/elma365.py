"""ELMA365 as its documents have it, scripted: a file is uploaded under a hash, and an app imports it."""

import re
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from tests.connectors.scripted.script import Answer, Asked, Row, Run, Script, rows_of_csv, rows_of_xlsx

TOKEN = "f2b0a1c4-5d6e-4f70-8a91-b2c3d4e5f607"
SMALLEST_PART_BYTES = 5_242_880
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")
_UPLOAD = re.compile(r"/pub/v1/disk/(?:file|directory/(?P<directory>[^/]+))/upload")
_READERS = {".csv": rows_of_csv, ".xlsx": rows_of_xlsx}


@dataclass
class File:
    """An uploaded file; `directory` is None where it is temporary."""

    total_bytes: int
    directory: str | None
    content: bytes = b""


@dataclass
class ScriptedElma365(Script):
    """The vendor.

    Attributes:
        ends_badly: what it says of an import that ends in error; None: it ends well.
        counted: what it says is imported at the end; None: every row.
    """

    ends_badly: str | None = None
    counted: int | None = None
    files: dict[UUID, File] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)

    def call_of(self, method: str, path: str) -> str:
        if _UPLOAD.fullmatch(path):
            return "upload"
        return "submit" if method == "POST" and path.endswith("/import") else "look"

    def answer(self, asked: Asked) -> Answer:
        token = asked.headers.get("x-token") or asked.headers.get("authorization", "").removeprefix("Bearer ")
        if token != TOKEN or self.has_expired:
            return _refused(403, "not authorized")
        return {"upload": self._upload, "submit": self._start, "look": self._look}[asked.call](asked)

    def _upload(self, asked: Asked) -> Answer:
        if not asked.query.get("hash"):
            return _refused(400, "hash is required")
        start, end, total = map(int, _RANGE.fullmatch(asked.headers["content-range"]).groups())
        directory = _UPLOAD.fullmatch(asked.path)["directory"]
        part = asked.body if directory is None else asked.form_file("File")[1]
        if start == 0:
            self.files[UUID(asked.query["hash"])] = File(total, directory)
        file = self.files.get(UUID(asked.query["hash"]))
        if file is None:
            return _refused(400, "NoSuchUpload")
        if start > len(file.content) or end - start != len(part):
            return _refused(400, "InvalidPartOrder")
        if end < total and len(part) < SMALLEST_PART_BYTES:
            return _refused(400, "EntityTooSmall")
        file.content = file.content[:start] + part
        return Answer.json({"success": True, "error": ""}, 200 if end == total else 206)

    def _start(self, asked: Asked) -> Answer:
        if self.blocked:
            self.blocked -= 1
            return _answered(str(uuid4()), "blocked", error="another import of this app is running")
        file = self.files.get(UUID(asked.json["fileHash"]))
        if file is None or len(file.content) != file.total_bytes:
            return _refused(400, "there is no such file")
        rows = _READERS[asked.json["format"]](file.content)
        self.taken.append(rows)
        import_id = str(uuid4())
        self.runs[import_id] = Run(rows, self.looks)
        return _answered(import_id, "processing")

    def _look(self, asked: Asked) -> Answer:
        found = re.fullmatch(r"/pub/v1/app/\w+/\w+/import/([0-9a-f-]+)/status", asked.path)
        if found is None or found[1] not in self.runs:
            return _refused(404, "not found")
        self.is_last_look()
        run = self.runs[found[1]]
        if not run.look():
            return _answered(found[1], "processing", count=len(run.rows) // 2)
        return self._ended(found[1], run.rows)

    def _ended(self, import_id: str, rows: list[Row]) -> Answer:
        if self.ends_badly is not None:
            return _answered(import_id, "error", error=self.ends_badly)
        return _answered(import_id, "done", count=len(rows) if self.counted is None else self.counted)


def _answered(import_id: str, status: str, count: int = 0, error: str = "") -> Answer:
    said = {"success": not error, "error": error, "importId": import_id, "status": status, "count": count}
    return Answer.json(said)


def _refused(status: int, error: str) -> Answer:
    return Answer.json({"success": False, "error": error}, status)
