"""Files that come in over HTTP: accepted once per idempotency key, and never beyond what the key may do."""

import io
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from flows import run
from schemas.definition import Mode
from schemas.errors import (
    DefinitionError,
    FatalError,
    IdempotencyConflictError,
    NotAllowedError,
    NotFoundError,
)
from schemas.job import JobKind, JobState
from schemas.principal import Principal, Scope
from store.database import Store
from store.databases import add_database
from store.definitions import put_definition
from store.uploads import get_upload
from tasks.file_names import plain_name
from tasks.upload import Brought, accept_file

CSV = b"Id,Name,Amount\na,A,1\n"
POSTGRES = pytest.param("postgresql", marks=pytest.mark.slow)
on_both_stores = pytest.mark.parametrize("lading", ["sqlite", POSTGRES], indirect=True)


def key_of(tenant="acme", **changes):
    values = {"key_id": "k1", "tenant": tenant, "scopes": frozenset({Scope.IMPORTS_CREATE})}
    return Principal(**values | changes)


@pytest.fixture
def put(lading):
    """Keeps a definition as this tenant's."""

    def keep(tenant, definition):
        with Store.opened(lading.settings) as store, store.write() as session:
            put_definition(session, tenant, definition)

    return keep


@pytest.fixture
def accept(lading):
    """Brings bytes over HTTP with a key of `acme`; gives what `accept_file` gives."""

    def bring(content=CSV, principal=None, **changes):
        values = {"file_name": "things.csv", "definition": "things"} | changes
        return accept_file(lading.settings, Brought(principal or key_of(), io.BytesIO(content), **values))

    return bring


def kept_files(lading):
    return [path for path in lading.settings.uploads_path.rglob("*") if path.is_file()]


@on_both_stores
def test_an_accepted_file_waits_for_a_worker_and_is_imported_as_its_tenants(
    lading, put, accept, make_definition
):
    put("local", make_definition())
    accepted = accept(creation_path="UI")
    job = lading.job(accepted.job_id)
    assert accepted.is_new
    assert (job.tenant, job.key_id, job.creation_path, job.is_queued) == ("acme", "k1", "UI", True)
    assert (job.state, job.kind, job.destination_key) == (
        JobState.RECEIVED,
        JobKind.IMPORT,
        "acme/default/things",
    )
    run.resume(lading.settings, accepted.job_id)
    assert lading.counts(accepted.job_id) == {"created": 1}
    assert lading.settings.table_path("acme").exists()
    assert not lading.settings.table_path("local").exists()


def test_without_an_idempotency_key_the_same_bytes_are_another_job_each_time(
    lading, put, accept, make_definition
):
    put("acme", make_definition())
    first, second = accept(), accept(mode=Mode.INSERT, validate_only=True)
    assert first.job_id != second.job_id
    assert first.is_new
    assert second.is_new
    assert len(kept_files(lading)) == 1
    job = lading.job(second.job_id)
    assert (job.mode, job.kind) == (Mode.INSERT, JobKind.VALIDATE)


@on_both_stores
def test_the_same_idempotency_key_gives_the_same_job_and_another_request_is_refused(
    lading, put, accept, make_definition
):
    put("acme", make_definition())
    put("acme", make_definition(name="others"))
    first = accept(idempotency_key="mine")
    again = accept(idempotency_key="mine", principal=key_of(key_id="k2"))
    assert (again.job_id, again.is_new) == (first.job_id, False)
    for other in (
        {"content": CSV + b"b,B,2\n"},
        {"definition": "others"},
        {"mode": Mode.INSERT},
        {"validate_only": True},
        {"file_name": "b.csv"},
        {"file_options": {"kind": "csv"}},
        {"mail": {"success_to": "ann@example.com", "failure_to": None}},
        {"has_events": True},
    ):
        with pytest.raises(IdempotencyConflictError):
            accept(**{"idempotency_key": "mine"} | other)
    assert len(kept_files(lading)) == 1
    put("other", make_definition())
    assert accept(idempotency_key="mine", principal=key_of("other")).is_new
    with pytest.raises(FatalError, match="1 to 255"):
        accept(idempotency_key="")


@on_both_stores
def test_one_idempotency_key_used_by_many_at_once_makes_one_job(lading, put, accept, make_definition):
    put("acme", make_definition())
    ready = threading.Barrier(6)

    def one(_):
        ready.wait()
        return accept(idempotency_key="mine")

    with ThreadPoolExecutor(6) as pool:
        got = list(pool.map(one, range(6)))
    assert len({accepted.job_id for accepted in got}) == 1
    assert [accepted.is_new for accepted in got].count(True) == 1
    assert len(kept_files(lading)) == 1


def test_a_key_for_other_definitions_or_an_unknown_one_is_refused_and_nothing_is_kept(
    lading, put, accept, make_definition
):
    put("acme", make_definition())
    put("other", make_definition(name="theirs"))
    with pytest.raises(NotAllowedError) as refused:
        accept(principal=key_of(definitions=frozenset({"others"})))
    assert refused.value.rule == "definition.not_allowed"
    with pytest.raises(NotFoundError, match="known: things"):
        accept(definition="theirs")
    put("acme", make_definition(name="keyless", key=[], mode="insert"))
    with pytest.raises(DefinitionError, match="needs a 'key'"):
        accept(definition="keyless", mode=Mode.UPDATE)
    assert not lading.settings.uploads_path.exists()


def test_a_table_that_became_anothers_leaves_no_bytes_behind(lading, put, accept, make_definition, tmp_path):
    with Store.opened(lading.settings) as store, store.write() as session:
        url = f"sqlite:///{tmp_path / 'w.db'}"
        add_database(session, "warehouse", url, tenants=["acme", "other"])
    put("local", make_definition(destination={"database": "warehouse", "table": "things"}))

    class Slow(io.BytesIO):
        """Another tenant's file for the same table comes while this one is being read."""

        def read(self, size=-1):
            if self.tell() == 0:
                accept(principal=key_of("other"))
            return super().read(size)

    slow = Brought(key_of(), Slow(CSV + b"b,B,2\n"), "things.csv", "things")
    with pytest.raises(NotAllowedError) as refused:
        accept_file(lading.settings, slow)
    assert refused.value.rule == "table.claimed"
    assert len(kept_files(lading)) == 1


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\rows.xlsx", "rows.xlsx"),
        ("", "unnamed"),
        ("..", "unnamed"),
        ("folder/", "unnamed"),
        (" rows.csv ", "rows.csv"),
        ("<b>Zeilen</b>", "b>"),
        ("x" * 500 + ".csv.gz", "x" * 179 + "…" + "x" * 13 + ".csv.gz"),
        ("a\0b.csv", "a\N{SYMBOL FOR NULL}b.csv"),
        ("\ud800.csv", "\\ud800.csv"),
    ],
)
def test_the_name_of_a_file_is_only_data(lading, put, accept, make_definition, given, kept):
    put("acme", make_definition())
    job = lading.job(accept(file_name=given).job_id)
    with Store.opened(lading.settings) as store, store.read() as session:
        assert get_upload(session, job.upload_id).file_name == kept
    assert len(plain_name(given)) <= 200
    assert all(path.is_relative_to(lading.settings.uploads_path) for path in kept_files(lading))
