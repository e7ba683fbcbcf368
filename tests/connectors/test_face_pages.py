"""The commands of the pages on TeamTracks and LearningBuilder work as printed."""

import json
import re
import subprocess
from pathlib import Path

import pytest
import xlsxwriter

from connectors.learningbuilder.wire import BatchAnswer, BatchStatus
from connectors.teamtracks.wire import ImportAnswer, JobAnswer
from schemas.principal import Scope

FACES = Path(__file__).resolve().parents[2] / "docs" / "faces"


def commands(vendor: str) -> list[str]:
    """The commands that the page prints, in order."""
    (block,) = re.findall(r"```console\n(.*?)```", (FACES / f"{vendor}.md").read_text(), re.DOTALL)
    return [command.strip() for command in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]]


@pytest.fixture
def said(tmp_path, environment, service):
    """Runs a command in the test's folder, with these names for what the page leaves open."""

    def run(command: str, **names: str) -> bytes:
        known = environment(service.settings) | {"URL": service.url} | names
        return subprocess.run(
            ["bash", "-euc", command], cwd=tmp_path, env=known, capture_output=True, check=True, timeout=60
        ).stdout

    return run


@pytest.mark.slow
def test_the_commands_of_the_page_on_teamtracks_work_as_printed(said, service, apply, finish, tmp_path):
    apply(faces={"teamtracks": {"track_id": "7d1c"}})
    with xlsxwriter.Workbook(tmp_path / "objects.xlsx") as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["Id"])
        sheet.write_row(1, 0, ["a"])
    key = service.key("acme", Scope.IMPORTS_CREATE, Scope.IMPORTS_READ)
    names = {"TENANT": "acme", "SUBSCRIPTION_KEY": key.subscription_key, "TOKEN": key.token, "TRACK": "7d1c"}
    submit, status = commands("teamtracks")
    job_id = ImportAnswer.decode(said(submit, **names)).job_id
    finish()
    assert JobAnswer.decode(said(status, **names, JOB=job_id)).successfully_created == 1


@pytest.mark.slow
def test_the_commands_of_the_page_on_learningbuilder_work_as_printed(said, service, apply, finish, tmp_path):
    apply(faces={"learningbuilder": {"import_process_id": 7}})
    (tmp_path / "people.jsonl").write_text(json.dumps({":Id": "a"}) + "\n" + json.dumps({":Id": "b"}) + "\n")
    names = {"TOKEN": service.key("acme", Scope.BEGIN_WORKFLOW_IMPORT).token}
    create, status = commands("learningbuilder")
    batch_id = BatchAnswer.decode(said(create, **names)).queue_batch_id
    finish()
    batch = BatchStatus.decode(said(status, **names, BATCH=batch_id))
    assert (batch.status, batch.rows_processed, batch.file_name) == ("Completed", 2, "ACME 2026/01/31")
