"""What lies in a folder is looked at while others put things there and take them away."""

import shutil
import threading

from schemas.clock import utc_now
from tasks.sweep import Sweep, entries


def test_folders_that_go_while_they_are_looked_at_are_no_error(tmp_path):
    stage, done = tmp_path / "stages" / "job", threading.Event()
    stage.parent.mkdir()

    def come_and_go():
        while not done.is_set():
            for epoch in range(20):
                (stage / str(epoch) / "part").mkdir(parents=True)
            shutil.rmtree(stage)

    others = threading.Thread(target=come_and_go)
    others.start()
    try:
        sweep = Sweep(utc_now(), dry_run=True)
        for _ in range(300):
            assert not sweep.is_older(stage.parent, days=1)
            assert set(entries(stage)) <= {stage / str(epoch) for epoch in range(20)}
    finally:
        done.set()
        others.join()


def test_a_file_and_what_is_not_there_have_no_entries(tmp_path):
    (tmp_path / "file").touch()
    assert entries(tmp_path / "file") == entries(tmp_path / "nowhere") == []
