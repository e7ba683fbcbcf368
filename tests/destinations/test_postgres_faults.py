"""Servers that go away, answers that are lost, programs that write at the same time: nothing counts twice."""

import re
import socket
import threading
from contextlib import closing, contextmanager

import polars as pl
import pytest
from sqlalchemy import make_url

from destinations import destination_key, open_destination
from destinations.postgres_errors import explained
from schemas.errors import DestinationError, LeaseLostError, RetriableError, StoreBusyError

ROWS = [{"id": f"{n:05}", "n": n} for n in range(3_000)]


@pytest.fixture
def definition(postgres):
    return postgres.define("id", "n:integer")


def _started(postgres, definition, job="job"):
    destination = postgres.open(definition)
    destination.prepare(definition)
    destination.begin(job, 1)
    return destination


@pytest.mark.parametrize("page", [0, 1, 2])
def test_session_that_is_killed_within_a_load_is_retriable_and_its_successor_counts_once(
    postgres, definition, page
):
    destination = _started(postgres, definition)
    body = f"IF new.chunk = {page} THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF; RETURN new;"
    postgres.trigger("lading_pages", "BEFORE INSERT", body)
    chunks = postgres.chunks(definition, ROWS)
    with pytest.raises(RetriableError, match="try again"):
        destination.load("job", 1, definition, chunks)
    assert postgres.sql("SELECT (SELECT count(*) FROM things), (SELECT count(*) FROM lading_pages)") == [(0, 0)]
    with pytest.raises(RetriableError):
        destination.load("job", 1, definition, chunks)
    postgres.sql("DROP TRIGGER t ON lading_pages")
    successor = postgres.open(definition)
    successor.begin("job", 1)
    successor.load("job", 1, definition, chunks)
    assert [p.letters for p in successor.pages("job")] == ["C" * 1_000] * 3


def test_session_that_is_killed_within_the_last_step_wrote_nothing_and_its_successor_all(postgres):
    definition = postgres.define("id", "n:integer", mode="sync", policies={"atomic": True})
    postgres.load(postgres.define("id", "n:integer"), [{"id": "old", "n": 1}], "first")
    destination = _started(postgres, definition)
    destination.load("job", 1, definition, postgres.chunks(definition, ROWS))
    body = "PERFORM pg_terminate_backend(pg_backend_pid()); RETURN new;"
    postgres.trigger("lading_completed", "BEFORE INSERT", body)
    keys = [pl.DataFrame({"id": [row["id"] for row in ROWS]})]
    with pytest.raises(RetriableError, match="try again"):
        destination.complete("job", 1, definition, keys)
    assert postgres.sql("SELECT id FROM things") == [("old",)]
    postgres.sql("DROP TRIGGER t ON lading_completed")
    successor = postgres.open(definition)
    successor.begin("job", 2)
    successor.complete("job", 2, definition, keys)
    assert postgres.sql("SELECT count(*), min(id), max(id) FROM things") == [(3_000, "00000", "02999")]
    assert ([p.letters for p in successor.pages("job")], successor.deleted("job")) == (["C" * 1_000] * 3, 1)


class Wire:
    """Between a client and the server, on a port of its own; cuts the line behind the n-th COMMIT."""

    def __init__(self, url):
        self._url = url
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self.cut_at = 0
        self._commits = 0
        self.answered = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            upstream = self._connect()
            threading.Thread(target=self._upwards, args=(client, upstream), daemon=True).start()
            threading.Thread(target=self._downwards, args=(client, upstream), daemon=True).start()

    def _connect(self):
        folder = self._url.query.get("host")
        if folder is None:
            return socket.create_connection((self._url.host, self._url.port or 5432))
        upstream = socket.socket(socket.AF_UNIX)
        upstream.connect(f"{folder}/.s.PGSQL.5432")
        return upstream

    def _upwards(self, client, upstream):
        with client, upstream:
            while sent := client.recv(65_536):
                self._commits += b"COMMIT\0" in sent
                if b"COMMIT\0" in sent and self._commits == self.cut_at:
                    client.shutdown(socket.SHUT_RDWR)  # whatever the server answers, nobody hears it
                    upstream.sendall(sent)
                    self.answered.wait(20)
                    return
                upstream.sendall(sent)

    def _downwards(self, client, upstream):
        try:
            while answer := upstream.recv(65_536):
                client.sendall(answer)
        except OSError:
            self.answered.set()

    def close(self):
        self._server.close()


def test_commit_whose_answer_is_lost_is_retriable_and_not_done_twice(postgres, definition):
    _started(postgres, definition).close()
    chunks = postgres.chunks(definition, ROWS)
    with closing(Wire(postgres.url)) as wire:
        url = make_url(str(definition.destination.database)).set(host="127.0.0.1", port=wire.port, query={})
        through = postgres.define(
            "id", "n:integer", destination=postgres.database | {"database": str(url), "table": "things"}
        )
        destination = postgres.open(through)
        destination.begin("job", 1)
        wire.cut_at = wire._commits + 1
        with pytest.raises(RetriableError, match="not done twice"):
            destination.load("job", 1, through, chunks)
        assert wire.answered.wait(20)
    destination = postgres.open(definition)
    destination.begin("job", 2)
    assert destination.committed_chunks("job") == {0, 1, 2}
    destination.load("job", 2, definition, chunks)
    assert [p.letters for p in destination.pages("job")] == ["C" * 1_000] * 3
    assert postgres.sql("SELECT count(*) FROM things") == [(3_000,)]


@contextmanager
def _meanwhile(postgres, statement):
    """Another program that has run the statement and not committed yet, until the block says so."""
    with postgres.connect() as connection:
        connection.autocommit = False
        connection.execute(statement)
        yield connection
        connection.rollback()


def _until_somebody_waits(postgres):
    while not postgres.sql(
        "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    ):
        pass


@pytest.mark.parametrize("hopeful", [True, False], ids=["inserting unseen", "comparing first"])
@pytest.mark.parametrize(("n", "letter"), [(-1, "U"), (7, "N")])
def test_key_that_another_program_inserts_at_the_same_time_is_updated_or_unchanged(
    postgres, definition, hopeful, n, letter
):
    destination = _started(postgres, definition)
    destination._hopeful = hopeful
    arguments = ("job", 1, definition, postgres.chunks(definition, ROWS[:10]))
    with _meanwhile(postgres, f"INSERT INTO things VALUES ('00007', {n})") as other:
        load = threading.Thread(target=destination.load, args=arguments)
        load.start()
        _until_somebody_waits(postgres)
        other.commit()
        load.join(20)
    assert [p.letters for p in destination.pages("job")] == ["CCCCCCC" + letter + "CC"]
    assert postgres.sql("SELECT count(*), min(n) FROM things") == [(10, 0)]


def test_record_that_another_program_deletes_at_the_same_time_is_created(postgres, definition):
    postgres.load(definition, ROWS[:10], "first")
    destination = _started(postgres, definition)
    arguments = ("job", 1, definition, postgres.chunks(definition, [r | {"n": -1} for r in ROWS[:10]]))
    with _meanwhile(postgres, "DELETE FROM things WHERE id = '00003'") as other:
        load = threading.Thread(target=destination.load, args=arguments)
        load.start()
        _until_somebody_waits(postgres)
        other.commit()
        load.join(20)
    assert [p.letters for p in destination.pages("job")] == ["UUUCUUUUUU"]


def test_last_step_that_another_program_overtakes_tries_again_with_the_same_keys(postgres):
    definition = postgres.define("id", "n:integer", mode="sync", policies={"atomic": True})
    postgres.load(postgres.define("id", "n:integer"), [{"id": "old", "n": 1}], "first")
    destination = _started(postgres, definition)
    twins = [{"id": "a", "n": 1}, {"id": "a", "n": 2}, {"id": "b", "n": 2}]  # so that it looks first
    destination.load("job", 1, definition, postgres.chunks(definition, twins))
    keys = iter([pl.DataFrame({"id": ["a", "b"]})])  # which nobody can read a second time
    with _meanwhile(postgres, "INSERT INTO things VALUES ('b', 7)") as other:
        step = threading.Thread(target=destination.complete, args=("job", 1, definition, keys))
        step.start()
        _until_somebody_waits(postgres)
        other.commit()
        step.join(20)
    assert [p.letters for p in destination.pages("job")] == ["CUU"]
    assert postgres.sql("SELECT * FROM things ORDER BY id") == [("a", 2), ("b", 2)]
    assert destination.deleted("job") == 1


def test_programs_that_take_turns_in_each_others_way_are_told_to_come_again(postgres, definition):
    postgres.load(definition, ROWS[:10], "first")
    destination = _started(postgres, definition)
    told = []

    def load():
        try:
            destination.load(
                "job", 1, definition, postgres.chunks(definition, [r | {"n": 0} for r in ROWS[:10]])
            )
        except RetriableError as error:
            told.append(str(error))

    with _meanwhile(postgres, "UPDATE things SET n = -2 WHERE id = '00009'") as other:
        other.execute("SET deadlock_timeout = '60s'")  # so that it is ours that the server ends
        thread = threading.Thread(target=load)
        thread.start()
        _until_somebody_waits(postgres)
        other.execute("UPDATE things SET n = -2 WHERE id = '00001'")
        other.commit()
        thread.join(20)
    assert "deadlock detected" in told[0]
    assert postgres.sql("SELECT count(*) FROM lading_pages WHERE job_id = 'job'") == [(0,)]


def test_table_that_somebody_holds_is_busy(postgres, definition):
    _started(postgres, definition)
    hasty = postgres.open(definition, busy_timeout_seconds=0.05)
    with _meanwhile(postgres, "LOCK TABLE things"), pytest.raises(StoreBusyError, match="try again"):
        hasty.load("job", 1, definition, postgres.chunks(definition, ROWS))


@pytest.mark.parametrize(
    "state",
    ["08P01", "25P03", "25006", "40P01", "53100", "53200", "53300", "53400", "57P01", "57P03", "58030"],
)
def test_fault_of_the_server_that_passes_is_retriable(postgres, state):
    raising = f"DO $$BEGIN RAISE 'told so' USING ERRCODE = '{state}'; END$$"
    says = "loading failed: told so; try again"
    with postgres.connect() as other, pytest.raises(RetriableError, match=says), explained("loading"):
        other.execute(raising)


def test_database_that_only_reads_after_a_failover_is_retriable_and_keeps_its_word(postgres, definition):
    destination = _started(postgres, definition)
    destination._connection.execute("SET default_transaction_read_only = on")
    chunks = postgres.chunks(definition, ROWS[:2])
    with pytest.raises(RetriableError, match="read-only transaction; try again"):
        destination.load("job", 1, definition, chunks)
    destination._connection.execute("RESET default_transaction_read_only")
    destination.load("job", 1, definition, chunks)
    assert [p.letters for p in destination.pages("job")] == ["CC"]


@pytest.mark.parametrize(
    "said",
    [
        "the database system is not yet accepting connections",
        "the database system is starting up",
        "sorry, too many clients already",
        "out of memory",
        "query_wait_timeout",
        "no more connections allowed (max_client_conn)",
        "server login has been failing, cached error: connect failed (server_login_retry)",
    ],
)
def test_server_or_pooler_that_lets_nobody_in_for_now_is_retriable(postgres, said):
    body = f"SFATAL\0VFATAL\0C08P01\0M{said}\0\0".encode()
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        threading.Thread(target=_turn_away, args=(server, body), daemon=True).start()
        url = f"postgresql://me@127.0.0.1:{server.getsockname()[1]}/db?sslmode=disable&gssencmode=disable"
        definition = postgres.define("id", destination={"database": url, "table": "things"})
        with pytest.raises(RetriableError, match=re.escape(f"{said}; try again")):
            open_destination(postgres.settings, "local", definition)


def _turn_away(server, body):
    client, _ = server.accept()
    with client:
        client.recv(65_536)
        client.sendall(b"E" + (len(body) + 4).to_bytes(4, "big") + body)


def test_role_that_may_not_write_is_refused_by_name(postgres, definition):
    _started(postgres, definition)
    with postgres.acting_as_another():
        another = postgres.define("id", "n:integer")
        postgres.sql("ALTER TABLE things OWNER TO CURRENT_USER")
        destination = postgres.open(another)
        with pytest.raises(DestinationError, match="permission denied for table things"):
            destination.load("job", 1, another, postgres.chunks(another, ROWS))


def test_rights_of_the_docs_are_enough_to_load(postgres, definition):
    _started(postgres, definition)
    with postgres.acting_as_another() as role:
        for (table,) in postgres.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"):
            postgres.sql(f"ALTER TABLE {table} OWNER TO CURRENT_USER")
        postgres.sql(f"REVOKE ALL ON SCHEMA public FROM {role}")
        postgres.sql(f"GRANT USAGE ON SCHEMA public TO {role}")
        postgres.sql(f"GRANT SELECT, INSERT, UPDATE ON things TO {role}")
        books = "lading_jobs, lading_pages, lading_staged, lading_completed"
        postgres.sql(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {books} TO {role}")
        postgres.sql(f"GRANT SELECT ON lading_tables TO {role}")
        definition = postgres.define("id", "n:integer")
        assert postgres.load(definition, ROWS[:2], "one").letters == "CC"
        assert postgres.load(definition, [ROWS[0], ROWS[1] | {"n": 5}, ROWS[2]], "two").letters == "NUC"
        wider = postgres.define("id", "n:integer", "colour")
        with pytest.raises(DestinationError, match="must be owner of table things"):
            postgres.open(wider).prepare(wider)


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"port": 1}, RetriableError, "Connection refused"),
        ({"database": "nowhere"}, DestinationError, 'database "nowhere" does not exist'),
        ({"username": "nobody"}, DestinationError, '"nobody"'),
    ],
)
def test_server_that_can_not_be_reached_is_told_from_one_that_says_no(postgres, change, error, says):
    with closing(Wire(postgres.url)) as wire:
        place = {"host": "127.0.0.1", "port": wire.port, "query": {}} | change
        url = make_url(postgres.database["database"]).set(**place)
        definition = postgres.define("id", destination={"database": str(url), "table": "things"})
        with pytest.raises(error, match=says):
            open_destination(postgres.settings, "local", definition)


def test_password_that_is_not_there_is_named_and_the_one_that_is_there_never_shown(postgres, monkeypatch):
    monkeypatch.delenv("NO_SUCH_PASSWORD", raising=False)
    database = postgres.database["database"]
    definition = postgres.define(
        "id", destination={"database": database, "password": "env:NO_SUCH_PASSWORD", "table": "things"}
    )
    with pytest.raises(DestinationError, match="environment variable NO_SUCH_PASSWORD, which is not set"):
        postgres.open(definition)
    monkeypatch.setenv("NO_SUCH_PASSWORD", "s3cret'")
    url = make_url(database).set(username="nobody")
    wrong = postgres.define(
        "id", destination={"database": str(url), "password": "env:NO_SUCH_PASSWORD", "table": "things"}
    )
    with pytest.raises(DestinationError) as refused:
        postgres.open(wrong)
    assert "s3cret" not in str(refused.value) + repr(refused.value.__cause__)


def test_worker_of_an_earlier_epoch_that_wakes_up_within_its_load_commits_nothing(postgres, definition):
    destination = _started(postgres, definition)
    with _meanwhile(postgres, "UPDATE lading_jobs SET epoch = 2") as other:
        refused = []

        def load():
            try:
                destination.load("job", 1, definition, postgres.chunks(definition, ROWS))
            except LeaseLostError as error:
                refused.append(str(error))

        thread = threading.Thread(target=load)
        thread.start()
        _until_somebody_waits(postgres)
        other.commit()
        thread.join(20)
    assert "epoch 2 is later than 1" in refused[0]
    assert postgres.sql("SELECT count(*) FROM things") == [(0,)]


@pytest.mark.parametrize(
    ("database", "table", "key"),
    [
        ("postgresql://u@DB.example/sales", "Things", "postgresql://db.example:5432/sales/public.things"),
        (
            "postgresql+psycopg://v@db.example:5432/sales",
            "public.things",
            "postgresql://db.example:5432/sales/public.things",
        ),
        ("postgresql://db.example:5433/sales", "a.things", "postgresql://db.example:5433/sales/a.things"),
        (
            "postgresql:///sales?host=/run/db&port=5433",
            "things",
            "postgresql:///run/db:5433/sales/public.things",
        ),
        ("postgresql://u@/", "things", "postgresql://localhost:5432/u/public.things"),
    ],
)
def test_one_table_has_one_name_however_it_is_written(postgres, database, table, key):
    definition = postgres.define("id", destination={"database": database, "table": table})
    assert destination_key("local", definition) == destination_key("other", definition) == key
