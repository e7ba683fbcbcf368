"""What a job may write to is decided when it is accepted, and looked up where its destination is opened."""

import sqlite3
from contextlib import closing

import pytest

from schemas.errors import NotAllowedError
from schemas.import_request import ImportRequest
from store.database import Store
from store.databases import add_database
from tasks.upload import accept_upload


@pytest.fixture
def warehouse(lading, tmp_path):
    """A SQLite file that the operator named `warehouse` and granted to `acme` and `other`; gives its path."""
    path = tmp_path / "warehouse.db"
    with Store.opened(lading.settings) as store, store.write() as session:
        add_database(session, "warehouse", f"sqlite:///{path}", tenants=["acme", "other"])
    return path


@pytest.fixture
def as_tenant(lading):
    """Makes the home's commands act as this tenant."""

    def act(tenant):
        lading.settings = lading.settings.model_copy(update={"tenant": tenant})

    return act


@pytest.mark.parametrize("mode", ["upsert", "sync"])
def test_a_definition_that_names_a_database_imports_into_the_one_that_the_name_means(
    lading, warehouse, make_definition, write_csv, mode
):
    definition = make_definition(destination={"database": "warehouse", "table": "things"}, mode=mode)
    job_id = lading.run(write_csv("Id,Name,Amount", "a,A,1", "b,B,2"), definition)
    assert lading.counts(job_id) == {"created": 2}
    assert lading.job(job_id).destination_key == f"sqlite://{warehouse}/things"
    assert lading.counts(lading.run(write_csv("Id,Name,Amount", "a,A,3"), definition)) in (
        {"updated": 1},
        {"updated": 1, "deleted": 1},
    )
    with closing(sqlite3.connect(warehouse)) as connection:
        assert connection.execute("SELECT amount FROM things WHERE id = 'a'").fetchall() == [(3,)]


@pytest.mark.parametrize("second", ["other", "local"])
@pytest.mark.usefixtures("warehouse")
def test_a_table_of_one_tenant_is_refused_to_another_and_nothing_of_its_file_is_kept(
    lading, as_tenant, make_definition, write_csv, second
):
    definition = make_definition(destination={"database": "warehouse", "table": "things"})
    as_tenant("acme")
    lading.run(write_csv("Id,Name,Amount", "a,A,1"), definition)
    as_tenant(second)
    theirs = write_csv("Id,Name,Amount", "b,B,2", name="theirs.csv")
    for validate_only in (False, True):
        with pytest.raises(NotAllowedError, match="'things'") as refused:
            lading.run(theirs, definition, validate_only=validate_only)
        assert refused.value.rule == "table.claimed"
    assert len(list(lading.settings.uploads_path.glob("*/*"))) == 1
    elsewhere = make_definition(destination={"database": "warehouse", "table": "others"})
    assert lading.counts(lading.run(theirs, elsewhere)) == {"created": 1}


@pytest.mark.usefixtures("warehouse")
def test_a_job_that_only_validates_makes_no_table_its_tenants(lading, as_tenant, make_definition, write_csv):
    definition = make_definition(destination={"database": "warehouse", "table": "things"})
    path = write_csv("Id,Name,Amount", "a,A,1")
    as_tenant("acme")
    lading.run(path, definition, validate_only=True)
    as_tenant("other")
    assert lading.counts(lading.run(path, definition)) == {"created": 1}


def test_a_tenant_without_the_grant_is_refused_before_its_file_is_taken(
    lading, warehouse, as_tenant, make_definition, write_csv
):
    as_tenant("stranger")
    lading.apply(make_definition(destination={"database": "warehouse", "table": "things"}))
    with pytest.raises(NotAllowedError) as refused:
        accept_upload(lading.settings, ImportRequest(str(write_csv("Id", "a")), "things"))
    assert refused.value.rule == "database.not_granted"
    assert not lading.settings.uploads_path.exists()
    assert not warehouse.exists()
