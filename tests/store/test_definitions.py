import pytest

from schemas.errors import NotFoundError
from store.definitions import definition_of, get_definition, list_definitions, put_definition


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
