"""A chunk counts once, whoever repeats it, whoever is too late, and wherever it is interrupted."""

import threading
import time

import pytest

from schemas.errors import DestinationError, LeaseLostError, StoreBusyError

ROWS = [{"id": str(n), "n": n} for n in range(3_000)]


@pytest.fixture
def definition(lab):
    return lab.define("id", "n:integer")


@pytest.fixture
def destination(lab, definition):
    return _started(lab, definition)


def _started(lab, definition):
    opened = lab.open(definition)
    opened.prepare(definition)
    opened.begin("job", 1)
    return opened


def test_replay_of_a_committed_chunk_changes_nothing(lab, definition, destination):
    chunks = lab.chunks(definition, ROWS)
    destination.load("job", 1, definition, chunks[:2])
    before = list(destination.pages("job"))
    lab.sql("UPDATE things SET n = -1 WHERE id = '5'")
    destination.load("job", 1, definition, chunks[:2])
    assert list(destination.pages("job")) == before
    assert lab.sql("SELECT n FROM things WHERE id = '5'") == [(-1,)]


def test_load_of_old_and_new_chunks_applies_the_new_ones(lab, definition, destination):
    chunks = lab.chunks(definition, ROWS)
    destination.load("job", 1, definition, [chunks[1]])
    assert destination.committed_chunks("job") == {1}
    destination.load("job", 1, definition, chunks)
    assert destination.committed_chunks("job") == {0, 1, 2}
    assert [p.letters for p in destination.pages("job")] == ["C" * 1_000] * 3


def test_two_jobs_do_not_share_their_pages(lab, definition, destination):
    chunks = lab.chunks(definition, ROWS[:3])
    destination.load("job", 1, definition, chunks)
    destination.begin("other", 1)
    assert destination.committed_chunks("other") == frozenset()
    destination.load("other", 1, definition, chunks)
    assert [p.letters for p in destination.pages("other")] == ["NNN"]


class Interrupter:
    """Breaks a connection's work off at the n-th of its steps (0: never), and counts them."""

    def __init__(self, destination, at=0):
        self.steps, self.at = 0, at
        destination._connection.set_progress_handler(self, 10)

    def __call__(self):
        self.steps += 1
        return self.steps == self.at


@pytest.mark.parametrize("part", [0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99])
def test_load_that_is_broken_off_leaves_nothing_behind(sqlite, part):
    definition = sqlite.define("id", "n:integer")
    destination = _started(sqlite, definition)
    chunks = sqlite.chunks(definition, ROWS)
    twin = sqlite.define("id", "n:integer", table="twin")
    destination.prepare(twin)
    whole = Interrupter(destination)
    destination.load("job", 1, twin, chunks[:2])
    destination.seal("job", 1)
    destination.begin("next", 1)
    Interrupter(destination, at=int(part * whole.steps) + 1)
    with pytest.raises(DestinationError, match="interrupted"):
        destination.load("next", 1, definition, chunks)
    Interrupter(destination)
    assert sqlite.sql("SELECT count(*) FROM things") == [(0,)]
    assert destination.committed_chunks("next") == frozenset()
    destination.load("next", 1, definition, chunks)
    assert sqlite.sql("SELECT count(*) FROM things") == [(3_000,)]


def test_connection_that_goes_away_before_the_commit_leaves_nothing_behind(sqlite):
    definition = sqlite.define("id", "n:integer")
    destination = _started(sqlite, definition)
    chunks = sqlite.chunks(definition, ROWS)
    with destination._transaction():
        destination._books.check_fence("job", 1)
        destination._apply("job", definition, chunks, commit_refused=False)
        assert sqlite.sql("SELECT count(*) FROM lading_pages") == [(0,)]
        destination._connection.close()
        assert sqlite.sql("SELECT (SELECT count(*) FROM things) + (SELECT count(*) FROM lading_pages)") == [
            (0,)
        ]
        destination._connection = sqlite.open(definition)._connection
        destination._connection.execute("BEGIN IMMEDIATE")


def test_worker_of_an_earlier_epoch_commits_nothing(lab, definition, destination):
    chunks = lab.chunks(definition, ROWS)
    lab.open(definition).begin("job", 2)
    with pytest.raises(LeaseLostError, match="epoch 2"):
        destination.load("job", 1, definition, chunks)
    with pytest.raises(LeaseLostError, match="epoch 2"):
        destination.begin("job", 1)
    destination.begin("job", 2)
    assert lab.sql("SELECT count(*) FROM things") == [(0,)]


def test_sealed_job_takes_nothing_more_but_shows_its_pages(lab, definition, destination):
    chunks = lab.chunks(definition, ROWS)
    destination.load("job", 1, definition, chunks[:1])
    destination.seal("job", 1)
    destination.seal("job", 1)
    with pytest.raises(LeaseLostError, match="sealed"):
        destination.load("job", 1, definition, chunks[1:])
    with pytest.raises(LeaseLostError, match="sealed"):
        destination.begin("job", 9)
    assert [p.chunk for p in destination.pages("job")] == [0]
    assert lab.sql("SELECT count(*) FROM things") == [(1_000,)]


def test_worker_of_an_earlier_epoch_seals_nothing(lab, definition, destination):
    lab.open(definition).begin("job", 2)
    with pytest.raises(LeaseLostError, match="not sealed by epoch 1"):
        destination.seal("job", 1)
    destination.load("job", 2, definition, lab.chunks(definition, ROWS[:1]))
    assert lab.sql("SELECT count(*) FROM things") == [(1,)]


def test_seal_before_the_first_begin_keeps_the_job_out(lab, definition):
    destination = lab.open(definition)
    destination.seal("cancelled", 1)
    with pytest.raises(LeaseLostError, match="sealed"):
        destination.begin("cancelled", 1)


def test_job_that_was_never_begun_commits_nothing(lab, definition, destination):
    with pytest.raises(LeaseLostError, match="never begun"):
        destination.load("stranger", 1, definition, lab.chunks(definition, ROWS[:1]))


def test_destination_that_was_never_written_has_no_pages(lab, definition):
    destination = lab.open(definition)
    assert destination.committed_chunks("job") == frozenset()
    assert list(destination.pages("job")) == []


def test_pages_beyond_the_first_hundred_come_in_order(lab, definition, destination):
    chunks = lab.chunks(definition, ROWS[:1])
    many = [type(chunks[0])(n, chunks[0].frame) for n in reversed(range(250))]
    destination.load("job", 1, definition, many)
    assert [p.chunk for p in destination.pages("job")] == list(range(250))


def test_second_writer_waits_for_the_first(lab, definition, destination):
    other = lab.open(definition)
    other.begin("other", 1)
    with lab.holding(destination, definition):
        thread = threading.Thread(
            target=other.load, args=("other", 1, definition, lab.chunks(definition, ROWS))
        )
        thread.start()
        time.sleep(0.2)
        assert thread.is_alive()
    thread.join(20)
    assert other.committed_chunks("other") == {0, 1, 2}


def test_writer_that_waits_too_long_is_told_to_come_again(lab, definition, destination):
    hasty = lab.open(definition, busy_timeout_seconds=0.05)
    hasty.begin("other", 1)
    with lab.holding(destination, definition), pytest.raises(StoreBusyError, match="try again"):
        hasty.load("other", 1, definition, lab.chunks(definition, ROWS))
    with destination._transaction():
        destination._books.check_fence("job", 1)
        with pytest.raises(StoreBusyError, match="try again"):
            hasty.seal("job", 1)


def test_reader_sees_only_whole_loads(lab, definition, destination):
    chunks = lab.chunks(definition, ROWS)
    with destination._transaction():
        destination._apply("job", definition, chunks, commit_refused=False)
        assert lab.open(definition).committed_chunks("job") == frozenset()
    assert lab.open(definition).committed_chunks("job") == {0, 1, 2}
