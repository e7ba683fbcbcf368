import pytest

from schemas.errors import FatalError, NotAllowedError, NotFoundError
from schemas.principal import Scope
from store.access_tables import ApiKey
from store.keys import add_key, list_keys, principal_of, principal_of_key, revoke_key


@pytest.fixture
def key(store):
    with store.write() as session:
        return add_key(session, "acme", [Scope.IMPORTS_READ], ["things"])


def test_a_key_lets_its_tenant_in_with_its_scopes_and_definitions(store, key):
    with store.read() as session:
        principal = principal_of(session, key.token)
    assert (principal.key_id, principal.tenant) == (key.key_id, "acme")
    assert principal.may(Scope.IMPORTS_READ)
    assert not principal.may(Scope.IMPORTS_CREATE)
    assert principal.may_use("things")
    assert not principal.may_use("others")


@pytest.mark.parametrize("tenant", ["", "Acme", "../acme", "a" * 64, "acme\n"])
def test_what_can_not_be_the_name_of_a_tenant_gets_no_key(store, tenant):
    with store.write() as session, pytest.raises(FatalError, match="can't be the name of a tenant"):
        add_key(session, tenant, [Scope.IMPORTS_READ])


def test_only_the_operator_has_keys_with_the_scope_admin(store):
    with store.write() as session, pytest.raises(NotAllowedError) as refused:
        add_key(session, "acme", [Scope.IMPORTS_READ, Scope.ADMIN])
    assert refused.value.rule == "scope.admin"


@pytest.mark.parametrize("token", ["a\0b", "\ud800.x", "x" * 100_000])
def test_text_that_is_no_token_lets_nobody_in(store, token):
    with store.read() as session:
        assert principal_of(session, token) is principal_of_key(session, token) is None


@pytest.mark.parametrize("change", [lambda t: t[:-1], lambda t: t + "x", lambda _: "", lambda t: t[:16]])
def test_what_is_nearly_the_token_lets_nobody_in(store, key, change):
    with store.read() as session:
        assert principal_of(session, change(key.token)) is None


def test_a_subscription_key_that_is_given_must_be_that_of_the_same_key(store, key):
    with store.write() as session:
        other = add_key(session, "acme", [Scope.IMPORTS_READ])
        assert principal_of(session, key.token, key.subscription_key) is not None
        assert principal_of(session, key.token, other.subscription_key) is None


def test_a_revoked_key_lets_nobody_in_any_more(store, key):
    with store.write() as session:
        revoked_at = revoke_key(session, key.key_id).revoked_at
        assert revoke_key(session, key.key_id).revoked_at == revoked_at
    with store.read() as session:
        assert principal_of(session, key.token) is None
        assert principal_of_key(session, key.key_id) is None


def test_a_key_that_is_not_there_cannot_be_revoked(store):
    with store.write() as session, pytest.raises(NotFoundError, match="lading keys list"):
        revoke_key(session, "nobody")


def test_the_store_keeps_no_secret_of_a_key(store, key):
    with store.read() as session:
        (kept,) = list_keys(session, "acme")
        values = " ".join(str(getattr(kept, name)) for name in ApiKey.model_fields)
    assert key.token not in values
    assert key.token.partition(".")[2] not in values
    assert key.subscription_key not in values


def test_the_operators_scope_includes_every_other(store):
    with store.write() as session:
        principal = principal_of(session, add_key(session, "local", [Scope.ADMIN]).token)
    assert all(principal.may(scope) for scope in Scope)
    assert principal.is_operator
