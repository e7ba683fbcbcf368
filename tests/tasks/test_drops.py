"""Dropped files from the folder to the job and back, without Prefect: what it does is called here."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlmodel import select

from flows.lifecycle import bring_to_end, directly
from schemas.drop import CLAIMED_FOLDER, DropState
from schemas.errors import FatalError, NotFoundError, RetriableError
from schemas.job import JobState
from schemas.settings import Settings
from store.database import Store
from store.definitions import remove_definition
from store.drops import get_drop
from store.source_tables import Drop
from tasks import claiming, settling
from tasks.dropped_upload import accept_drop
from tasks.drops import Drops
from tasks.settling import settle

GOOD = "Id,Name,Amount\na,x,1\nb,y,2\n"
HALF = "Id,Name,Amount\na,x,1\nb,y,-2\n"
BAD = "Nothing,Of,That\n1,2,3\n"


class Dropping:
    """A home with a definition, its inbox, and the watcher."""

    def __init__(self, lading, store) -> None:
        self.lading, self.store = lading, store
        self.drops = Drops(lading.settings, store)
        self.drops.ask_definitions()
        self.inbox = lading.settings.inbox_path / "things"

    def put(self, text=GOOD, name="a.csv"):
        (self.inbox / name).write_text(text)

    def claim(self):
        """Look until what is there is whole; gives all drops, the first claimed first."""
        self.drops.look()
        self.drops.look()
        return self.all()

    def all(self):
        with self.store.read() as session:
            return session.exec(select(Drop).order_by(Drop.claimed_at)).all()

    def drop(self, drop_id):
        with self.store.read() as session:
            return get_drop(session, drop_id)

    def run(self, drop_id, **how):
        """Import the file of the drop; gives the id of its job."""
        job_id = accept_drop(self.lading.settings, drop_id, **how).job_id
        bring_to_end(directly, self.lading.settings, job_id)
        return job_id

    def names(self, below="."):
        """What lies there, hidden things too."""
        folder = self.inbox / below
        return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def dropping(lading, make_definition):
    lading.settings = lading.settings.model_copy(update={"inbox_stable_seconds": 1e-9})
    lading.apply(make_definition())
    with Store.opened(lading.settings) as store:
        yield Dropping(lading, store)


def test_a_dropped_file_is_claimed_imported_and_moved_to_done(dropping):
    dropping.put()
    (drop,) = dropping.claim()
    assert dropping.names() == [f"{CLAIMED_FOLDER}/local.things.{drop.id}/a.csv"]
    assert (drop.tenant, drop.definition, drop.file_name, drop.size_bytes) == (
        "local",
        "things",
        "a.csv",
        len(GOOD),
    )
    job = dropping.lading.job(dropping.run(drop.id))
    assert (job.state, job.created, job.creation_path) == (JobState.FINISHED, 2, "DROP")
    dropping.drops.settle_ended()
    assert dropping.names() == ["done/a.csv"]
    assert (dropping.inbox / "done" / "a.csv").read_text() == GOOD
    assert dropping.drop(drop.id).state is DropState.DONE


def test_a_file_with_failed_rows_is_done_with_these_rows_and_the_reasons_beside(dropping):
    dropping.put(HALF)
    (drop,) = dropping.claim()
    dropping.run(drop.id)
    dropping.drops.settle_ended()
    assert dropping.names("done") == ["a.csv", "a.csv.failed-rows.csv", "a.csv.reasons.md"]
    rows = (dropping.inbox / "done" / "a.csv.failed-rows.csv").read_text()
    assert "b,y,-2" in rows
    assert "a,x,1" not in rows
    assert "| failed | 1 |" in (dropping.inbox / "done" / "a.csv.reasons.md").read_text()


def test_a_refused_file_is_failed_with_the_reasons_beside(dropping):
    dropping.put(BAD)
    (drop,) = dropping.claim()
    assert dropping.lading.job(dropping.run(drop.id)).state is JobState.INVALID
    dropping.drops.settle_ended()
    assert dropping.names() == ["failed/a.csv", "failed/a.csv.reasons.md"]
    reasons = (dropping.inbox / "failed" / "a.csv.reasons.md").read_text()
    assert reasons.startswith("# a.csv: invalid")
    assert "Id" in reasons
    assert dropping.drop(drop.id).state is DropState.FAILED


def test_a_file_of_which_no_job_can_be_made_is_failed_and_says_why(dropping):
    dropping.put()
    (drop,) = dropping.claim()
    with dropping.store.write() as session:
        remove_definition(session, "local", "things")
    with pytest.raises(NotFoundError):
        accept_drop(dropping.lading.settings, drop.id)
    with pytest.raises(FatalError):
        accept_drop(dropping.lading.settings, drop.id)
    dropping.drops.settle_ended()
    assert dropping.names() == ["failed/a.csv", "failed/a.csv.reasons.md"]
    assert "no definition named 'things'" in (dropping.inbox / "failed" / "a.csv.reasons.md").read_text()


def test_a_drop_becomes_one_job_however_often_prefect_starts_runs(dropping):
    dropping.put()
    (drop,) = dropping.claim()
    with ThreadPoolExecutor(4) as threads:
        accepted = list(threads.map(lambda _: accept_drop(dropping.lading.settings, drop.id), range(8)))
    assert len({made.job_id for made in accepted}) == 1
    assert sum(made.is_new for made in accepted) == 1
    again = accept_drop(dropping.lading.settings, drop.id)
    assert (again.job_id, again.is_new) == (accepted[0].job_id, False)


def test_the_same_content_dropped_again_runs_again_and_overwrites_nothing(dropping):
    jobs = []
    for _ in range(3):
        dropping.put()
        drop = dropping.claim()[-1]
        jobs.append(dropping.run(drop.id))
        dropping.drops.settle_ended()
    assert len(set(jobs)) == 3
    assert [dropping.lading.job(job_id).unchanged for job_id in jobs] == [0, 2, 2]
    names = dropping.names("done")
    assert [name for name in names if name == "a.csv"] == ["a.csv"]
    assert sorted(names) == sorted({"a.csv", *(f"a.{drop.id[:8]}.csv" for drop in dropping.all()[1:])})


def test_a_drop_is_never_the_resumption_of_another(dropping):
    dropping.put(name="a.csv")
    dropping.put(name="b.csv")
    first, second = dropping.claim()
    settings = dropping.lading.settings
    assert accept_drop(settings, first.id).job_id != accept_drop(settings, second.id).job_id


def test_a_file_that_was_written_on_after_it_was_claimed_is_imported_when_it_is_whole(dropping):
    dropping.put()
    (drop,) = dropping.claim()
    path = claiming.claimed_file(drop)
    with path.open("a") as file:
        file.write("c,z,3\n")
        file.flush()
        with pytest.raises(RetriableError, match="somebody writes"):
            accept_drop(dropping.lading.settings, drop.id)
    assert dropping.drop(drop.id).state is DropState.WAITING


def test_what_a_process_claimed_that_died_before_it_told_the_store_is_found(dropping, monkeypatch):
    def dies(*_):
        raise KeyboardInterrupt

    dropping.put()
    with monkeypatch.context() as patched:
        patched.setattr(claiming, "add_drop", dies)
        with pytest.raises(KeyboardInterrupt):
            dropping.drops.look()
    assert dropping.all() == []
    (drop,) = dropping.claim()
    assert dropping.names() == [f"{CLAIMED_FOLDER}/local.things.{drop.id}/a.csv"]
    assert dropping.lading.job(dropping.run(drop.id)).created == 2


@pytest.mark.parametrize("dies_at", ["_draft", "_put", "end_drop"])
def test_a_move_that_was_interrupted_is_completed_under_the_same_names(dropping, monkeypatch, dies_at):
    real, calls = getattr(settling, dies_at), []

    def dies(*arguments):
        calls.append(arguments)
        if len(calls) == 2 or dies_at == "end_drop":
            raise KeyboardInterrupt
        return real(*arguments)

    dropping.put(HALF)
    (drop,) = dropping.claim()
    dropping.run(drop.id)
    with monkeypatch.context() as patched:
        patched.setattr(settling, dies_at, dies)
        with pytest.raises(KeyboardInterrupt):
            settle(dropping.lading.settings, dropping.store, drop)
    dropping.drops.settle_ended()
    assert dropping.names() == ["done/a.csv", "done/a.csv.failed-rows.csv", "done/a.csv.reasons.md"]


def test_a_file_that_somebody_took_away_ends_its_drop(dropping):
    dropping.put()
    (drop,) = dropping.claim()
    dropping.run(drop.id)
    claiming.claimed_file(drop).unlink()
    dropping.drops.settle_ended()
    assert dropping.drop(drop.id).state is DropState.DONE
    assert dropping.names() == []


def test_a_folder_that_can_not_be_watched_does_not_keep_others_from_it(
    dropping, make_definition, tmp_path, caplog
):
    there = tmp_path / "there"
    there.mkdir()
    watch = [{"folder": str(tmp_path / "nowhere")}, {"folder": str(there), "pattern": "*.csv"}]
    dropping.lading.apply(make_definition(name="watching", watch=watch))
    dropping.drops.ask_definitions()
    for name in ("a.csv", "a.txt"):
        (there / name).write_text(GOOD)
    (drop,) = dropping.claim()
    assert (drop.definition, drop.folder, drop.file_name) == ("watching", str(there), "a.csv")
    assert (there / "a.txt").exists()
    assert not (tmp_path / "nowhere").exists()
    said = [record.message for record in caplog.records if "nowhere" in record.message]
    assert said == [f"{tmp_path / 'nowhere'} can't be watched: No such file or directory"]


def test_a_name_that_is_no_text_and_one_as_long_as_can_be_come_through(dropping):
    names = [os.fsdecode(b"a\xff.csv"), f"{'ä' * 125}.csv"]
    for name in names:
        dropping.put(HALF, name)
    for drop in dropping.claim():
        dropping.run(drop.id)
    dropping.drops.settle_ended()
    moved = {path.name for path in (dropping.inbox / "done").iterdir()}
    assert len(moved) == 6
    assert names[0] in moved


def test_only_the_operators_definitions_have_an_inbox(lading, make_definition):
    lading.apply(make_definition())
    with Store.opened(lading.settings) as store:
        acme = Drops(lading.settings.model_copy(update={"tenant": "acme"}), store)
        acme.ask_definitions()
        assert acme.folders == []
        ours = Drops(lading.settings, store)
        ours.ask_definitions()
    assert [folder.path for folder in ours.folders] == [lading.settings.home / "inbox" / "things"]


def test_two_watchers_in_processes_of_their_own_claim_each_file_once(dropping):
    number = 150
    command = [sys.executable, "-m", "tests.tasks.dropping_child", str(dropping.lading.settings.home), "40"]
    watchers = [
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
        )
        for _ in range(2)
    ]
    for watcher in watchers:
        assert watcher.stdout.readline() == "ready\n"
    for i in range(number):
        dropping.put(GOOD, f"{i}.csv")
    for watcher in watchers:
        watcher.stdin.write("\n")
        watcher.stdin.flush()
    for watcher in watchers:
        watcher.communicate(timeout=60)
        assert watcher.returncode == 0
    dropping.claim()
    drops = dropping.all()
    assert sorted(drop.file_name for drop in drops) == sorted(f"{i}.csv" for i in range(number))
    assert sorted(dropping.names()) == sorted(
        f"{CLAIMED_FOLDER}/local.things.{drop.id}/{drop.file_name}" for drop in drops
    )


def test_several_who_move_the_same_file_move_it_once(dropping):
    dropping.put(HALF)
    (drop,) = dropping.claim()
    dropping.run(drop.id)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: settle(dropping.lading.settings, dropping.store, drop), range(8)))
    assert dropping.names() == ["done/a.csv", "done/a.csv.failed-rows.csv", "done/a.csv.reasons.md"]


def test_settings_say_what_waiting_costs(monkeypatch):
    monkeypatch.setenv("LADING_INBOX_STABLE_SECONDS", "7")
    assert Settings().inbox_stable_seconds == 7.0
