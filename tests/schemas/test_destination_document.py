"""The key `destination` of a definition: which of the three kinds a document means, and what each may say."""

import pytest

from schemas.definition import Mode
from schemas.destination_document import ConnectionDestination, FileDestination
from schemas.document import parse_definition, write_definition
from schemas.errors import DefinitionError, DestinationError

HEAD = "name: things\nkey: [id]\nmode: insert\nfields:\n  - {name: id, required: true}\n"


def destination(text):
    return parse_definition(f"{HEAD}destination: {text}\n").destination


def test_each_key_beside_connection_names_the_container_whatever_its_order():
    there = destination("{connection: crm, track_id: 6f1c, events: true, process: 7}")
    assert isinstance(there, ConnectionDestination)
    assert (there.connection, there.container) == (
        "crm",
        {"track_id": "6f1c", "events": True, "process": 7},
    )
    again = destination("{process: 7, track_id: 6f1c, connection: crm, events: true}")
    assert again.container_text == there.container_text


def test_a_url_is_a_file_with_options_and_secrets_by_name():
    there = destination(
        "{url: 'sftp://h:22/{timestamp}.csv', options: {key_file: k}, secrets: {password: 'env:P'}}"
    )
    assert isinstance(there, FileDestination)
    assert (there.options, there.secrets, there.format) == ({"key_file": "k"}, {"password": "env:P"}, None)


@pytest.mark.parametrize(
    "text",
    [
        "{connection: crm, process: 7, events: false}",
        "{url: /srv/out.csv, format: csv}",
        '{url: /srv/out, format: csv, csv: {row_delimiter: "\\n", column_delimiter: "\\t"}}',
        "{url: /srv/out.csv, csv: {include_header: false, wrap_with_quotes: true}}",
        "{table: t}",
    ],
)
def test_what_is_written_is_read_back_as_the_same(text):
    definition = parse_definition(f"{HEAD}destination: {text}\n")
    assert parse_definition(write_definition(definition)) == definition


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{table: t, databse: x}", "unknown key 'destination.databse'; did you mean 'database'?"),
        ("{}", "the key 'destination.table' is missing"),
        ("{url: /srv/out.csv, fromat: csv}", "unknown key 'destination.fromat'; did you mean 'format'?"),
        (
            "{url: /srv/out.csv, format: doc}",
            "destination.format: Input should be 'csv', 'xlsx', 'jsonl', 'json' or",
        ),
        (
            "{url: '/srv/{tabel}.csv'}",
            "there is no blank {tabel}; known are {definition}, {job_id}, {timestamp}",
        ),
        ("{url: 'ftp://{tenant}.example/x.csv'}", "not in the name of a server or bucket"),
        ("{url: out/x.csv}", "names no file by its whole path"),
        ("{url: /srv/out/}", "names no file by its whole path"),
        ("{url: /srv/x.xls}", "the suffix tells no format; say `format:` csv, xlsx, jsonl, json, parquet"),
        ("{url: /srv/x.csv, csv: {row_delimiter: ';'}}", "destination.csv.row_delimiter: Input should be"),
        ("{url: /srv/x.csv, csv: {column_delimiter: '::'}}", "destination.csv.column_delimiter: String should"),
        ("{url: /srv/x.csv, csv: {header: false}}", "unknown key 'destination.csv.header'"),
        ("{url: /srv/x.json, csv: {include_header: false}}", "'csv' are for csv, and the file is json"),
        ("{connection: CRM}", "destination.connection: String should match pattern"),
        ("{connection: crm, fields: [1]}", "destination.fields"),
        ("{url: 'ftp://u:geheim@h/x.csv'}", "the URL has a password in it"),
        ("{url: 'ftp://h/x.csv', secrets: {pasword: geheim}}", "no secret 'pasword'; known: password"),
    ],
)
def test_a_wrong_destination_is_refused_with_its_line_and_without_what_may_be_secret(text, says):
    with pytest.raises(DefinitionError) as caught:
        destination(text)
    assert caught.value.line == 6
    assert says in str(caught.value)
    assert "geheim" not in str(caught.value)


def test_a_file_is_new_in_each_import_so_no_mode_but_insert_fits(make_definition):
    with pytest.raises(DefinitionError, match="none for a file, which is always new"):
        parse_definition(HEAD.replace("insert", "upsert") + "destination: {url: /srv/out.csv}\n")
    definition = make_definition(mode="insert", destination={"url": "/srv/out.csv"})
    with pytest.raises(DefinitionError, match="none for a file, which is always new"):
        definition.in_mode(Mode.UPSERT)


def test_a_vendor_can_not_take_all_or_none(make_definition):
    with pytest.raises(ValueError, match="no vendor takes all records or none"):
        make_definition(destination={"connection": "crm"}, policies={"atomic": True})


def test_what_needs_a_table_is_told_that_there_is_none(make_definition):
    with pytest.raises(DestinationError, match="'things' do not go into a table"):
        _ = make_definition(destination={"connection": "crm"}).table
