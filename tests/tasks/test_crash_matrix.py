"""An import killed with -9 around every commit, in every mode, then resumed: nothing but time is lost."""

import csv
import json
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

from destinations import open_destination
from flows.run import import_directly, resume
from schemas.definition import Definition
from schemas.import_request import ImportRequest
from schemas.job import Counts, JobState
from schemas.settings import Settings
from store.database import Store
from store.definitions import put_definition
from store.job_lists import JobFilter, page_of_jobs
from store.jobs import get_job
from store.leases import held_lease
from store.pages import list_errors, list_pages
from tasks.upload import accept_upload
from tasks.validate import validate_job

CHILD = Path(__file__).with_name("crash_child.py")
ROOT = CHILD.parents[2]
ROWS = 2_300
STOCK = {f"k{n:04}": (f"name {n}" if n % 3 else "old", n) for n in range(1_000, 4_000, 2)}
"""The records that are there before: id → (name, amount)."""

GENTLE = {"atomic": True, "existing": "ignore", "missing": "ignore"}
VARIANTS = {"plain": {}, "atomic": GENTLE, "refused": GENTLE}
"""Variant → policies. In `plain` some rows fail; in `refused` the destination refuses rows of an atomic job."""


def file_rows(variant):
    """Id, name and amount of each row; the table takes no amount of 13."""
    rows = [[f"k{n:04}", f"name {n}", str(n if n != 13 else 0)] for n in range(ROWS)]
    if variant == "plain":
        for n in (5, 1_500, 2_299):
            rows[n][2] = "x"
        rows[700][0] = rows[1_700][0]
    if variant in {"plain", "refused"}:
        for n in (7, 1_007, 1_008, 2_100):
            rows[n][2] = "13"
    return rows


def judge(path, table, mode):
    """The table is right, by the file and what was there before, and by nothing else."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    keys = Counter(row["Id"] for row in rows)
    expected = dict(STOCK)
    for row in rows:
        good = row["Amount"].isdigit() and row["Amount"] != "13" and keys[row["Id"]] == 1
        if good and (mode in {"upsert", "sync"} or (row["Id"] in STOCK) == (mode == "update")):
            expected[row["Id"]] = (row["Name"], int(row["Amount"]))
    if mode == "sync":
        expected = {key: record for key, record in expected.items() if key in keys}
    assert table == expected


class SqliteGround:
    """Homes whose table is in their own SQLite file."""

    # A refused last step is a transaction that is undone, and one that notes what was refused.
    refused_last_steps = frozenset({1, 2})

    def __init__(self):
        self.destination = {"table": "things"}

    def sow(self, settings, definition):
        """Make the table with its records, and triggers that note each write of Lading's pages."""
        with closing(open_destination(settings, "local", definition)) as destination:
            sqlite = destination._connection
            sqlite.execute(
                "CREATE TABLE things (id TEXT PRIMARY KEY, name TEXT, amount INT CHECK (amount <> 13))"
            )
            sqlite.executemany(
                "INSERT INTO things VALUES (?, ?, ?)", [(key, *record) for key, record in STOCK.items()]
            )
            destination.prepare(definition)
            sqlite.execute("CREATE TABLE written (page TEXT, how TEXT)")
            for table in ("lading_pages", "lading_staged"):
                for how in ("INSERT", "UPDATE"):
                    sqlite.execute(
                        f"CREATE TRIGGER {table}_{how} AFTER {how} ON {table} "
                        f"BEGIN INSERT INTO written VALUES ('{table} ' || NEW.chunk, '{how}'); END"
                    )

    def look(self, settings, query):
        """What a query finds, on a connection that is none of Lading's."""
        with closing(sqlite3.connect(settings.table_path("local"))) as connection:
            return connection.execute(query).fetchall()

    def renew(self):
        """Put the table back as it was sown: a copied home has brought its own."""

    def waiting_tables(self, settings):
        """The tables in which rows of an atomic job wait."""
        return self.look(settings, "SELECT name FROM sqlite_schema WHERE name GLOB 'lading_stage_*'")


class PostgresGround:
    """Homes whose table is in one database of PostgreSQL, which is put back for each."""

    refused_last_steps = frozenset({1})  # undone and noted in the same transaction

    def __init__(self, url):
        self._url = make_url(url)
        self.destination = {"table": "things", "database": url}
        self._waiting = "SELECT tablename FROM pg_tables WHERE tablename LIKE 'lading\\_stage\\_%'"

    def sow(self, settings, definition):
        """Make the table, and triggers that note each write of Lading's pages."""
        self._run("CREATE TABLE things (id text PRIMARY KEY, name text, amount bigint CHECK (amount <> 13))")
        with closing(open_destination(settings, "local", definition)) as destination:
            destination.prepare(definition)
        self._run("CREATE TABLE written (page text, how text)")
        self._run(
            "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN "
            "INSERT INTO written VALUES (TG_TABLE_NAME || ' ' || NEW.chunk, TG_OP); RETURN NULL; END$$"
        )
        for table in ("lading_pages", "lading_staged"):
            self._run(
                f"CREATE TRIGGER noting AFTER INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION note()"
            )

    def look(self, settings, query):
        """What a query finds, on a connection that is none of Lading's."""
        del settings  # all homes share the database
        with self._connected() as connection:
            return connection.execute(query).fetchall()

    def renew(self):
        """Put the table back as it was sown, and forget all jobs."""
        with self._connected() as connection:
            connection.execute(
                "TRUNCATE things, written, lading_jobs, lading_pages, lading_staged, lading_completed"
            )
            for (name,) in connection.execute(self._waiting).fetchall():
                connection.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(name)))
            with connection.cursor() as cursor:
                records = [(key, *record) for key, record in STOCK.items()]
                cursor.executemany("INSERT INTO things VALUES (%s, %s, %s)", records)

    def waiting_tables(self, settings):
        """The tables in which rows of an atomic job wait."""
        return self.look(settings, self._waiting)

    def _run(self, statement):
        with self._connected() as connection:
            connection.execute(statement)

    def _connected(self):
        return psycopg.connect(self._url.set(drivername="postgresql").render_as_string(hide_password=False))


@dataclass(frozen=True)
class Left:
    """All that a job leaves behind, but for its id and its times."""

    state: JobState
    error: tuple[str | None, str | None]
    counts: Counts
    letters: list[str]
    ids: list[tuple[str | None, ...]]
    errors: list[tuple[object, ...]]
    table: dict[str, tuple[str, int]]
    written: list[tuple[str, str]]


def left_by(ground, settings, job_id):
    with Store.opened(settings) as store, store.read() as session:
        job = get_job(session, job_id)
        pages = list(list_pages(session, job_id))
        errors = [(e.code, e.message, e.ordinal, e.row, e.column) for e in list_errors(session, job_id)]
    assert ground.waiting_tables(settings) == ground.look(settings, "SELECT chunk FROM lading_staged") == []
    records = ground.look(settings, "SELECT id, name, amount FROM things")
    return Left(
        job.state,
        (job.error_code, job.error_message),
        job.counts,
        [page.letters for page in pages],
        [page.target_ids for page in pages],
        errors,
        {key: (name, amount) for key, name, amount in records},
        sorted(ground.look(settings, "SELECT page, how FROM written")),
    )


class Bench:
    """One mode and variant: homes to be copied, and what an undisturbed run leaves."""

    def __init__(self, ground, folder, mode, variant):
        self.ground, self._folder = ground, folder
        self.path = folder / "things.csv"
        with self.path.open("w", newline="") as file:
            csv.writer(file).writerows([["Id", "Name", "Amount"], *file_rows(variant)])
        self._sow(mode, variant)
        self.job_id = self._make_ready()
        settings = self.fresh("ready", "undisturbed")
        resume(settings, self.job_id)
        self.calm = left_by(ground, settings, self.job_id)

    def _sow(self, mode, variant):
        fields = [
            {"name": "id", "header": "Id"},
            {"name": "name", "header": "Name"},
            {"name": "amount", "header": "Amount", "type": "integer"},
        ]
        document = {
            "name": "things",
            "key": ["id"],
            "mode": mode,
            "fields": fields,
            "policies": VARIANTS[variant],
        }
        self.definition = Definition.model_validate(document | {"destination": self.ground.destination})
        settings = Settings(home=self._folder / "seed")
        self.ground.sow(settings, self.definition)
        with Store.opened(settings) as store, store.write() as session:
            put_definition(session, "local", self.definition)

    def _make_ready(self):
        """A home in which the file is read and checked, and nothing written yet."""
        settings = self.fresh("seed", "ready")
        job_id = accept_upload(settings, ImportRequest(str(self.path), "things"))
        with Store.opened(settings) as store, held_lease(store, settings, job_id) as epoch:
            assert validate_job(settings, job_id, epoch) is JobState.READY
        return job_id

    def fresh(self, pattern, name):
        """The settings of a new copy of a home."""
        self.ground.renew()
        return Settings(home=Path(shutil.copytree(self._folder / pattern, self._folder / name)))


@pytest.fixture(params=["sqlite", "postgres"])
def ground(request):
    """The databases with tables, one after the other."""
    if request.param == "sqlite":
        return SqliteGround()
    return PostgresGround(request.getfixturevalue("postgres_database"))


@pytest.fixture(scope="module")
def killed():
    """Runs an import that kills itself at the n-th commit; False when it was over before."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    command = [sys.executable, str(CHILD)]
    with subprocess.Popen(command, **pipes, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}) as server:

        def run(settings, of, moment, number, *, job=None, source=None, records=0):
            case = {"home": str(settings.home), "job": job, "source": source, "records": records}
            case |= {"of": of, "moment": moment, "number": number}
            server.stdin.write(json.dumps(case) + "\n")
            server.stdin.flush()
            ended = int(server.stdout.readline())
            assert ended in {0, -signal.SIGKILL}
            return ended != 0

        yield run
        server.stdin.close()


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("mode", "variant"),
    [(mode, variant) for mode in ("insert", "upsert", "update", "sync") for variant in ("plain", "atomic")]
    + [("insert", "refused"), ("sync", "refused")],
)
def test_a_kill_around_any_commit_of_the_destination_costs_nothing_but_time(
    ground, killed, tmp_path, mode, variant
):
    bench = Bench(ground, tmp_path, mode, variant)
    if variant == "refused":
        assert (bench.calm.state, bench.calm.error[0], bench.calm.table) == (
            JobState.FAILED,
            "job.atomic",
            STOCK,
        )
    else:
        assert bench.calm.state is JobState.FINISHED
        judge(bench.path, bench.calm.table, mode)
    assert {how for _, how in bench.calm.written} == {"INSERT"}
    assert len(set(bench.calm.written)) == len(bench.calm.written) == (3 if variant == "plain" else 6)
    commits = set()
    for moment in ("between", "before", "after"):
        for number in count(1):
            settings = bench.fresh("ready", f"{moment}-{number}")
            if not killed(settings, "destination", moment, number, job=bench.job_id):
                break
            resume(settings, bench.job_id)
            assert left_by(ground, settings, bench.job_id) == bench.calm, (moment, number)
            shutil.rmtree(settings.home)
        commits.add(number - 1)
    plain = len(("prepare", "begin", *("load",) * 3, "seal"))
    last_steps = ground.refused_last_steps if variant == "refused" else {int(bench.definition.has_last_step)}
    assert commits == {plain + number for number in last_steps}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_kill_after_any_commit_of_the_job_store_costs_nothing_but_time(ground, killed, tmp_path):
    bench = Bench(ground, tmp_path, "sync", "atomic")
    for number in count(1):
        settings = bench.fresh("seed", f"after-{number}")
        if not killed(settings, "store", "after", number, source=str(bench.path)):
            break
        with Store.opened(settings) as store, store.read() as session:
            jobs = [job.id for job in page_of_jobs(session, "local", JobFilter(), limit=2)]
        for job_id in jobs:
            resume(settings, job_id)
        if not jobs:
            jobs = [import_directly(settings, ImportRequest(str(bench.path), "things"))]
        assert [left_by(ground, settings, job_id) for job_id in jobs] == [bench.calm], number
        shutil.rmtree(settings.home)
    assert number > 15


@pytest.mark.slow
@pytest.mark.parametrize("of", ["destination", "store"])
@pytest.mark.parametrize("destination", ["table", "file"])
def test_an_invoke_that_is_killed_around_any_commit_is_ended_by_what_the_destination_has(
    killed, tmp_path, make_definition, of, destination
):
    place = {"url": f"file://{tmp_path}/out.csv"} if destination == "file" else {"table": "things"}
    fields = [{"name": "id", "header": "Id"}, {"name": "amount", "header": "Amount", "type": "integer"}]
    definition = make_definition(fields=fields, key=[], mode="insert", destination=place)
    # Much is done for a file between the commits, and nothing in them.
    apart = (of, destination) == ("destination", "file")
    moments, states = ("between",) if apart else ("between", "before", "after"), set()
    for moment in moments:
        for number in count(1):
            settings = Settings(home=tmp_path / f"{moment}-{number}")
            _sow_invoked(settings, definition)
            (tmp_path / "out.csv").unlink(missing_ok=True)
            if not killed(settings, of, moment, number, records=1_200):
                break
            with Store.opened(settings) as store, store.read() as session:
                jobs = [job.id for job in page_of_jobs(session, "local", JobFilter(), limit=2)]
            for job_id in jobs:
                resume(settings, job_id)
                resume(settings, job_id)
            states |= {_judge_invoked(settings, tmp_path, job_id, destination) for job_id in jobs}
    assert states == {(JobState.FAILED, 0), (JobState.FINISHED, 1_198 if destination == "table" else 1_199)}


def _sow_invoked(settings, definition):
    with Store.opened(settings) as store, store.write() as session:
        put_definition(session, "local", definition)
    path = settings.table_path("local")
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE things (id TEXT, amount INT CHECK (amount <> 13))")


def _judge_invoked(settings, folder, job_id, destination):
    """State of the job and records that are there, which its counts tell, as do its pages."""
    with Store.opened(settings) as store, store.read() as session:
        job = get_job(session, job_id)
        letters = "".join(page.letters for page in list_pages(session, job_id))
        errors = {error.code for error in list_errors(session, job_id)}
    if destination == "table":
        with closing(sqlite3.connect(settings.table_path("local"))) as connection:
            (records,) = connection.execute("SELECT count(*) FROM things").fetchone()
    else:
        path = folder / "out.csv"
        records = len(path.read_text().splitlines()) - 1 if path.exists() else 0
    assert (job.rows, job.counts.rows, job.created) == (1_200, 1_200, records)
    assert letters.count("C") == records
    assert errors >= {"type.integer"}
    return job.state, records
