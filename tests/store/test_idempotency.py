"""A name of the client's own stands for one request and its job, for as long as its time is not over."""

from datetime import timedelta

import pytest

from schemas.clock import utc_now
from schemas.errors import BodyError, IdempotencyConflictError
from store import retention
from store.access_tables import IdempotencyKey
from store.idempotency import job_asked_for, refuse_no_key, remember_job


@pytest.fixture
def days_later(monkeypatch):
    """Moves the clock of this module by so many days."""

    def move(days):
        later = utc_now() + timedelta(days=days)
        monkeypatch.setattr("store.idempotency.utc_now", lambda: later)
        return later

    return move


def test_a_name_gives_the_job_again_and_refuses_another_request(store, new_job):
    job_id = new_job()
    with store.write() as session:
        assert job_asked_for(session, "acme", "mine", "one") is None
        remember_job(session, "acme", "mine", "one", job_id, days=7)
    with store.write() as session:
        assert job_asked_for(session, "acme", "mine", "one") == job_id
        assert job_asked_for(session, "other", "mine", "two") is None
        with pytest.raises(IdempotencyConflictError, match="'mine' was used for another request"):
            job_asked_for(session, "acme", "mine", "two")


def test_a_name_may_be_used_anew_when_its_time_is_over(store, new_job, days_later):
    first, second = new_job(), new_job("others")
    with store.write() as session:
        remember_job(session, "acme", "mine", "one", first, days=7)
    days_later(6.9)
    with store.write() as session, pytest.raises(IdempotencyConflictError):
        job_asked_for(session, "acme", "mine", "two")
    days_later(7.1)
    with store.write() as session:
        assert job_asked_for(session, "acme", "mine", "two") is None
        remember_job(session, "acme", "mine", "two", second, days=7)
        assert job_asked_for(session, "acme", "mine", "two") == second


def test_names_whose_time_is_over_are_forgotten_and_the_others_stay(store, new_job):
    job_id = new_job()
    with store.write() as session:
        remember_job(session, "acme", "old", "one", job_id, days=1)
        remember_job(session, "acme", "new", "one", job_id, days=3)
        retention.forget_idempotency_keys(session, utc_now() + timedelta(days=2))
    with store.read() as session:
        assert session.get(IdempotencyKey, ("acme", "old")) is None
        assert session.get(IdempotencyKey, ("acme", "new")).job_id == job_id


@pytest.mark.parametrize("name", ["", "x" * 256, "a\0b", "\ud800"])
def test_what_can_not_be_a_name_is_refused(name):
    refuse_no_key("x" * 255)
    with pytest.raises(BodyError, match="1 to 255 characters"):
        refuse_no_key(name)
