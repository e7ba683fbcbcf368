"""A vendor on a real socket, which counts what it was sent, and the client that tests drive it with."""

import csv
import json
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pydantic import BaseModel
from pydantic_settings import BaseSettings

from connectors import registry
from connectors.access import Access
from connectors.client import Handle, Look, Part, RecordsRefusedError, Refused, own_headers
from connectors.connector import Connector
from connectors.vendor_body import FileBody, JsonBody
from schemas.definition import Definition, Mode
from schemas.errors import VendorBusyError, VendorRefusedError

NAME = "scripted"


@dataclass
class Vendor:
    """What the vendor has taken, and what goes wrong with it.

    Attributes:
        files: content of each file that was brought, by its name; bringing it again changes nothing.
        imports: id → name of the file that was imported; each POST makes one more.
        busy: so many times an import is refused as not possible now.
        cuts: so many times the connection is cut once an import was begun, and so many times before.
        refusal: what a file is refused with, as a whole; None: it is not.
        looks: so many times an import is not done.
        told: makes the answer on a finished import of a file's rows.
    """

    url: str = ""
    files: dict[str, str] = field(default_factory=dict)
    imports: dict[int, str] = field(default_factory=dict)
    busy: int = 0
    cuts: int = 0
    breaks: int = 0
    refusal: dict[str, Any] | None = None
    looks: int = 0
    asked: Counter[str] = field(default_factory=Counter)
    told: Callable[[list[dict[str, str]]], dict[str, Any]] = lambda rows: {"counts": {"created": len(rows)}}
    lock: threading.Lock = field(default_factory=threading.Lock)

    def rows_of(self, name: str) -> list[dict[str, str]]:
        """The records of a file."""
        return list(csv.DictReader(self.files[name].splitlines()))

    def imported(self) -> list[str]:
        """The key of every record that was imported, in order, as often as it was."""
        return [row["Id"] for name in self.imports.values() for row in self.rows_of(name)]

    def answer(self, method: str, path: str, query: Mapping[str, str], body: str) -> tuple[int, Any] | None:
        """Status and body of the answer; None where the connection is cut."""
        self.asked[f"{method} {path.rstrip('0123456789')}"] += 1
        if (method, path) == ("PUT", "/files"):
            self.files[query["name"]] = body
            return (422, self.refusal) if self.refusal is not None else (200, {"file": query["name"]})
        if (method, path) == ("POST", "/imports"):
            return self._begin(json.loads(body)["file"])
        if path == "/imports":
            found = [number for number, name in self.imports.items() if name == query["file"]]
            return 200, {"found": found}
        if self.looks > 0:
            self.looks -= 1
            return 200, {"done": False}
        return 200, {"done": True, **self.told(self.rows_of(self.imports[int(path.rpartition("/")[2])]))}

    def _begin(self, name: str) -> tuple[int, Any] | None:
        if self.busy > 0:
            self.busy -= 1
            return 409, {}
        if self.breaks > 0:
            self.breaks -= 1
            return None
        self.imports[len(self.imports) + 1] = name
        if self.cuts > 0:
            self.cuts -= 1
            return None
        return 200, {"import": len(self.imports)}


@contextmanager
def standing() -> Iterator[Vendor]:
    """The vendor, for as long as the block runs."""
    vendor = Vendor()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            with vendor.lock:
                answer = vendor.answer(self.command, parts.path, query, body)
            if answer is None:
                self.close_connection = True
                return
            content = json.dumps(answer[1]).encode()
            self.send_response(answer[0])
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = _serve  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        vendor.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield vendor
        server.shutdown()


class ScriptedTestClient:
    """Drives the vendor of the tests; how, its container says."""

    file_kind = "csv"
    part_bytes = None
    pause_seconds = 0.0
    poll_seconds = 0.01

    def __init__(self, access: Access) -> None:
        self._http = access.http
        script = Script.model_validate(access.container)
        self.part_rows = script.part_rows
        self.one_at_a_time = script.one_at_a_time
        self.submit_is_repeatable = False
        self.tells = script.tells
        self._finds = script.finds
        self._link = script.link

    def headers(self, definition: Definition) -> Sequence[str]:
        return own_headers(definition)

    def prepare(self, part: Part, handle: Handle, keep: Callable[[Handle], None]) -> Handle:
        if "file" in handle:
            return handle
        try:
            self._http.repeatable(
                "PUT", "/files", json.loads, body=FileBody(part.path), params={"name": part.file_name}
            )
        except VendorRefusedError as error:
            raise RecordsRefusedError(str(error), [Refused(3, "Name", "no such name")]) from error
        handle = {"file": part.file_name}
        keep(handle)
        return handle

    def submit(self, part: Part, handle: Handle) -> Handle:
        body = JsonBody(json.dumps({"file": part.file_name}).encode())
        try:
            answer = self._http.post_once("/imports", json.loads, body=body)
        except VendorRefusedError as error:
            raise VendorBusyError("another import is under way") from error
        return {**handle, "import": answer["import"]}

    def reconcile(self, part: Part, handle: Handle) -> Handle | None:
        if not self._finds:
            return None
        found = self._http.get("/imports", json.loads, params={"file": part.file_name})["found"]
        return {**handle, "import": found[0]} if found else None

    def look(self, handle: Handle) -> Look:
        told = self._http.get(f"/imports/{handle['import']}", json.loads)
        refused = [Refused(**refused) for refused in told.pop("refused", ())]
        return Look(**told, refused=refused)

    def link(self, handle: Handle) -> str | None:
        return (self._link or f"{self._http.url}/see/{handle['import']}") if "import" in handle else None

    def test(self) -> str:
        return "it answers"

    def close(self) -> None:
        self._http.close()


class Script(BaseModel, extra="forbid"):
    """How the client is to be, as the container of a destination.

    Attributes:
        link: where it says that people see an import; None: on a page of the vendor's.
    """

    box: str
    part_rows: int | None = None
    one_at_a_time: bool = False
    tells: bool = True
    finds: bool = True
    link: str | None = None


class NoChoices(BaseSettings):
    """Nothing is left open."""


def _no_face(_: object) -> Any:
    raise AssertionError("nobody serves it")


CONNECTOR = Connector(
    name=NAME,
    address=Script,
    face=_no_face,
    choices=NoChoices,
    client=ScriptedTestClient,
    container=Script,
    client_modes=frozenset({Mode.UPSERT, Mode.INSERT}),
)


@contextmanager
def known() -> Iterator[None]:
    """The connector is one of those that there are, until the block ends."""
    modules = registry._modules
    sys.modules[f"connectors.{NAME}"] = sys.modules[__name__]
    registry._modules = lambda: modules() | {NAME}
    registry.known_connectors.cache_clear()
    try:
        yield
    finally:
        registry._modules = modules
        del sys.modules[f"connectors.{NAME}"]
        registry.known_connectors.cache_clear()
