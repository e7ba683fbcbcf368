"""Imports that write files: the vendor's documented sample and its kin, on real servers."""

import json
from datetime import UTC, datetime

import polars as pl
import pytest

from schemas.principal import OPERATOR_TENANT, Scope
from tests.connectors.face_client import face_client
from tests.servers.file_servers import PASSWORD, USER

FIELDS = [
    {"extract": "internal_id", "generate": "id"},
    {"extract": "item_id", "generate": "sku"},
    {"extract": "name", "generate": "name"},
    {"extract": "sales_description", "generate": "description"},
    {"extract": "rate", "generate": "price"},
    {"extract": "qty_on_hand", "generate": "qty"},
]
SAMPLE = {
    "name": "Upload File to FTP Site",
    "distributed": False,
    "file": {
        "skipAggregation": False,
        "type": "csv",
        "csv": {
            "rowDelimiter": "\n",
            "columnDelimiter": ",",
            "includeHeader": False,
            "wrapWithQuotes": False,
            "replaceTabWithSpace": False,
            "replaceNewlineWithSpace": False,
        },
    },
    "ftp": {"directoryPath": "/test", "fileName": "file-{{timestamp}}.csv"},
    "mapping": {"fields": FIELDS},
}
"""The documented import: https://docs.celigo.com/hc/en-us/articles/7707882031131 (read 2026-11-28)."""
RECORDS = [
    {
        "internal_id": "17",
        "item_id": "A-1",
        "name": "Tea, green",
        "sales_description": "=loose",
        "rate": "4.50",
        "qty_on_hand": 3,
    },
    {"internal_id": "18", "item_id": "B-2", "name": 'The "best"', "rate": "1.00", "qty_on_hand": 0},
]
LINES = b'17,A-1,"Tea, green",=loose,4.50,3\n18,B-2,"The ""best""",,1.00,0\n'
FILE = b"\r\n".join(
    (
        b"internal_id,item_id,name,sales_description,rate,qty_on_hand",
        b'17,A-1,"Tea, green",=loose,4.50,3',
        b'18,B-2,"The ""best""",,1.00,0',
    )
)


def server_of(files, kind, **more):
    """The document of a connection to the server."""
    port = int(files.url.rpartition(":")[2])
    server = {"type": kind, "hostURI": "127.0.0.1", "port": port, "username": USER, "password": PASSWORD}
    return {"type": "ftp", "name": f"{kind} of the tests", "ftp": server | more}


@pytest.fixture
def ftp(operator, ftp_files):
    """The id of a connection to a real FTP server, and the folder that it serves."""
    folder = ftp_files.folder / "test"
    for file in folder.glob("*") if folder.exists() else ():
        file.unlink()
    return operator.connection(server_of(ftp_files, "ftp"))["_id"], folder


def invoked(operator, import_id, records=RECORDS):
    answer = operator.http.post(f"/v1/imports/{import_id}/invoke", json=records)
    assert answer.status_code == 200, answer.text
    return [element["statusCode"] for element in answer.json()]


def the_file(folder):
    (found,) = folder.iterdir()
    return found


def test_the_documented_sample_writes_its_file_by_invoke(operator, ftp):
    connection, folder = ftp
    made = operator.create({**SAMPLE, "_connectionId": connection})
    before = datetime.now(UTC)
    assert invoked(operator, made["_id"]) == [200, 200]
    found = the_file(folder)
    assert found.read_bytes() == LINES
    named = datetime.strptime(found.name, "file-%Y%m%dT%H%M%S.%fZ.csv").replace(tzinfo=UTC)
    assert before <= named <= datetime.now(UTC)


def test_a_file_for_the_same_import_writes_the_same_bytes(operator, service, ftp):
    connection, folder = ftp
    operator.create({**SAMPLE, "name": "Sample by file", "_connectionId": connection})
    brought = {"file": ("items.csv", FILE, "text/csv")}
    with service.client(operator.client.key.token) as client:
        answer = client.post("/jobs", data={"definition": "sample-by-file"}, files=brought)
        assert answer.status_code == 202, answer.text
    operator.client.finish_jobs()
    assert the_file(folder).read_bytes() == LINES


def test_each_option_of_a_csv_file_is_heeded(operator, ftp):
    connection, folder = ftp
    csv = {
        "rowDelimiter": "\r\n",
        "columnDelimiter": "|",
        "includeHeader": True,
        "wrapWithQuotes": True,
        "replaceTabWithSpace": True,
        "replaceNewlineWithSpace": True,
        "truncateLastRowDelimiter": True,
    }
    document = {**SAMPLE, "_connectionId": connection, "file": {"type": "csv", "csv": csv}}
    document["mapping"] = {"fields": FIELDS[:3]}
    made = operator.create(document)
    assert invoked(operator, made["_id"], [{"internal_id": 1, "item_id": "a\tb", "name": "c\r\nd\ne"}]) == [200]
    assert the_file(folder).read_bytes() == b'"id"|"sku"|"name"\r\n"1"|"a b"|"c d e"'


def test_a_json_file_is_one_array_with_nested_values(operator, ftp):
    connection, folder = ftp
    document = {
        **SAMPLE,
        "_connectionId": connection,
        "file": {"type": "json"},
        "ftp": {"directoryPath": "/test", "fileName": "items.json"},
        "mapping": {
            "fields": [
                {"extract": "internal_id", "generate": "id", "dataType": "number"},
                {"extract": "name", "generate": "texts.name"},
            ]
        },
    }
    made = operator.create(document)
    assert invoked(operator, made["_id"]) == [200, 200]
    written = json.loads((folder / "items.json").read_bytes())
    assert written == [
        {"id": 17, "texts": {"name": "Tea, green"}},
        {"id": 18, "texts": {"name": 'The "best"'}},
    ]


def test_an_xlsx_file_is_a_workbook(operator, ftp):
    connection, folder = ftp
    document = {**SAMPLE, "_connectionId": connection, "file": {"type": "xlsx"}}
    document["ftp"] = {"directoryPath": "/test", "fileName": "items.xlsx"}
    made = operator.create(document)
    assert invoked(operator, made["_id"]) == [200, 200]
    book = pl.read_excel(folder / "items.xlsx")
    assert book.columns == ["id", "sku", "name", "description", "price", "qty"]
    assert book["name"].to_list() == ["Tea, green", 'The "best"']


def test_an_sftp_server_takes_the_file_once_its_key_is_said(operator, sftp_files):
    key = sftp_files.options["host_key"]
    connection = operator.connection(server_of(sftp_files, "sftp", hostKey=key))
    document = {**SAMPLE, "_connectionId": connection["_id"]}
    document["ftp"] = {"directoryPath": "/by-sftp", "fileName": "items.csv"}
    made = operator.create(document)
    assert invoked(operator, made["_id"]) == [200, 200]
    assert (sftp_files.folder / "by-sftp/items.csv").read_bytes() == LINES


def test_a_folder_of_this_machine_takes_the_file(operator, tmp_path):
    connection = operator.connection({"type": "filesystem", "name": "here", "filesystem": {}})
    document = {key: value for key, value in SAMPLE.items() if key != "ftp"}
    document["adaptorType"] = "FileSystemImport"
    document["file"] = {**SAMPLE["file"], "fileName": "items-{{date}}.csv"}
    document["filesystem"] = {"directoryPath": f"{tmp_path}/out"}
    made = operator.create({**document, "_connectionId": connection["_id"]})
    assert invoked(operator, made["_id"]) == [200, 200]
    assert (tmp_path / f"out/items-{datetime.now(UTC):%Y-%m-%d}.csv").read_bytes() == LINES


def test_a_password_that_is_changed_or_echoed_as_a_mask_reaches_the_imports(operator, ftp, ftp_files):
    connection, folder = ftp
    made = operator.create({**SAMPLE, "_connectionId": connection})
    address = f"/v1/connections/{connection}"
    shown = operator.http.get(address).json()
    assert shown["ftp"]["password"] == "******"
    wrong = {**shown, "ftp": {**shown["ftp"], "password": "another"}}
    assert operator.http.put(address, json=wrong).status_code == 200
    assert invoked(operator, made["_id"]) == [422, 422]
    assert operator.http.put(address, json=server_of(ftp_files, "ftp")).status_code == 200
    echoed = operator.http.get(address).json()
    assert operator.http.put(address, json=echoed).status_code == 200
    assert PASSWORD not in json.dumps(echoed)
    assert invoked(operator, made["_id"]) == [200, 200]
    assert the_file(folder).read_bytes() == LINES


def test_only_the_operator_makes_connections_to_servers_and_folders(integrator, ftp_files):
    for document in (server_of(ftp_files, "ftp"), {"type": "filesystem", "name": "here"}):
        answer = integrator.http.post("/v1/connections", json=document)
        assert answer.status_code == 403
        assert [error["code"] for error in answer.json()["errors"]] == ["access_restricted"]
        assert "scope admin" in answer.json()["errors"][0]["message"]


def test_a_key_without_the_scope_changes_and_removes_no_connection_of_the_operators(operator, service, ftp):
    path = f"/v1/connections/{ftp[0]}"
    before = operator.http.get(path).json()
    usual = [scope for scope in Scope if scope is not Scope.ADMIN]
    with face_client(service, "integrator", OPERATOR_TENANT, *usual) as limited:
        harmless = {"type": "http", "name": "x", "http": {}}
        assert limited.http.put(path, json=harmless).status_code == 403
        assert limited.http.delete(path).status_code == 403
    assert operator.http.get(path).json() == before
