"""What the documents of Starmind leave open, and what our page on it says."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from connectors.starmind.wire import Accepted, Login, Session, Users
from tests.api.conftest import running
from tests.connectors.face_client import face_client
from tests.connectors.starmind.starmind_client import refused, workbook

PAGE = Path(__file__).resolve().parents[3] / "docs" / "faces" / "starmind.md"


def test_what_the_documents_leave_open_is_a_setting(settings, tenant, monkeypatch):
    for name, value in {
        "LOGIN_PATH": "/v1/login",
        "SUCCESS_STATUS": "202",
        "LIMIT_BYTES": "20000",
        "LIST_PROCESSES": "2",
        "LIST_ERRORS": "1",
        "USER_LIST_HAS_TAGS": "true",
    }.items():
        monkeypatch.setenv(f"LADING_STARMIND_{name}", value)
    with running(settings) as service, face_client(service, "starmind", tenant) as client:
        keys = {"Api-Key": client.key.subscription_key}
        login = Login(email="a@b.cc", password=client.key.token).encode()
        assert client.bare.post("/v1/login", content=login, headers=keys).status_code == 202
        refused(client.http.post("/import/tags/upload", files={"file": ("a.xlsx", bytes(20_000))}), 413)
        refused(client.http.post("/import/users", content=Users(rows=("x" * 20_000,)).encode()), 413)
        for tag in "xyz":
            content = workbook([["", "", tag, ""]] * 3)
            answer = client.http.post("/import/tags/upload", files={"file": ("a.xlsx", content)})
            assert answer.status_code == 202
        client.finish_jobs()
        listed = client.http.get("/import/users/status").json()
        last = answer.json()["import_id"]
        assert [process["import_id"] for process in listed] == [last, last - 1]
        assert [len(process["result"]["errors"]) for process in listed] == [1, 1]


@pytest.mark.slow
def test_the_commands_of_the_page_on_starmind_work_as_printed(client, service, environment, tmp_path):
    (block,) = re.findall(r"```console\n(.*?)```", PAGE.read_text(), re.DOTALL)
    commands = [re.sub(r"^ +", "", command) for command in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]]
    known = environment(service.settings) | {
        "URL": service.url,
        "TOKEN": client.key.token,
        "SUBSCRIPTION_KEY": client.key.subscription_key,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    said = [
        subprocess.run(["bash", "-c", command], cwd=tmp_path, env=known, capture_output=True, check=True).stdout
        for command in commands
    ]
    assert (tmp_path / "tags.xlsx").exists()
    assert Session.decode(said[1]).token == client.key.token
    assert Accepted.decode(said[2]).file_name == "tags.xlsx"
    assert [process["import_id"] for process in json.loads(said[3])] == [Accepted.decode(said[2]).import_id]
