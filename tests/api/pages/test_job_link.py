import logging
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from api.pages import job_links
from schemas.clock import utc_now
from schemas.job_link import job_link
from schemas.signing import Purpose, signer_of


@pytest.fixture
def link_of(service):
    """Gives the address of a job's link, without its host."""

    def make(job_id, **changes):
        settings = service.settings.model_copy(update=changes)
        return job_link(settings, signer_of(settings), job_id)

    return make


def local(link):
    parts = urlsplit(link)
    return f"{parts.path}?{parts.query}"


def test_a_link_opens_the_page_of_its_job_without_a_key_and_sets_no_cookie(person, stranger, link_of):
    job_id = person.imported("march.csv")
    answer = stranger.http.get(local(link_of(job_id)))
    assert answer.status_code == 200
    assert "Finished: 3 rows, 1 created, 2 failed." in answer.text
    assert "Set-Cookie" not in answer.headers
    assert not stranger.http.cookies
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"


def test_what_the_page_of_a_link_leads_to_is_of_that_job_alone(person, stranger, link_of):
    job_id = person.imported("march.csv")
    page = stranger.get(local(link_of(job_id)))
    assert "A link to this import alone" in page.text
    for absent in ("csrf", "run-again", "/cancel", 'href="/ui"', person.key.key_id):
        assert absent not in page.html
    token = urlsplit(link_of(job_id)).query
    rows = stranger.http.get(f"/ui/jobs/{job_id}/failed-rows?{token}")
    assert (rows.status_code, rows.text.count("\n")) == (200, 3)
    assert stranger.http.get(f"/ui/jobs/{job_id}/progress?{token}").json()["state"] == "finished"


def test_a_link_opens_no_other_job_and_nothing_else(person, stranger, link_of):
    ours, other = person.imported("march.csv"), person.imported("april.csv", b"Id\n7\n")
    token = urlsplit(link_of(ours)).query
    for part in ("", "/progress", "/failed-rows"):
        assert stranger.get(f"/ui/jobs/{other}{part}?{token}").status == 404
    for path in ("/ui", "/ui/upload", "/ui/definitions"):
        assert stranger.get(f"{path}?{token}").path.startswith("/ui/sign-in")
    for action in ("cancel", "run-again"):
        answer = stranger.http.post(f"/ui/jobs/{ours}/{action}?{token}", data={}, follow_redirects=False)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/ui/sign-in")


def test_a_link_that_was_changed_or_made_for_something_else_opens_nothing(person, stranger, link_of, service):
    job_id = person.imported("march.csv")
    link = local(link_of(job_id))
    session = signer_of(service.settings).sign(Purpose.PAGE_SESSION, [job_id, 2**33])
    for wrong in (link[:-3] + "abc", f"/ui/jobs/{job_id}?token=", f"/ui/jobs/{job_id}?token={session}"):
        page = stranger.get(wrong)
        assert (page.status, "opens nothing" in page.text) == (404, True)


def test_a_link_is_over_after_the_days_that_the_settings_say(person, stranger, link_of, monkeypatch):
    job_id = person.imported("march.csv")
    link = local(link_of(job_id, link_days=2))
    monkeypatch.setattr(job_links, "utc_now", lambda: utc_now() + timedelta(days=1, hours=23))
    assert stranger.get(link).status == 200
    monkeypatch.setattr(job_links, "utc_now", lambda: utc_now() + timedelta(days=2, minutes=1))
    assert stranger.get(link).status == 404


def test_a_link_begins_with_the_public_url_and_never_with_what_a_request_says(person, link_of):
    job_id = person.upload("march.csv", b"Id\n1\n").path.rpartition("/")[2]
    assert link_of(job_id).startswith(f"http://127.0.0.1:8642/ui/jobs/{job_id}?token=")
    assert link_of(job_id, host="::1", port=99).startswith(f"http://[::1]:99/ui/jobs/{job_id}?token=")
    public = link_of(job_id, public_url="https://imports.example.org/")
    assert public.startswith(f"https://imports.example.org/ui/jobs/{job_id}?token=")
    page = person.http.get(f"/ui/jobs/{job_id}", headers={"Host": "evil.example"})
    assert "evil.example" not in page.text


def test_the_token_of_a_link_is_not_logged(person, stranger, link_of, caplog):
    caplog.set_level(logging.DEBUG)
    link = local(link_of(person.imported("march.csv")))
    caplog.clear()
    answer = stranger.http.get(link)
    assert answer.status_code == 200
    ours = [record.getMessage() for record in caplog.records if record.name.startswith(("lading", "uvicorn"))]
    assert any("GET /ui/jobs/" in line for line in ours)
    assert not any("token" in line for line in ours)
