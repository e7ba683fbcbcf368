"""The table "who may say what": a test for each cell whose feature exists, on real stores and databases.

What comes with another feature (sources, outgoing calls, mail) is tested with it.
"""

import io
import sqlite3
from contextlib import closing, contextmanager

import pytest

from flows import run
from schemas.authority import refuse_beyond, refuse_connection_beyond
from schemas.connection import ConnectionDocument
from schemas.connection_secrets import opened_secrets
from schemas.document import parse_definition
from schemas.errors import DefinitionError, FatalError, NotAllowedError, NotFoundError, RetriableError
from schemas.import_request import ImportRequest
from schemas.principal import OPERATOR_TENANT, Principal, Scope
from schemas.secret_key import Seal, secret_key
from store.connections import own_connection, resolved_connection
from store.database import Store
from store.databases import add_database
from store.definitions import get_definition, list_definitions, put_definition, remove_definition
from store.jobs import get_job
from store.keys import add_key
from tasks.connection_keeping import keep_connection
from tasks.upload import Brought, accept_file
from tasks.vendor_clients import try_connection

CSV = b"Id,Name,Amount\na,A,1\n"
DOCUMENT = "name: things\nfields: [{name: id}]\nkey: [id]\n"


class House:
    """One home, and the people who come to it."""

    def __init__(self, settings, make_definition, folder):
        self.settings = settings
        self._make_definition = make_definition
        self._folder = folder

    def definition(self, **destination):
        return self._make_definition(destination={"table": "things"} | destination)

    def keep(self, tenant, **destination):
        """Keep a definition as this tenant's, as if nobody had looked at what it says."""
        with self.write() as session:
            put_definition(session, tenant, self.definition(**destination))

    @contextmanager
    def write(self):
        with Store.opened(self.settings) as store, store.write() as session:
            yield session

    def bring(self, tenant):
        """Bring a file with a key of the tenant, and let it be imported; gives the job."""
        key = Principal("k1", tenant, frozenset({Scope.IMPORTS_CREATE}))
        brought = Brought(key, io.BytesIO(CSV), "things.csv", "things")
        job_id = accept_file(self.settings, brought).job_id
        run.resume(self.settings, job_id)
        return self.job(job_id)

    def command_line(self):
        """Import a file as `lading import` does; gives the job."""
        path = self._folder / "things.csv"
        path.write_bytes(CSV)
        return self.job(run.import_directly(self.settings, ImportRequest(str(path), "things")))

    def job(self, job_id):
        with self.write() as session:
            return get_job(session, job_id)


@pytest.fixture
def house(settings, make_definition, tmp_path):
    return House(settings, make_definition, tmp_path)


def rule_of(function, *arguments):
    with pytest.raises(NotAllowedError) as refused:
        function(*arguments)
    assert len(str(refused.value)) > 40
    return refused.value.rule


def test_acts_as__the_command_line_and_admin_act_as_local(house):
    house.keep(OPERATOR_TENANT)
    job = house.command_line()
    assert (job.tenant, job.destination_key) == ("local", "local/default/things")
    with house.write() as session:
        assert add_key(session, OPERATOR_TENANT, [Scope.ADMIN]).tenant == "local"
        assert rule_of(add_key, session, "acme", [Scope.ADMIN]) == "scope.admin"


def test_acts_as__the_operators_definitions_are_shared_and_read_only(house):
    house.keep(OPERATOR_TENANT)
    assert house.bring("acme").destination_key == "acme/default/things"
    with house.write() as session, pytest.raises(NotFoundError):
        remove_definition(session, "acme", "things")
    with house.write() as session:
        put_definition(session, "acme", house.definition(table="mine"))
        assert get_definition(session, "local", "things").definition.destination.table == "things"


def test_acts_as__a_definition_made_for_one_tenant_is_seen_by_that_one_and_goes_first(house):
    house.keep(OPERATOR_TENANT)
    house.keep("acme", table="mine")
    assert house.bring("acme").destination_key == "acme/default/mine"
    assert house.bring("other").destination_key == "other/default/things"
    with house.write() as session:
        assert [d.tenant for d in list_definitions(session, "other")] == ["local"]


def test_destinations__the_operator_names_any_url_and_path(house, tmp_path):
    path = tmp_path / "any.db"
    house.keep(OPERATOR_TENANT, database=f"sqlite:///{path}")
    assert house.command_line().created == 1
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT id FROM things").fetchall() == [("a",)]


@pytest.mark.parametrize(
    "database",
    [
        "sqlite:////etc/passwd",
        "postgresql://u@db.example/x",
        "postgresql+psycopg://u@db.example/x",
        "mysql://u@db.example/x",
        "postgresql://u@127.0.0.1/x",
        "postgresql://u@169.254.169.254/x",
        "postgresql://u@[::1]/x",
        "postgresql:///x?host=10.0.0.1",
        "postgresql:///x?host=/var/run/postgresql",
    ],
)
def test_destinations__a_tenant_that_names_a_url_or_a_private_address_is_refused(house, database):
    assert rule_of(refuse_beyond, False, house.definition(database=database)) == "database.url"
    refuse_beyond(True, house.definition(database=database))
    house.keep("acme", database=database)
    assert rule_of(house.bring, "acme") == "database.url"


@pytest.mark.parametrize("database", ["/etc/passwd", "../other.db", "C:\\data.db", "other.db", "data/other"])
def test_destinations__a_path_is_no_database_for_anybody(database):
    document = f"{DOCUMENT}destination: {{table: t, database: '{database}'}}"
    with pytest.raises(DefinitionError, match=r"line 4: .*neither 'default', nor a name .*, nor a URL"):
        parse_definition(document)


def test_destinations__a_tenant_has_its_own_default_database(house):
    refuse_beyond(False, house.definition())
    house.keep("acme")
    house.keep("other")
    assert house.bring("acme").created == house.bring("other").created == 1
    for tenant in ("acme", "other"):
        with closing(sqlite3.connect(house.settings.table_path(tenant))) as connection:
            assert connection.execute("SELECT id FROM things").fetchall() == [("a",)]


def test_destinations__a_tenant_names_a_database_that_was_granted_and_no_other(house, tmp_path):
    definition = house.definition(database="warehouse")
    refuse_beyond(False, definition)
    for tenant in ("acme", "stranger"):
        house.keep(tenant, database="warehouse")
        assert rule_of(house.bring, tenant) == "database.not_granted"
    with house.write() as session:
        add_database(session, "warehouse", f"sqlite:///{tmp_path / 'w.db'}", tenants=["acme"])
    assert house.bring("acme").created == 1
    assert rule_of(house.bring, "stranger") == "database.not_granted"


@pytest.mark.slow
def test_destinations__a_granted_database_may_lie_on_a_server_with_a_password(
    house, postgres_database, monkeypatch
):
    monkeypatch.setenv("WAREHOUSE_PASSWORD", "any")
    with house.write() as session:
        add_database(session, "warehouse", postgres_database, "env:WAREHOUSE_PASSWORD", ["acme"])
    house.keep("acme", database="warehouse")
    job = house.bring("acme")
    assert (job.created, job.destination_key.startswith("postgresql://")) == (1, True)


def test_destinations__a_table_belongs_to_the_tenant_that_first_claimed_it(house, tmp_path):
    with house.write() as session:
        url = f"sqlite:///{tmp_path / 'w.db'}"
        add_database(session, "warehouse", url, tenants=["acme", "other"])
        add_database(session, "another-name", url, tenants=["other"])
    house.keep("acme", database="warehouse")
    assert house.bring("acme").created == 1
    for name in ("warehouse", "another-name"):
        for table in ("things", "THINGS"):
            house.keep("other", database=name, table=table)
            assert rule_of(house.bring, "other") == "table.claimed"
    house.keep(OPERATOR_TENANT, database=url)
    assert rule_of(house.command_line) == "table.claimed"
    assert house.bring("acme").unchanged == 1


def connection(**changes):
    said = {
        "name": "crm",
        "connector": "teamtracks",
        "url": "https://vendor.example",
        "options": {"tenant": "t"},
        "secrets": {"subscription_key": "s3cret", "token": "s3cret"},
    }
    return ConnectionDocument.model_validate(said | changes)


def test_destinations__a_tenant_means_its_own_connection_and_those_that_were_granted(house):
    with house.write() as session:
        assert rule_of(resolved_connection, session, "acme", "crm") == "connection.not_granted"
        keep_connection(house.settings, session, "local", connection(tenants=["acme"]))
        assert resolved_connection(session, "acme", "crm").tenant == "local"
        assert rule_of(resolved_connection, session, "stranger", "crm") == "connection.not_granted"
        keep_connection(house.settings, session, "acme", connection())
        assert resolved_connection(session, "acme", "crm").tenant == "acme"
        assert rule_of(resolved_connection, session, "local", "other") == "connection.not_granted"
    assert rule_of(refuse_connection_beyond, False, connection(tenants=["other"])) == "connection.grant"


def test_outgoing_calls__a_tenants_connection_is_https_and_the_operators_may_be_any():
    for url in ("http://vendor.example", "http://127.0.0.1:8642", "http://[::1]"):
        assert rule_of(refuse_connection_beyond, False, connection(url=url)) == "connection.url"
        refuse_connection_beyond(True, connection(url=url))
    refuse_connection_beyond(False, connection())


def test_outgoing_calls__a_tenants_connection_goes_through_the_guard(house):
    url = "https://127.0.0.1:1"
    with Store.opened(house.settings) as store:
        with store.write() as session:
            keep_connection(house.settings, session, "acme", connection(url=url))
            keep_connection(house.settings, session, "local", connection(url=url))
            tenants, operators = (own_connection(session, whose, "crm") for whose in ("acme", "local"))
        assert rule_of(try_connection, house.settings, store, tenants) == "outgoing.address"
        with pytest.raises(RetriableError, match="could not be made"):
            try_connection(house.settings, store, operators)


def test_secrets__those_of_a_connection_are_the_operators_references_or_sealed_values(house):
    reference = connection(secrets={"subscription_key": "env:KEY", "token": "env:TOKEN"})
    refuse_connection_beyond(True, reference)
    assert rule_of(refuse_connection_beyond, False, reference) == "secret.reference"
    with house.write() as session:
        kept = keep_connection(house.settings, session, "acme", connection())
        assert [secret.startswith("sealed:") for secret in kept.secrets.values()] == [True, True]
        assert "s3cret" not in str(kept)
        with pytest.raises(FatalError, match="can't be opened"):
            opened_secrets(kept.secrets, lambda: Seal(secret_key(house.settings), "other"))


@pytest.mark.parametrize("table", ["lading_jobs", "LADING_pages", "public.lading_jobs", "sqlite_master"])
def test_destinations__reserved_tables_are_refused_to_everybody(table):
    document = f"{DOCUMENT}destination: {{table: {table}}}"
    with pytest.raises(DefinitionError, match=f"line 4: .*the table name '{table}' is reserved"):
        parse_definition(document)


def test_secrets__a_tenant_that_refers_to_one_of_the_operators_is_refused(house):
    place = {"database": "postgresql://u@db.example/x", "password": "env:HOME"}
    refuse_beyond(True, house.definition(**place))
    assert rule_of(refuse_beyond, False, house.definition(**place)) == "secret.reference"
    house.keep("acme", **place)
    assert rule_of(house.bring, "acme") == "secret.reference"


@pytest.mark.parametrize(
    "destination",
    [
        "{table: t, password: env:HOME}",
        "{table: t, database: warehouse, password: env:HOME}",
        "{table: t, database: 'env:HOME'}",
        "{table: t, database: 'postgresql://u:s3cret@h/x'}",
        "{table: t, database: 'postgresql://u@h/x', password: s3cret}",
        "{table: 'env:HOME'}",
    ],
)
def test_secrets__one_in_a_wrong_place_is_refused_to_everybody_and_not_repeated(destination):
    with pytest.raises(DefinitionError) as refused:
        parse_definition(f"{DOCUMENT}destination: {destination}")
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    "said",
    [
        "destination: {table: t, query: DELETE FROM t}",
        "destination: {table: t; DROP TABLE t}",
        "destination: {table: t}\nsql: SELECT 1",
        "destination: {table: t}\nrecord: os.system",
        "destination: {table: t}\nrecord: ../../evil",
        "destination: !!python/object/apply:os.system ['true']",
    ],
)
def test_sql_text_and_code__never_from_a_definition(said):
    with pytest.raises(DefinitionError, match="line"):
        parse_definition(f"{DOCUMENT}{said}")
