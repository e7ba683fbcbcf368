import pytest
from pydantic import ValidationError

from schemas.authority import refuse_webhooks_beyond
from schemas.definition import Definition
from schemas.errors import DefinitionError, FatalError, NotAllowedError
from schemas.secret_key import Seal
from schemas.webhook import MASK, Webhook, signing_key
from schemas.webhook_secrets import masked, opened_key, sealed

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"


def seal():
    return Seal("k" * 40, "acme")


@pytest.fixture
def with_hooks(make_definition):
    """Makes a definition with webhooks of these (url, secret) pairs."""

    def make(*hooks: tuple[str, str]) -> Definition:
        return make_definition(webhooks=[{"url": url, "secret": secret} for url, secret in hooks])

    return make


def secrets(definition):
    return [opened_key(hook.secret, seal) for hook in definition.webhooks]


def test_a_secret_is_stored_sealed_and_shown_as_a_mask(with_hooks):
    stored = sealed(with_hooks(("https://a.example/x", SECRET)), None, seal)
    assert SECRET not in stored.model_dump_json()
    assert secrets(stored) == [signing_key(SECRET)]
    assert masked(stored).webhooks[0].secret == MASK
    assert stored.webhooks[0].secret not in masked(stored).model_dump_json()


def test_a_definition_that_did_not_change_stays_as_it_is_stored(with_hooks):
    stored = sealed(with_hooks(("https://a.example/", SECRET)), None, seal)
    assert sealed(with_hooks(("https://a.example/", SECRET)), stored, seal) == stored
    assert sealed(masked(stored), stored, seal) == stored


def test_a_mask_keeps_the_secret_of_the_same_url_else_of_the_same_place(with_hooks):
    stored = sealed(with_hooks(("https://a.example/", SECRET), ("https://b.example/", OTHER)), None, seal)
    turned = sealed(with_hooks(("https://b.example/", MASK), ("https://a.example/", MASK)), stored, seal)
    assert secrets(turned) == [signing_key(OTHER), signing_key(SECRET)]
    moved = sealed(with_hooks(("https://a.example/", MASK), ("https://new.example/", MASK)), stored, seal)
    assert secrets(moved) == [signing_key(SECRET), signing_key(OTHER)]


def test_a_mask_keeps_a_reference_of_the_operators_at_its_own_address_only(with_hooks):
    stored = sealed(with_hooks(("https://a.example/", "env:HOOK_SECRET")), None, seal)
    assert sealed(masked(stored), stored, seal) == stored
    with pytest.raises(DefinitionError, match="stands for no secret yet"):
        sealed(with_hooks(("https://mine.example/", MASK)), stored, seal)


def test_a_new_secret_takes_the_place_of_the_old_one(with_hooks):
    stored = sealed(with_hooks(("https://a.example/", SECRET)), None, seal)
    assert secrets(sealed(with_hooks(("https://a.example/", OTHER)), stored, seal)) == [signing_key(OTHER)]


def test_a_mask_that_stands_for_nothing_and_a_seal_from_outside_are_refused(with_hooks):
    with pytest.raises(DefinitionError, match=r"webhooks\.0\.secret: the mask"):
        sealed(with_hooks(("https://a.example/", MASK)), None, seal)
    from_outside = "sealed:" + seal().close(SECRET)
    with pytest.raises(DefinitionError, match=r"webhooks\.0\.secret: a sealed secret"):
        sealed(with_hooks(("https://a.example/", from_outside)), None, seal)


def test_a_reference_is_kept_and_shown_and_read_where_it_is_used(with_hooks, monkeypatch):
    stored = sealed(with_hooks(("http://localhost/", "env:HOOK")), None, seal)
    assert masked(stored).webhooks[0].secret == "env:HOOK"
    monkeypatch.setenv("HOOK", SECRET)
    assert secrets(stored) == [signing_key(SECRET)]
    monkeypatch.setenv("HOOK", "short")
    with pytest.raises(FatalError, match="HOOK holds no secret"):
        secrets(stored)
    monkeypatch.delenv("HOOK")
    with pytest.raises(FatalError, match="HOOK, a webhook's secret, is not set"):
        secrets(stored)


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "ftp://a.example/"},
        {"url": "https://"},
        {"url": "https://me:word@a.example/"},
        {"url": "https://a.example/#there"},
        {"secret": "password"},
        {"secret": "whsec_" + "A" * 20},
        {"secret": "whsec_not base64"},
        {"events": []},
        {"events": ["created", "created"]},
        {"events": ["deleted"]},
    ],
    ids=str,
)
def test_a_webhook_that_can_not_be_told_is_refused_and_its_secret_not_repeated(wrong):
    hook = {"url": "https://a.example/", "secret": SECRET} | wrong
    with pytest.raises(ValidationError) as refused:
        Webhook.model_validate(hook)
    assert hook["secret"] not in str(refused.value)


def test_a_tenant_names_https_addresses_and_secrets_of_its_own_only(with_hooks):
    refuse_webhooks_beyond(False, with_hooks(("https://a.example/", SECRET)))
    refuse_webhooks_beyond(True, with_hooks(("http://localhost/", "env:HOOK")))
    for hook, rule in (
        (("http://a.example/", SECRET), "webhook.url"),
        (("https://a.example/", "env:HOOK"), "secret.reference"),
    ):
        with pytest.raises(NotAllowedError) as refused:
            refuse_webhooks_beyond(False, with_hooks(hook))
        assert refused.value.rule == rule
