"""Imports to a vendor killed with -9 around every commit and call: no record is handed over a second time."""

import json
import shutil
import signal
import subprocess
import sys
from itertools import count
from pathlib import Path

import pytest

from flows.run import resume
from schemas.connection import ConnectionDocument
from schemas.import_request import ImportRequest
from schemas.job import JobState
from schemas.settings import Settings
from store.database import Store
from store.definitions import put_definition
from store.jobs import get_job
from store.leases import held_lease
from store.pages import list_pages
from tasks.connection_keeping import keep_connection
from tasks.upload import accept_upload
from tasks.validate import validate_job
from tests.connectors.scripted.integrator import ScriptedIntegrator
from tests.connectors.scripted.vendor import scripted
from tests.connectors.scripted.ways import WAYS
from tests.tasks import scripted_vendor

CHILD = Path(__file__).with_name("vendor_crash_child.py")
ROOT = CHILD.parents[2]
KEYS = ["a", "b", "c", "d", "e"]


@pytest.fixture(scope="module")
def vendor():
    with scripted_vendor.standing() as vendor, scripted_vendor.known():
        yield vendor


@pytest.fixture(scope="module")
def killed():
    """Resumes a job in a process that dies at the n-th moment; False when the job was over before."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    command = [sys.executable, str(CHILD)]
    with subprocess.Popen(command, **pipes, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}) as server:

        def run(settings, job_id, number):
            case = {"home": str(settings.home), "job": job_id, "number": number}
            server.stdin.write(json.dumps(case) + "\n")
            server.stdin.flush()
            ended = int(server.stdout.readline())
            assert ended in {0, -signal.SIGKILL}
            return ended != 0

        yield run
        server.stdin.close()


def ready_home(folder, document, definition, keys=KEYS):
    """A home in which a file is read and checked, and nothing handed over yet; gives the job's id."""
    path = folder / "things.csv"
    rows = [f"{key},N,{'x' if key == 'b' else 1}" for key in keys]
    path.write_text("\n".join(["Id,Name,Amount", *rows]) + "\n")
    settings = Settings(home=folder / "ready")
    with Store.opened(settings) as store, store.write() as session:
        keep_connection(settings, session, "local", document)
        put_definition(session, "local", definition)
    job_id = accept_upload(settings, ImportRequest(str(path), definition.name))
    with Store.opened(settings) as store, held_lease(store, settings, job_id) as epoch:
        assert validate_job(settings, job_id, epoch) is JobState.READY
    return job_id


def left_by(settings, job_id):
    with Store.opened(settings) as store, store.read() as session:
        job = get_job(session, job_id)
        return job, "".join(page.letters for page in list_pages(session, job_id))


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("finds", "one_at_a_time"), [(True, True), (False, False)])
def test_a_kill_at_any_moment_sends_no_record_twice_and_leaves_every_row_accounted_for(
    vendor, killed, tmp_path, make_definition, finds, one_at_a_time
):
    script = {"part_rows": 2, "finds": finds, "one_at_a_time": one_at_a_time}
    definition = make_definition(destination={"connection": "box", "box": "b1", **script})
    document = ConnectionDocument(name="box", connector=scripted_vendor.NAME, url=vendor.url)
    job_id = ready_home(tmp_path, document, definition)
    lost = set()
    for number in count(1):
        vendor.__dict__.update(scripted_vendor.Vendor(url=vendor.url).__dict__)
        settings = Settings(home=Path(shutil.copytree(tmp_path / "ready", tmp_path / f"home-{number}")))
        if not killed(settings, job_id, number):
            break
        resume(settings, job_id)
        job, letters = left_by(settings, job_id)
        taken = vendor.imported()
        assert len(set(taken)) == len(taken), number
        assert job.counts.rows == job.rows == len(KEYS)
        if letters == "CFCCC":
            assert (job.state, taken) == (JobState.FINISHED, ["a", "c", "d", "e"]), number
        else:
            # Marked as on its way when the process died: not sent again, whether the vendor has it or not.
            assert (job.state, job.error_code) == (JobState.FAILED, "vendor.unknown"), number
            sure = {key for key, letter in zip(KEYS, letters, strict=True) if letter == "C"}
            unsure = {key for key, letter in zip(KEYS, letters, strict=True) if letter == "Q"}
            assert sure <= set(taken) <= sure | unsure, number
            lost.add((letters, unsure <= set(taken)))
        shutil.rmtree(settings.home)
    not_found = {("QFQCC", False), ("CFCQQ", False)}
    assert lost == (not_found if finds else not_found | {(letters, True) for letters, _ in not_found})
    assert number > 20


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_an_import_is_invoked_once_and_what_it_told_survives_a_kill_at_any_moment(
    killed, tmp_path, make_definition
):
    way = WAYS["integrator"]
    definition = make_definition(destination={"connection": "box", **way.container})
    keys = [f"k{number}" for number in range(1_001)]
    told = "F" + "Q" * 999, "F"
    lost = set()
    with scripted(ScriptedIntegrator(refused={2: "too short"})) as vendor:
        document = ConnectionDocument(name="box", connector="integrator", url=vendor.url, secrets=way.secrets)
        job_id = ready_home(tmp_path, document, definition, keys)
        for number in count(1):
            vendor.script.taken.clear()
            settings = Settings(home=Path(shutil.copytree(tmp_path / "ready", tmp_path / f"home-{number}")))
            if not killed(settings, job_id, number):
                break
            resume(settings, job_id)
            job, letters = left_by(settings, job_id)
            taken = {rows[0][0] for rows in vendor.script.taken}
            assert len(taken) == len(vendor.script.taken), number
            parts = letters[:1_000], letters[1_000:]
            for part, first in enumerate(("k0", "k1000")):
                if parts[part] != told[part]:
                    assert (parts[part], job.error_code) == ("Q" * len(told[part]), "vendor.unknown"), number
                    lost.add((part, first in taken))
            shutil.rmtree(settings.home)
    assert lost == {(0, False), (0, True), (1, False), (1, True)}
