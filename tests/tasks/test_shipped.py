"""Definitions that come with the vendors are there from the first start, and then the operator's."""

import pytest

from connectors import known_connectors
from schemas.document import parse_definition
from schemas.principal import OPERATOR_TENANT
from store.database import Store
from store.definitions import get_definition, list_definitions, put_definition
from tasks.shipped import keep_shipped_definitions

SHIPPED = {name: text for each in known_connectors().values() for name, text in each.definitions.items()}


@pytest.fixture
def store(settings):
    with Store.opened(settings) as store:
        yield store


def kept(store):
    with store.read() as session:
        return {d.name: (d.version, d.definition) for d in list_definitions(session, OPERATOR_TENANT)}


def test_what_comes_with_the_vendors_is_kept_once(store):
    keep_shipped_definitions(store)
    keep_shipped_definitions(store)
    assert {"starmind-tags", "starmind-users"} <= SHIPPED.keys()
    assert kept(store) == {name: (1, parse_definition(text)) for name, text in SHIPPED.items()}


def test_a_definition_that_the_operator_changed_stays_as_it_is(store, make_definition):
    mine = make_definition(name="starmind-tags")
    with store.write() as session:
        put_definition(session, OPERATOR_TENANT, mine)
    keep_shipped_definitions(store)
    assert kept(store)["starmind-tags"] == (1, mine)
    assert kept(store)["starmind-users"][0] == 1


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_definition_has_the_name_under_which_it_is_shipped(name):
    assert parse_definition(SHIPPED[name]).name == name


def test_a_tenant_s_own_definition_does_not_keep_it_from_the_others(store, make_definition):
    with store.write() as session:
        put_definition(session, "acme", make_definition(name="starmind-tags"))
    keep_shipped_definitions(store)
    with store.read() as session:
        assert get_definition(session, OPERATOR_TENANT, "starmind-tags").definition.record == "starmind_tags"
