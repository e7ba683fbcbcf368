import pytest

from flows.pauses import LONGEST_SECONDS, Pauses


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test sets: its only element is the time."""
    clock = [1000.0]
    monkeypatch.setattr("flows.pauses.time.monotonic", lambda: clock[0])
    return clock


def test_a_job_that_never_failed_does_not_rest():
    assert not Pauses().is_resting("a")


@pytest.mark.usefixtures("clock")
def test_each_pause_is_twice_as_long_as_the_one_before_up_to_a_minute():
    pauses = Pauses()
    assert [pauses.rest("a") for _ in range(8)] == [1, 2, 4, 8, 16, 32, LONGEST_SECONDS, LONGEST_SECONDS]


def test_a_job_rests_for_as_long_as_was_said(clock):
    pauses = Pauses()
    seconds = pauses.rest("a")
    clock[0] += seconds - 0.001
    assert pauses.is_resting("a")
    clock[0] += 0.001
    assert not pauses.is_resting("a")


@pytest.mark.usefixtures("clock")
def test_a_job_that_came_to_its_end_is_forgotten_and_others_keep_their_pause():
    pauses = Pauses()
    pauses.rest("a")
    pauses.rest("a")
    pauses.rest("b")
    pauses.forget("a")
    assert not pauses.is_resting("a")
    assert pauses.is_resting("b")
    assert (pauses.rest("a"), pauses.rest("b")) == (1, 2)
