"""The clients, and how each is told to make a call.

Phandal/celigo-cli is none of them: its host is compiled in, and it knows scripts and projects, but no imports.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Self

from tests.public_clients.front import Fronts
from tests.public_clients.service import Service

CALL_SECONDS = 120


class NotInClientError(Exception):
    """The client has no such call."""


class RefusedError(Exception):
    """The client says that the call failed."""


class Client:
    """What all have in common: none has a call that it does not say."""

    name: str
    commit: str
    part = ""

    def __init__(self, code: Path, service: Service, fronts: Fronts) -> None:
        self.code, self.service, self.fronts = code, service, fronts

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *told: object) -> None:
        pass

    def _missing(self, *_: object) -> dict:
        raise NotInClientError

    list_all = get = create = update = patch = clone = audit = dependencies = _missing
    replace_connection = invoke = delete = _missing


class CommandLine(Client):
    """A command of Python, without dependencies. It speaks HTTPS alone, to the address in its settings file."""

    name = "tchow-twistedxcom/claude-marketplace"
    commit = "3c57763492864f4763b9197e37fe178e907676f7"
    part = "plugins/celigo-integration"

    def __enter__(self) -> Self:
        place = {"name": "Lading", "api_url": self.fronts.https, "api_key": self.service.token}
        settings = {"environments": {"production": place}, "defaults": {"environment": "production"}}
        (self.code / "config/celigo_config.json").write_text(json.dumps(settings))
        return self

    def list_all(self) -> list:
        return self._call("list")

    def get(self, import_id: str) -> dict:
        return self._call("get", import_id)

    def create(self, document: dict) -> dict:
        return self._call("create", "--data", json.dumps(document))

    def update(self, import_id: str, document: dict) -> dict:
        # It gets the import, merges this into it, and puts the whole.
        return self._call("update", import_id, "--data", json.dumps({"name": document["name"]}))

    def patch(self, import_id: str, operation: dict) -> dict:
        return self._call("patch", import_id, "--data", json.dumps(operation))

    def clone(self, import_id: str) -> dict:
        return self._call("clone", import_id)

    def audit(self, import_id: str) -> list:
        return self._call("audit", import_id)

    def dependencies(self, import_id: str) -> dict:
        return self._call("dependencies", import_id)

    def replace_connection(self, import_id: str, connection_id: str) -> dict:
        wanted = json.dumps({"_newConnectionId": connection_id})
        return self._call("replace-connection", import_id, "--data", wanted)

    def invoke(self, import_id: str, records: list, files: Path) -> list:
        (files / "records.json").write_text(json.dumps(records))
        return self._call("invoke", import_id, "--file", str(files / "records.json"))

    def delete(self, import_id: str) -> dict:
        return self._call("delete", import_id)

    def _call(self, *told: str):
        command = [sys.executable, "scripts/celigo_api.py", "--format", "json", "imports", *told]
        environment = {"PATH": os.environ["PATH"], "SSL_CERT_FILE": str(self.fronts.certificate)}
        ran = subprocess.run(
            command,
            cwd=self.code,
            env=environment,
            capture_output=True,
            text=True,
            timeout=CALL_SECONDS,
            check=False,
        )
        if ran.returncode:
            raise RefusedError(ran.stderr.strip()[-300:])
        answer = json.loads(ran.stdout)
        if isinstance(answer, dict) and answer.get("error"):
            raise RefusedError(json.dumps(answer))
        return answer


class ToolServer(Client):
    """A server of the Model Context Protocol in TypeScript, spoken to over its standard streams.

    Its host is fixed, but its HTTP library goes through the proxy that the environment names.
    """

    name = "ilyassesalama/celigo-mcp"
    commit = "38b914a384213fd9818cb22b066ed12be35eb9f7"

    def __enter__(self) -> Self:
        for step in (["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], ["npm", "run", "build"]):
            built = subprocess.run(step, cwd=self.code, capture_output=True, text=True, check=False)
            if built.returncode:
                raise RefusedError(f"{' '.join(step)}: {(built.stdout + built.stderr)[-1000:]}")
        self._process = subprocess.Popen(
            ["node", "build/index.js", "--access-token", self.service.token],
            cwd=self.code,
            env={"PATH": os.environ["PATH"], "HTTPS_PROXY": self.fronts.proxy},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._number = 0
        who = {"name": "lading-tests", "version": "1"}
        self._ask("initialize", {"protocolVersion": "2024-11-05", "capabilities": {}, "clientInfo": who})
        self._say({"jsonrpc": "2.0", "method": "notifications/initialized"})
        self._tools = {tool["name"] for tool in self._ask("tools/list", {})["tools"]}
        return self

    def __exit__(self, *told: object) -> None:
        self._process.terminate()
        self._process.wait(30)

    def list_all(self) -> list:
        return self._call("list_imports", limit=100) or []

    def get(self, import_id: str) -> dict:
        return self._call("get_import", importId=import_id)

    def create(self, document: dict) -> dict:
        config = {key: value for key, value in document.items() if key not in {"name", "_connectionId"}}
        named = {"name": document["name"], "_connectionId": document["_connectionId"]}
        return self._call("create_import", **named, apiIdentifier="items", config=config)

    def update(self, import_id: str, document: dict) -> dict:
        return self._call("update_import", importId=import_id, config=document)

    def delete(self, import_id: str) -> dict:
        return self._call("delete_import", importId=import_id)

    def _call(self, tool: str, **arguments: object):
        if tool not in self._tools:
            raise NotInClientError
        text = self._ask("tools/call", {"name": tool, "arguments": arguments})["content"][0]["text"]
        if text.startswith("Error: "):
            raise RefusedError(text)
        return json.loads(text)

    def _ask(self, method: str, told: dict) -> dict:
        self._number += 1
        self._say({"jsonrpc": "2.0", "id": self._number, "method": method, "params": told})
        while True:
            answer = json.loads(self._process.stdout.readline())
            if answer.get("id") == self._number:
                return answer["result"]

    def _say(self, message: dict) -> None:
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()


CLIENTS = (CommandLine, ToolServer)
