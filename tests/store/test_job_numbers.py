"""Numbers of jobs for clients whose ids are numbers."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from schemas.errors import NotFoundError
from store.job_numbers import give_numbers, job_numbered, numbers_of


def test_a_job_keeps_its_number_and_no_two_have_the_same(store, new_job):
    first, second = new_job(), new_job("others")
    with store.write() as session:
        given = give_numbers(session, [first])
    with store.write() as session:
        both = give_numbers(session, [first, second])
    assert both == {first: given[first], second: both[second]}
    assert 0 < both[first] < both[second]
    with store.read() as session:
        assert numbers_of(session, [first, second, "none"]) == both


def test_whoever_gives_numbers_at_the_same_time_gives_the_same(store, new_job):
    jobs = [new_job(f"things_{number}") for number in range(4)]

    def give(_):
        with store.write() as session:
            return give_numbers(session, jobs)

    with ThreadPoolExecutor(8) as pool:
        given = list(pool.map(give, range(8)))
    assert given == [given[0]] * 8
    assert len(set(given[0].values())) == 4


def test_a_number_leads_to_the_job_for_its_tenant_alone(store, new_job):
    job_id = new_job()
    with store.write() as session:
        number = give_numbers(session, [job_id])[job_id]
    with store.read() as session:
        assert job_numbered(session, "local", number).id == job_id
        assert job_numbered(session, "local", number, frozenset({"things"})).id == job_id
        for tenant, definitions in (("acme", None), ("local", frozenset({"others"}))):
            with pytest.raises(NotFoundError, match=f"no job with the number {number}$"):
                job_numbered(session, tenant, number, definitions)


@pytest.mark.parametrize("number", [-1, 0, 7, 2**31, 2**70])
def test_a_number_that_was_never_given_leads_nowhere(store, number):
    with store.read() as session, pytest.raises(NotFoundError, match=f"number {number}$"):
        job_numbered(session, "local", number)
