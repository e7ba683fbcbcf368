import re

import pytest

from api.pages import attempts, visitor
from store.database import Store
from store.keys import revoke_key
from tests.api.conftest import running


@pytest.fixture
def service(settings):
    """A service of each test's own, because wrong tokens keep whoever is at the same address waiting."""
    with running(settings) as service:
        yield service


def test_whoever_has_a_key_signs_in_and_out_again(person):
    page = person.get("/ui")
    assert (page.status, page.path) == (200, "/ui")
    assert f"Key {person.key.key_id}" in page.text
    out = person.send("/ui/sign-out", page)
    assert out.path == "/ui/sign-in"
    assert person.get("/ui").path == "/ui/sign-in?next=%2Fui"


def test_the_address_of_the_service_leads_to_the_pages(stranger):
    for address in ("/", "/ui/"):
        assert stranger.get(address).path == "/ui/sign-in?next=%2Fui"


def test_the_cookie_of_a_session_is_kept_from_scripts_and_from_other_sites(stranger, service, tenant):
    fields = stranger.get("/ui/sign-in").fields
    answer = stranger.http.post(
        "/ui/sign-in", data={**fields, "token": service.key(tenant).token}, follow_redirects=False
    )
    assert (answer.status_code, answer.headers["Location"]) == (303, "/ui")
    cookie = next(c for c in answer.headers.get_list("Set-Cookie") if c.startswith("lading_session="))
    assert {"HttpOnly", "SameSite=strict", "Path=/ui", "Max-Age=43200"} <= set(cookie.split("; "))


def test_every_wrong_token_gets_the_same_answer(stranger, service, tenant):
    known = service.key(tenant)
    revoked = service.key(tenant)
    with Store.opened(service.settings) as store, store.write() as session:
        revoke_key(session, revoked.key_id)
    wrong = [f"{known.key_id}.wrong", "nothing", "0" * 16 + ".x", revoked.token, "", "x" * 5000, "é\u202e\0"]
    pages = [stranger.sign_in(token) for token in wrong]
    assert {page.status for page in pages} == {401}
    assert len({re.sub(r'value="[^"]*"', "", page.html) for page in pages}) == 1
    assert "That is no key's token" in pages[0].text


def test_too_many_wrong_tokens_have_to_wait_and_a_right_one_with_them(stranger, service, tenant):
    for _ in range(attempts.WRONG_TOKENS):
        assert stranger.sign_in("wrong").status == 401
    page = stranger.sign_in(service.key(tenant).token)
    assert page.status == 429
    assert re.search(r"Try again in \d+ seconds", page.text)


def test_attempts_are_forgotten_when_the_window_is_over(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(attempts.time, "monotonic", lambda: now[0])
    counted = attempts.Attempts()
    for _ in range(attempts.WRONG_TOKENS):
        assert counted.wait_seconds("a") == 0
        counted.note_wrong("a")
    assert counted.wait_seconds("a") == attempts.WINDOW_SECONDS
    assert counted.wait_seconds("b") == 0
    now[0] += attempts.WINDOW_SECONDS
    assert counted.wait_seconds("a") == 0


def test_no_more_addresses_are_remembered_than_fit_whether_or_not_their_tokens_were_wrong():
    counted = attempts.Attempts()
    for _ in range(attempts.WRONG_TOKENS):
        counted.note_wrong("a")
    for number in range(attempts.MOST_ADDRESSES):
        assert counted.wait_seconds(f"b{number}") == 0
    assert counted.wait_seconds("a") == 0


def test_signing_in_leads_to_where_one_wanted_to_go_and_never_to_another_host(stranger, service, tenant):
    token = service.key(tenant).token
    sent_on = stranger.get("/ui?file=x&state=failed")
    assert stranger.send("/ui/sign-in", sent_on, token=token).path == "/ui?file=x&state=failed"
    for elsewhere in ("https://evil.example/", "//evil.example", "/\\evil.example", "/uix", "/jobs"):
        stranger.http.cookies.clear()
        assert stranger.sign_in(token, next=elsewhere).path == "/ui"


def test_a_revoked_key_ends_its_session(person, service):
    with Store.opened(service.settings) as store, store.write() as session:
        revoke_key(session, person.key.key_id)
    assert person.get("/ui").path.startswith("/ui/sign-in")


def test_a_session_that_was_changed_or_is_too_old_is_none(person, monkeypatch):
    cookie = person.http.cookies["lading_session"]
    monkeypatch.setattr(visitor, "SESSION_SECONDS", -1)
    assert person.get("/ui").path.startswith("/ui/sign-in")
    monkeypatch.undo()
    person.http.cookies.clear()
    person.http.cookies.set("lading_session", cookie[:-2] + "AA", path="/ui")
    assert person.get("/ui").path.startswith("/ui/sign-in")


@pytest.mark.parametrize("token", ["", "forged", None])
def test_a_form_without_the_token_of_its_session_is_refused(person, visit, token):
    other = visit().get("/ui").fields["csrf"]
    page = person.send("/ui/sign-out", person.get("/ui"), csrf=other if token is None else token)
    assert page.status == 403
    assert "not one of this session" in page.text
    assert person.get("/ui").path == "/ui"


def test_signing_in_needs_the_form_of_this_browser(stranger, service, tenant):
    stolen = stranger.get("/ui/sign-in").fields["csrf"]
    stranger.http.cookies.clear()
    page = stranger.sign_in(service.key(tenant).token, csrf=stolen)
    assert (page.status, "takes no cookies" in page.text) == (403, True)


def test_a_form_that_is_too_large_is_refused_before_it_is_read_whole(stranger):
    answer = stranger.http.post("/ui/sign-in", data={"token": "x" * 20_000})
    assert answer.status_code == 413


def test_a_visit_that_comes_from_another_site_is_loaded_once_more_before_it_is_asked_to_sign_in(person):
    person.http.cookies.clear()
    page = person.http.get("/ui", headers={"Sec-Fetch-Site": "cross-site"})
    assert page.status_code == 200
    assert '<meta http-equiv="refresh" content="0">' in page.text
    assert "Set-Cookie" not in page.headers
