import pytest

from schemas.definition import Mode
from schemas.errors import DestinationError, NotFoundError
from store.access_tables import NamedDatabase
from store.databases import add_database
from store.definitions import (
    definition_of,
    get_definition,
    job_definition,
    list_definitions,
    put_definition,
    remove_definition,
)
from store.jobs import get_job


def test_a_change_makes_a_new_version_and_saying_the_same_again_does_not(store, make_definition):
    with store.write() as session:
        first = put_definition(session, "local", make_definition())
        again = put_definition(session, "local", make_definition())
        changed = put_definition(session, "local", make_definition(mode="update"))
        assert (first.version, again.version, changed.version) == (1, 1, 2)
        assert definition_of(session, first.id).definition == make_definition()
        assert get_definition(session, "local", "things").definition == make_definition(mode="update")
        assert get_definition(session, "local", "things", 1).definition == make_definition()
        with pytest.raises(NotFoundError, match="'things' with version 3"):
            get_definition(session, "local", "things", 3)


def test_tenants_do_not_see_each_others_definitions(store, make_definition):
    with store.write() as session:
        put_definition(session, "one", make_definition())
        with pytest.raises(NotFoundError, match="known: none yet"):
            get_definition(session, "two", "things")
        assert list_definitions(session, "two") == []


def test_an_unknown_name_is_answered_with_the_names_that_exist(store, make_definition):
    with store.write() as session:
        put_definition(session, "local", make_definition())
        with pytest.raises(NotFoundError, match="'thing'; known: things"):
            get_definition(session, "local", "thing")


def test_the_operators_definitions_are_there_for_everybody_but_ones_own_goes_first(store, make_definition):
    with store.write() as session:
        put_definition(session, "local", make_definition())
        put_definition(session, "local", make_definition(mode="update"))
        put_definition(session, "local", make_definition(name="shared"))
        assert get_definition(session, "acme", "things").version == 2
        own = put_definition(session, "acme", make_definition(mode="insert"))
        assert (own.tenant, own.version) == ("acme", 1)
        assert get_definition(session, "acme", "things").definition.mode == "insert"
        assert get_definition(session, "local", "things").definition.mode == "update"
        seen = [(d.name, d.tenant, d.version) for d in list_definitions(session, "acme")]
        assert seen == [("shared", "local", 1), ("things", "acme", 1)]
        with pytest.raises(NotFoundError, match="'things' with version 2"):
            get_definition(session, "acme", "things", 2)


def test_a_definition_that_is_taken_back_stays_with_its_jobs_and_its_numbers_are_not_given_again(
    store, new_job, make_definition
):
    job_id = new_job()
    with store.write() as session:
        remove_definition(session, "local", "things")
        with pytest.raises(NotFoundError, match="known: none yet"):
            get_definition(session, "local", "things")
        with pytest.raises(NotFoundError):
            get_definition(session, "local", "things", 1)
        assert list_definitions(session, "local") == []
        job = get_job(session, job_id)
        assert job_definition(session, job) == definition_of(session, job.definition_id).definition
        assert put_definition(session, "local", make_definition()).version == 2


def test_only_ones_own_definition_can_be_taken_back(store, make_definition):
    with store.write() as session:
        put_definition(session, "local", make_definition())
        put_definition(session, "acme", make_definition(mode="update"))
        remove_definition(session, "acme", "things")
        assert get_definition(session, "acme", "things").tenant == "local"
        for name in ("things", "nothing", "a\0b", "\ud800"):
            with pytest.raises(NotFoundError, match=r"'acme' has no definition named .* of its own"):
                remove_definition(session, "acme", name)


@pytest.mark.parametrize("name", ["", "a\0b", "\ud800", "Things", "%"])
def test_text_that_is_no_name_is_no_definition(store, make_definition, name):
    with store.write() as session:
        put_definition(session, "local", make_definition())
        with pytest.raises(NotFoundError, match="known: things"):
            get_definition(session, "local", name)


def test_a_job_runs_its_version_in_its_mode_at_the_database_that_the_name_means(
    store, new_job, make_definition
):
    job_id = new_job()
    there = make_definition(destination={"database": "warehouse", "table": "things"})
    with store.write() as session:
        add_database(session, "warehouse", "postgresql://u@db.example/w", "env:W")
        job = get_job(session, job_id)
        job.definition_id = put_definition(session, "local", there).id
        job.mode = Mode.INSERT
        put_definition(session, "local", make_definition())
        definition = job_definition(session, job)
    assert definition.mode is Mode.INSERT
    assert definition.destination.database == "postgresql://u@db.example/w"
    assert definition.destination.password == "env:W"
    with store.write() as session:
        session.delete(session.get_one(NamedDatabase, "warehouse"))
    with (
        store.read() as session,
        pytest.raises(DestinationError, match=r"'warehouse' that job .* `lading databases add`"),
    ):
        job_definition(session, job)
