"""What every scripted vendor has: how its jobs go, which is a setting, and what it took."""

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

import fastexcel
from python_multipart import parse_form

Row = tuple[str, ...]


@dataclass(frozen=True)
class Asked:
    """One request, as it came over the socket.

    Attributes:
        call: which of the vendor's calls it is: `token`, `upload`, `submit` or `look`.
        headers: names in lower case.
        at_seconds: on a clock that never goes back.
    """

    call: str
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    at_seconds: float

    @property
    def json(self):
        return json.loads(self.body)

    def form_file(self, name: str) -> tuple[str, bytes]:
        """File name and bytes of the form's one part, which is called so."""
        found = {}

        def keep(file) -> None:
            file.file_object.seek(0)
            found[file.field_name.decode()] = file.file_name.decode(), file.file_object.read()

        header = {"Content-Type": self.headers["content-type"].encode()}
        parse_form(header, io.BytesIO(self.body), lambda _: None, keep)
        assert list(found) == [name]
        return found[name]


@dataclass(frozen=True)
class Answer:
    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, said: object, status: int = 200) -> "Answer":
        return cls(status, json.dumps(said).encode(), {"Content-Type": "application/json"})


@dataclass
class Script:
    """One vendor's documented API, its jobs in memory.

    Attributes:
        looks: a job has ended when it was looked at so often; None: it never ends.
        refused: row as the vendor counts, the header being 1 → what it says is wrong there.
        token_looks: the token it knows is refused after so many looks; None: never.
        blocked: so many submissions are told that another import runs.
        taken: the rows of each file whose import was begun, in their order.
    """

    looks: int | None = 2
    refused: Mapping[int, str] = field(default_factory=dict)
    token_looks: int | None = None
    blocked: int = 0
    taken: list[list[Row]] = field(default_factory=list)
    looked: int = 0

    def call_of(self, method: str, path: str) -> str:
        raise NotImplementedError

    def answer(self, asked: Asked) -> Answer:
        raise NotImplementedError

    def is_last_look(self) -> bool:
        """Count a look; true where the token is good for no other."""
        self.looked += 1
        return self.looked == self.token_looks

    @property
    def has_expired(self) -> bool:
        """True when its token was good for so many looks only."""
        return self.token_looks is not None and self.looked >= self.token_looks


@dataclass
class Run:
    """A job of a scripted vendor, which goes on by being looked at."""

    rows: list[Row]
    looks_left: int | None

    def look(self) -> bool:
        """True when it has ended."""
        if self.looks_left is None:
            return False
        self.looks_left -= 1
        return self.looks_left <= 0


def split_target(target: str) -> tuple[str, dict[str, str]]:
    """Path and query of the target of a request."""
    parts = urlsplit(target)
    return parts.path, dict(parse_qsl(parts.query, keep_blank_values=True))


def rows_of_csv(content: bytes) -> list[Row]:
    """The rows below the header."""
    return [tuple(row) for row in csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))][1:]


def rows_of_xlsx(content: bytes) -> list[Row]:
    """Likewise, each cell as text."""
    sheet = fastexcel.read_excel(content).load_sheet(0, header_row=None, dtypes="string").to_polars()
    return [tuple(cell or "" for cell in row) for row in sheet.rows()][1:]


def rows_of_jsonl(content: bytes) -> list[Row]:
    """The values of each line, as text."""
    found = [json.loads(line) for line in content.splitlines() if line.strip()]
    return [tuple("" if value is None else str(value) for value in record.values()) for record in found]
