"""The PostgreSQL server of the tests: real, and a database of its own for each test."""

import psycopg
import pytest
from sqlalchemy import create_engine, make_url, text


@pytest.mark.parametrize("turn", ["first", "second"])
def test_every_test_has_an_empty_database_of_its_own(postgres_database, turn):
    engine = create_engine(postgres_database)
    with engine.begin() as connection:
        found = connection.execute(text("SELECT count(*) FROM pg_class WHERE relname = 'mine'")).scalar()
        connection.execute(text("CREATE TABLE mine (turn text)"))
    engine.dispose()
    assert (found, make_url(postgres_database).get_backend_name()) == (0, "postgresql"), turn


def test_psycopg_opens_the_same_url_without_the_driver(postgres_database):
    plain = make_url(postgres_database).set(drivername="postgresql")
    with psycopg.connect(plain.render_as_string(hide_password=False)) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
