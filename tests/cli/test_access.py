"""The operator says who may come in, and where their records may go."""

import json
import sqlite3
from contextlib import closing

import pytest

from schemas.import_request import ImportRequest
from schemas.principal import Scope
from store.database import Store
from store.keys import principal_of
from tasks.upload import accept_upload

pytestmark = pytest.mark.slow

DEFINITION = "name: things\nkey: [id]\nfields: [{name: id, header: Id}]\ndestination: "


def principal(home, token):
    with Store.opened(home) as store, store.read() as session:
        return principal_of(session, token)


def test_a_new_key_is_told_once_as_one_object_and_lets_its_holder_in(lading, home):
    told = lading("keys", "create", "--tenant", "acme", "--json").json
    assert list(told) == ["key_id", "tenant", "token", "subscription_key"]
    holder = principal(home, told["token"])
    assert (holder.key_id, holder.tenant, holder.definitions) == (told["key_id"], "acme", None)
    assert holder.scopes == {Scope.IMPORTS_CREATE, Scope.IMPORTS_READ}
    listed = lading("keys", "list", "--json")
    assert told["token"] not in listed.out
    assert told["subscription_key"] not in listed.out


def test_a_key_has_the_scopes_and_definitions_that_were_said_and_is_listed_with_them(lading):
    said = lading(
        *("keys", "create", "--tenant", "acme", "--scope", "imports:create"),
        *("--scope", "definitions:write", "--definition", "b", "--definition", "a"),
    )
    assert said.status == 0
    assert "there is no definition named 'b' for acme yet" in said.out
    (key,) = lading("keys", "list", "--json").json["keys"]
    assert (key["tenant"], key["scopes"], key["definitions"], key["revoked_at"]) == (
        "acme",
        ["definitions:write", "imports:create"],
        ["a", "b"],
        None,
    )
    assert (
        f"{key['key_id']}  valid    acme  definitions:write, imports:create  only a, b"
        in lading("keys", "list").out
    )


def test_a_revoked_key_lets_nobody_in(lading, home):
    told = lading("keys", "create", "--tenant", "acme", "--json").json
    assert lading("keys", "revoke", told["key_id"]).out == f"revoked    {told['key_id']} of acme\n"
    assert principal(home, told["token"]) is None
    assert lading("keys", "revoke", told["key_id"], "--json").json["revoked_at"] is not None
    assert f"{told['key_id']}  revoked  acme" in lading("keys", "list").out
    assert lading("keys", "revoke", "nobody").status == 2


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            ["keys", "create", "--tenant", "acme", "--scope", "admin"],
            "only a key of 'local' can",
        ),
        (["keys", "create", "--tenant", "../acme"], "'../acme' can't be the name of a tenant"),
        (["apply", "things.yaml", "--tenant", "A"], "'A' can't be the name of a tenant"),
        (["definitions", "--tenant", ""], "'' can't be the name of a tenant"),
        (["databases", "add", "default", "--url", "postgresql://h/x"], "'default' can't be the name"),
        (
            ["databases", "add", "w", "--url", "postgresql://h/x", "--grant", "A"],
            "'A' can't be the name of a tenant",
        ),
        (["databases", "remove", "w"], "no database named 'w'; `lading databases list`"),
    ],
)
def test_what_nobody_may_say_is_wrong_usage(lading, folder, arguments, says):
    (folder / "things.yaml").write_text(DEFINITION + "{table: things}\n")
    said = lading(*arguments)
    assert (said.status, says in said.err) == (2, True)
    assert lading("keys", "list", "--json").json == {"keys": []}


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("mysql://h/x", "kind 'mysql'"),
        ("sqlite:///things.db", "a whole path"),
        ("sqlite:///{home}/data/acme.db", "lies in Lading's home"),
        ("sqlite:///{home}/lading.db", "lies in Lading's home"),
    ],
)
def test_a_database_that_lading_does_not_load_into_gets_no_name(lading, home, url, says):
    said = lading("databases", "add", "warehouse", "--url", url.format(home=home.home))
    assert (said.status, says in said.err) == (4, True)
    assert lading("databases", "list", "--json").json["databases"] == []


def test_a_database_is_named_listed_used_by_its_name_and_taken_back(lading, folder, lading_process, tmp_path):
    url = f"sqlite:///{tmp_path / 'warehouse.db'}"
    added = lading("databases", "add", "warehouse", "--url", url, "--grant", "acme", "--json").json
    assert added == {"name": "warehouse", "url": url, "password": None, "tenants": ["acme"]}
    assert lading("databases", "list", "--json").json == {"databases": [added], "tables": []}
    assert lading("databases", "list").out == f"warehouse: {url}; for the operator, acme\n"
    (folder / "things.yaml").write_text(DEFINITION + "{database: warehouse, table: things}\n")
    (folder / "rows.csv").write_text("Id\na\nb\n")
    said = lading_process("import", "rows.csv", "-d", "things.yaml", "--json")
    assert (said.status, said.json["created"]) == (0, 2)
    with closing(sqlite3.connect(tmp_path / "warehouse.db")) as connection:
        assert connection.execute("SELECT count(*) FROM things").fetchone() == (2,)
    other = lading_process("import", "rows.csv", "-d", "things.yaml", LADING_TENANT="acme")
    assert (other.status, "the table 'things' of that database belongs to another tenant" in other.err) == (
        4,
        True,
    )
    stranger = lading_process("import", "rows.csv", "-d", "things.yaml", LADING_TENANT="stranger")
    assert "no database named 'warehouse' that 'stranger' may use" in stranger.err
    key = f"sqlite://{tmp_path / 'warehouse.db'}/things"
    assert lading("databases", "list").out.endswith(f"table {key} of local\n")
    assert lading("databases", "release", key, "--json").json == {"table": key, "tenant": "local"}
    assert lading("databases", "release", key).status == 2
    assert lading_process("import", "rows.csv", "-d", "things.yaml", LADING_TENANT="acme").status == 0
    assert lading("databases", "remove", "warehouse").status == 0
    assert "no database named 'warehouse'" in lading_process("import", "rows.csv", "-d", "things").err


def test_interrupted_imports_into_a_database_by_name_can_be_abandoned(
    lading_process, lading, home, folder, tmp_path
):
    lading("databases", "add", "warehouse", "--url", f"sqlite:///{tmp_path / 'w.db'}")
    (folder / "things.yaml").write_text(DEFINITION + "{database: warehouse, table: things}\n")
    (folder / "rows.csv").write_text("Id\na\n")
    (folder / "more.csv").write_text("Id\nb\n")
    lading("apply", "things.yaml")
    left = accept_upload(home, ImportRequest(str(folder / "rows.csv"), "things"))
    said = lading_process("import", "more.csv", "-d", "things", "--abandon")
    assert f"job {left}: 0 rows kept" in said.out
    assert lading("job", left, "--json").json["state"] == "cancelled"


def test_a_definition_is_everybodys_or_made_for_one_tenant(lading, folder):
    (folder / "things.yaml").write_text(DEFINITION + "{table: things}\n")
    (folder / "mine.json").write_text(
        json.dumps(
            {"name": "mine", "key": ["id"], "fields": [{"name": "id"}], "destination": {"table": "mine"}}
        )
    )
    lading("apply", "things.yaml")
    lading("apply", "mine.json", "--tenant", "acme")

    def seen(*arguments):
        return [
            (d["name"], d["tenant"]) for d in lading("definitions", "--json", *arguments).json["definitions"]
        ]

    assert seen() == seen("--tenant", "other") == [("things", "local")]
    assert seen("--tenant", "acme") == [("mine", "acme"), ("things", "local")]
    assert ", shared by the operator\n" in lading("definitions", "--tenant", "acme").out
    assert "name: mine" in lading("definitions", "mine", "--tenant", "acme").out
    assert "there is no definition named 'mine'" in lading("definitions", "mine").err


def test_whoever_makes_a_definition_for_a_tenant_is_told_what_a_key_may_not_use(lading, folder):
    (folder / "things.yaml").write_text(DEFINITION + "{database: 'postgresql://u@h/x', table: things}\n")
    assert "note" not in lading("apply", "things.yaml").out
    said = lading("apply", "things.yaml", "--tenant", "acme")
    assert (said.status, "over HTTP it will be refused: " in said.out) == (0, True)
