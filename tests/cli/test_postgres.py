"""Imports into PostgreSQL from the command line, killed half-way too."""

import signal

import psycopg
import pytest
from sqlalchemy import make_url

ROWS = 40_000
FIELDS = """key: [id]
fields:
  - {name: id, header: Id}
  - {name: amount, header: Amount, type: integer}
"""


@pytest.fixture
def execute(postgres_database):
    """Runs a statement in the database as any other program would."""
    plain = make_url(postgres_database).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        yield connection.execute


@pytest.fixture
def things(folder, postgres_database, monkeypatch):
    url = make_url(postgres_database)
    monkeypatch.setenv("THINGS_PASSWORD", str(url.password or ""))
    database = url._replace(drivername="postgresql", password=None).render_as_string()
    destination = f"{{database: '{database}', password: 'env:THINGS_PASSWORD', table: things}}"
    (folder / "things.yaml").write_text(f"name: things\n{FIELDS}destination: {destination}\n")
    (folder / "big.csv").write_text("Id,Amount\nbad,x\n" + "".join(f"k{i},{i}\n" for i in range(1, ROWS)))


def test_definition_is_checked_and_kept_without_a_server(folder, lading):
    (folder / "there.yaml").write_text(
        f"name: there\n{FIELDS}destination: {{database: 'postgresql://u@127.0.0.1:1/x', table: a.things}}\n"
    )
    assert lading("apply", "there.yaml").status == 0


def test_password_in_a_definition_is_refused_and_not_repeated(folder, lading):
    (folder / "there.yaml").write_text(
        f"name: there\n{FIELDS}destination: {{database: 'postgresql://u:s3cret@host/x', table: things}}\n"
    )
    said = lading("apply", "there.yaml")
    assert said.status != 0
    assert "password: env:NAME" in said.err
    assert "s3cret" not in said.out + said.err


@pytest.mark.slow
@pytest.mark.usefixtures("things")
def test_killed_import_into_postgres_is_resumed_with_every_row_once(execute, start_lading, lading_process):
    child = start_lading("import", "big.csv", "-d", "things.yaml", "--yes")
    while not execute("SELECT to_regclass('lading_pages') IS NOT NULL").fetchone()[0]:
        assert child.poll() is None, child.communicate()
    while execute("SELECT count(*) FROM lading_pages").fetchone()[0] < 5:
        assert child.poll() is None, child.communicate()
    child.send_signal(signal.SIGKILL)
    child.wait(20)
    said = lading_process("resume", "--json")
    assert (said.status, said.err) == (3, "")
    [job] = said.json["jobs"]
    assert (job["state"], job["rows"], job["created"], job["failed"]) == ("finished", ROWS, ROWS - 1, 1)
    found = execute("SELECT count(*), sum(amount) FROM things").fetchone()
    assert found == (ROWS - 1, sum(range(1, ROWS)))
