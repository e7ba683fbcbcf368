"""Databases by name: what the operator may give a name, and who may use it."""

import pytest
from sqlalchemy import make_url

from schemas.errors import ConflictError, DefinitionError, NotAllowedError, NotFoundError
from schemas.job import JobState
from store.databases import add_database, list_databases, remove_database, resolved
from store.definitions import put_definition
from store.jobs import get_job, set_values

URL = "postgresql://lading@db.example/warehouse"
WAREHOUSE = {"database": "warehouse", "table": "things"}


def test_a_name_means_the_database_to_the_operator_and_to_whom_it_was_granted(store, make_definition):
    definition = make_definition(destination=WAREHOUSE)
    with store.write() as session:
        add_database(session, "warehouse", URL, "env:WAREHOUSE", ["acme"])
        for tenant in ("local", "acme"):
            destination = resolved(session, tenant, definition).destination
            assert (destination.database, destination.password, destination.table) == (
                URL,
                "env:WAREHOUSE",
                "things",
            )


def test_whether_there_is_a_name_is_not_told_to_whom_it_was_not_granted(store, make_definition):
    with store.write() as session:
        add_database(session, "warehouse", URL)
        said = []
        for name in ("warehouse", "nowhere"):
            with pytest.raises(NotAllowedError) as refused:
                resolved(session, "acme", make_definition(destination=WAREHOUSE | {"database": name}))
            assert refused.value.rule == "database.not_granted"
            said.append(str(refused.value).replace(name, "NAME"))
        assert said[0] == said[1]
        assert "lading databases add NAME --url ... --grant acme" in said[0]
        with pytest.raises(NotAllowedError):
            resolved(session, "local", make_definition(destination=WAREHOUSE | {"database": "nowhere"}))


@pytest.mark.parametrize("database", ["default", URL])
def test_what_is_no_name_stays_as_it_is(store, make_definition, database):
    definition = make_definition(destination={"database": database, "table": "things"})
    with store.read() as session:
        assert resolved(session, "acme", definition) == definition


def test_said_again_a_name_has_the_password_and_the_grants_that_were_said_last(store):
    with store.write() as session:
        add_database(session, "warehouse", URL, "env:A", ["one", "two", "two"])
        add_database(session, "archive", "sqlite:////data/archive.db")
        add_database(session, "warehouse", URL, None, ["two"])
    with store.read() as session:
        kept = [(d.name, d.url, d.password, d.tenants) for d in list_databases(session)]
    assert kept == [("archive", "sqlite:////data/archive.db", None, []), ("warehouse", URL, None, ["two"])]


@pytest.mark.parametrize(
    ("name", "url", "password", "says"),
    [
        ("default", URL, None, "can't be the name"),
        ("Ware House", URL, None, "can't be the name"),
        ("../x", URL, None, "can't be the name"),
        ("warehouse", "db.example", None, "neither 'default'"),
        ("warehouse", "default", None, "needs a URL"),
        ("warehouse", "other", None, "needs a URL"),
        ("warehouse", "postgresql://u:s3cret@h/x", None, "has a password in it"),
        ("warehouse", URL, "s3cret", "should match pattern"),
    ],
)
def test_what_cannot_be_a_database_by_name_is_refused_without_repeating_a_secret(
    store, name, url, password, says
):
    with store.write() as session, pytest.raises(DefinitionError, match=says) as refused:
        add_database(session, name, url, password)
    assert "s3cret" not in str(refused.value)


def test_a_name_is_kept_while_a_job_under_way_uses_it(store, new_job, make_definition):
    job_id = new_job()
    with store.write() as session:
        add_database(session, "warehouse", URL)
        stored = put_definition(session, "local", make_definition(destination=WAREHOUSE))
        get_job(session, job_id).definition_id = stored.id
    with store.write() as session:
        with pytest.raises(ConflictError, match=r"'warehouse' \(definitions things\)"):
            remove_database(session, "warehouse")
        with pytest.raises(ConflictError):
            add_database(session, "warehouse", "postgresql://elsewhere/x")
        add_database(session, "warehouse", URL, "env:NEW")
        set_values(session, job_id, epoch=0, state=JobState.FAILED, rows=0)
        add_database(session, "warehouse", "postgresql://elsewhere/x")
        remove_database(session, "warehouse")
        assert list_databases(session) == []
        with pytest.raises(NotFoundError, match="lading databases list"):
            remove_database(session, "warehouse")


@pytest.mark.parametrize("settings", ["postgresql"], indirect=True)
def test_the_database_of_the_job_store_cannot_be_granted(store, settings):
    url = make_url(settings.store_url)
    for same in (url, url.set(drivername="postgresql+psycopg", username="another")):
        with store.write() as session, pytest.raises(NotAllowedError) as refused:
            add_database(session, "jobs", same.render_as_string())
        assert refused.value.rule == "database.store"
    with store.write() as session:
        add_database(session, "others", url.set(database="another").render_as_string())
