"""Homes of earlier versions, with what lies in them, are brought to the newest schema."""

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text
from sqlmodel import select

from schemas.chunk import Page
from schemas.job import JobState
from schemas.row_error import RowError
from store.access_tables import TableClaim
from store.database import Store
from store.jobs import find_job, list_events, transition
from store.pages import list_errors, list_pages, put_errors, put_page
from store.postgres import postgres_backend
from store.sqlite import sqlite_backend
from store.uploads import get_upload

UPLOAD = """INSERT INTO upload (id, tenant, sha256, size_bytes, file_name, created_at, expires_at)
VALUES ('u1', 'local', 'ab', 7, 'a.csv', '2024-01-02 03:04:05.000006', '2024-02-01 00:00:00.000000')"""
DEFINITION = """INSERT INTO definition (id, tenant, name, version, document, created_at)
VALUES (1, 'local', 'things', 1, '{}', '2024-01-02 03:04:05.000006')"""
JOB = """INSERT INTO job (id, tenant, kind, state, definition_id, upload_id, mode, destination_key, rows_read,
rows_loaded, rows, created, updated, unchanged, ignored, failed, unconfirmed, unprocessed, deleted, warnings,
error_groups, errors, lease_epoch, received_at, expires_at)
VALUES (:id, 'local', 'import', :state, 1, 'u1', 'upsert', 'local/default/things', 3, 3, 3, 2, 0, 0, 0, 1, 0,
0, 0, '["w"]', '[["type.integer", "amount", 1]]', 1, 1,
'2024-01-02 03:04:05.000006', '2024-04-01 00:00:00.000000')"""

TABLE = "postgresql://db.example:5432/w/public.things"


@pytest.fixture
def backend_of_0001(settings):
    """A store as the first version made it, with an upload, a finished job and one that is importing."""
    settings.make_home()
    backend = postgres_backend(settings) if settings.store_url else sqlite_backend(settings.store_path, 30)
    config = Config()
    config.set_main_option("script_location", "store:migrations")
    with backend.writer.begin() as connection:
        config.attributes["connection"] = connection
        if settings.store_url:
            connection.execute(text("SET LOCAL TIME ZONE 'UTC'"))
        command.upgrade(config, "0001")
        for statement in (UPLOAD, DEFINITION):
            connection.exec_driver_sql(statement)
        for job_id, state in (("done", "finished"), ("half", "importing")):
            connection.execute(text(JOB), {"id": job_id, "state": state})
        for job_id, tenant, minute in (("w1", "acme", 2), ("w2", "other", 1), ("w3", "acme", 3)):
            connection.execute(text(JOB), {"id": job_id, "state": "finished"})
            moved = (
                f"destination_key = '{TABLE}', tenant = '{tenant}', received_at = '2024-01-02 03:0{minute}:00'"
            )
            connection.exec_driver_sql(f"UPDATE job SET {moved} WHERE id = '{job_id}'")
    backend.reader.dispose()


@pytest.mark.usefixtures("backend_of_0001")
def test_a_store_of_the_first_version_keeps_what_it_holds_and_says_when_it_expires(settings):
    with Store.opened(settings) as store:
        with store.write() as session:
            put_page(session, "done", Page(0, "CCF", (2, 3, 4), ("a", "b", None)))
            put_errors(session, "done", "import", [RowError("c", "m", 2)])
        with store.read() as session:
            job = find_job(session, "local", "done")
            assert (job.state, job.created, job.failed) == (JobState.FINISHED, 2, 1)
            assert job.received_at.isoformat() == "2024-01-02T03:04:05.000006+00:00"
            assert job.expires_at.isoformat() == "2024-04-01T00:00:00+00:00"
            assert job.stage_expires_at == job.errors_expire_at == job.expires_at
            assert (job.purged_at, job.errors_purged_at) == (None, None)
            upload = get_upload(session, job.upload_id)
            assert (upload.size_bytes, upload.purged_at) == (7, None)
            assert len(list(list_pages(session, "done"))) == len(list(list_errors(session, "done"))) == 1


@pytest.mark.usefixtures("backend_of_0001")
def test_a_table_that_was_imported_into_before_there_were_claims_is_whose_import_was_first(settings):
    with Store.opened(settings) as store, store.read() as session:
        claims = session.exec(select(TableClaim)).all()
    assert [(c.destination_key, c.tenant, c.claimed_at.minute) for c in claims] == [(TABLE, "other", 1)]


@pytest.mark.usefixtures("backend_of_0001")
def test_a_job_that_the_first_version_left_half_done_goes_on(settings):
    with Store.opened(settings) as store, store.write() as session:
        job = transition(session, "half", JobState.FINISHED, epoch=1, rows=3)
        assert job.finished_at is not None
        assert [event.name for event in list_events(session, "half")] == ["finished"]
        upload = get_upload(session, "u1")
        upload.size_bytes = 5 << 32
    with Store.opened(settings) as store, store.read() as session:
        assert get_upload(session, "u1").size_bytes == 5 << 32
