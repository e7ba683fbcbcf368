from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy.exc import IntegrityError

from schemas.clock import utc_now
from schemas.drop import DropState
from schemas.errors import NotFoundError
from store.drops import (
    add_drop,
    end_drop,
    forget_drops,
    get_drop,
    known_drops,
    locked_drop,
    note_announced,
    refuse_drop,
    settled_drops,
    take_drop,
    unannounced_drops,
)
from store.jobs import get_job
from store.source_tables import Drop


@pytest.fixture
def new_drop(store):
    """Keeps a new drop and gives its id."""

    def make(file_name="a.csv"):
        drop = Drop(
            id=str(uuid4()),
            tenant="local",
            definition="things",
            folder="/in",
            file_name=file_name,
            path="/in/.claimed/x",
            size_bytes=1,
        )
        with store.write() as session:
            add_drop(session, drop)
            return drop.id

    return make


def _take(store, drop_id, job_id):
    with store.write() as session:
        take_drop(session, locked_drop(session, drop_id), job_id)


def _untold(store, told_before=None):
    with store.read() as session:
        return [drop.id for drop in unannounced_drops(session, told_before or utc_now(), 10)]


def _settled(store):
    with store.read() as session:
        return [drop.id for drop in settled_drops(session, 10)]


def test_a_claim_that_is_told_twice_is_kept_once(store, new_drop):
    drop_id = new_drop()
    with store.write() as session:
        again = get_drop(session, drop_id)
        add_drop(session, Drop(**again.model_dump() | {"file_name": "other.csv"}))
    with store.read() as session:
        assert known_drops(session, [drop_id, "nobody's"])[drop_id].file_name == "a.csv"


@pytest.mark.parametrize("drop_id", ["nobody's", "a\0b"])
def test_an_unknown_drop_is_not_found(store, drop_id):
    with store.read() as session, pytest.raises(NotFoundError, match="no dropped file"):
        get_drop(session, drop_id)


def test_what_prefect_was_never_told_of_comes_before_what_is_to_be_told_again(store, new_drop):
    told, untold = new_drop(), new_drop()
    with store.write() as session:
        note_announced(session, told, 7)
    assert _untold(store, utc_now() + timedelta(seconds=1)) == [untold, told]
    assert _untold(store, utc_now() - timedelta(minutes=1)) == [untold]
    with store.read() as session:
        drop = get_drop(session, told)
        assert (drop.announcements, drop.size_bytes) == (1, 7)


def test_a_drop_that_has_a_job_is_not_announced_and_waits_for_the_jobs_report(store, new_drop, new_job):
    drop_id, job_id = new_drop(), new_job()
    _take(store, drop_id, job_id)
    assert (_untold(store), _settled(store)) == ([], [])
    with store.write() as session:
        get_job(session, job_id).reported_at = utc_now()
    assert _settled(store) == [drop_id]


def test_a_job_has_one_drop(store, new_drop, new_job):
    job_id = new_job()
    _take(store, new_drop(), job_id)
    with pytest.raises(IntegrityError, match=r"(?i)unique"):
        _take(store, new_drop(), job_id)


def test_a_refused_drop_keeps_the_reason_and_is_to_be_moved(store, new_drop):
    drop_id = new_drop()
    with store.write() as session:
        refuse_drop(session, drop_id, "no such definition")
    assert (_untold(store), _settled(store)) == ([], [drop_id])
    with store.write() as session:
        assert get_drop(session, drop_id).reason == "no such definition"
        end_drop(session, drop_id, DropState.FAILED)
    assert _settled(store) == []


def test_a_drop_that_has_a_job_is_not_refused_any_more(store, new_drop, new_job):
    drop_id = new_drop()
    _take(store, drop_id, new_job())
    with store.write() as session:
        refuse_drop(session, drop_id, "too late")
    with store.read() as session:
        drop = get_drop(session, drop_id)
    assert (drop.state, drop.reason) == (DropState.TAKEN, None)


def test_drops_that_ended_long_ago_are_forgotten_and_others_stay(store, new_drop):
    old, waiting = new_drop(), new_drop()
    with store.write() as session:
        end_drop(session, old, DropState.DONE)
        forget_drops(session, utc_now() - timedelta(days=1))
        assert known_drops(session, [old]).keys() == {old}
        forget_drops(session, utc_now() + timedelta(seconds=1))
        assert known_drops(session, [old, waiting]).keys() == {waiting}
