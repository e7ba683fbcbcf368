import subprocess
import sys
from datetime import timedelta

import pytest

from schemas.clock import utc_now
from schemas.errors import ConflictError
from store.jobs import get_job, set_values
from store.leases import _started, held_lease, is_free, take_lease, this_process


def test_a_held_job_is_refused_to_others_until_it_is_released(store, settings, new_job):
    job_id = new_job()
    with held_lease(store, settings, job_id) as epoch:
        assert epoch == 1
        with store.write() as session:
            assert get_job(session, job_id).lease_owner == this_process()
            with pytest.raises(ConflictError):
                take_lease(session, job_id, 30)
    with store.write() as session:
        assert is_free(session, get_job(session, job_id))
        assert take_lease(session, job_id, 30) == 2


def test_a_lease_that_ran_out_is_free(store, new_job):
    job_id = new_job()
    with store.write() as session:
        take_lease(session, job_id, 30)
        set_values(session, job_id, epoch=1, lease_expires_at=utc_now() - timedelta(seconds=1))
        assert is_free(session, get_job(session, job_id))
        assert take_lease(session, job_id, 30) == 2


def test_the_lease_of_a_local_process_that_is_gone_is_free_at_once(store, new_job):
    job_id = new_job()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        owner = this_process() | {"pid": child.pid, "started": _started(child.pid)}
        with store.write() as session:
            take_lease(session, job_id, 3600)
            set_values(session, job_id, epoch=1, lease_owner=owner)
            assert not is_free(session, get_job(session, job_id))
        child.kill()
    with store.read() as session:
        assert is_free(session, get_job(session, job_id))


def test_a_process_that_only_has_the_number_of_the_holder_does_not_hold(store, new_job):
    job_id = new_job()
    with store.write() as session:
        take_lease(session, job_id, 3600)
        set_values(session, job_id, epoch=1, lease_owner=this_process() | {"started": "another time"})
        assert is_free(session, get_job(session, job_id))


def test_a_process_of_another_machine_holds_until_its_lease_runs_out(store, new_job):
    """Even of one with our name, where the number of the process is nobody's, or somebody else's, here."""
    job_id = new_job()
    owner = this_process() | {"machine": "another with the same name", "started": "another time"}
    with store.write() as session:
        take_lease(session, job_id, 3600)
        set_values(session, job_id, epoch=1, lease_owner=owner)
        assert not is_free(session, get_job(session, job_id))


def test_a_lease_is_renewed_for_as_long_as_it_is_held(store, settings, new_job):
    job_id = new_job()
    short = settings.model_copy(update={"lease_seconds": 0.3})
    with held_lease(store, short, job_id):
        first = expiry = _expiry(store, job_id)
        while expiry == first:
            expiry = _expiry(store, job_id)
    assert expiry > first


def _expiry(store, job_id):
    with store.read() as session:
        return get_job(session, job_id).lease_expires_at
