"""A definition whose records go to a file: on a disk and on real servers, through the whole lifecycle."""

import json
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import polars as pl
import pytest

from destinations.places import opened_place
from schemas.definition import FileOptions
from schemas.definition_secrets import sealed
from schemas.job import JobState
from schemas.place import Place
from schemas.secret_key import Seal, secret_key
from tests.servers.file_servers import PASSWORD, FileServer

SERVERS = ("disk", "ftp", "sftp", pytest.param("s3", marks=pytest.mark.slow))
KINDS = ("csv", "xlsx", "jsonl", "json", "parquet")
LINES = ("Id,Name,Amount", "1,Ada,3", "2,Bo,-1", "3,=cmd(),7")


@pytest.fixture
def server(request, tmp_path):
    if request.param == "disk":
        return FileServer(str(tmp_path / "out"), folder=tmp_path / "out")
    return request.getfixturevalue(f"{request.param}_files")


def files_of(server, folder):
    """Name → bytes of all that lies in the folder, hidden or not."""
    place = Place.model_validate(server.place(f"{folder}/x"))
    path = place.address.path.removesuffix("x")
    found = {}
    with opened_place(place) as opened:
        for pattern in ("*", ".*"):
            for file in opened.find(f"{path}{pattern}"):
                with opened.reading(file.path) as stream:
                    found[file.name] = stream.read()
    return found


@pytest.mark.parametrize("server", SERVERS, indirect=True)
def test_the_good_records_are_one_whole_file_in_its_place(server, lading, write_csv, make_definition):
    out = server.place("people/{definition}/{file_name}-{job_id}.csv")
    definition = make_definition(mode="insert", destination=out)
    job_id = lading.run(write_csv(*LINES), definition)
    assert lading.counts(job_id) == {"created": 2, "failed": 1}
    assert lading.letters(job_id) == "CFC"
    content = b"Id,Name,Amount\r\n1,Ada,3\r\n3,'=cmd(),7\r\n"
    assert files_of(server, "people/things") == {f"things-{job_id}.csv": content}
    assert not lading.settings.stages_path(job_id).exists()


@pytest.mark.parametrize("server", ["ftp"], indirect=True)
def test_the_next_job_writes_over_a_file_of_the_same_name(server, lading, write_csv, make_definition):
    definition = make_definition(mode="insert", key=[], destination=server.place("same/feed.csv"))
    for lines in (LINES[:2], (*LINES[:1], LINES[3])):
        lading.run(write_csv(*lines), definition)
    assert files_of(server, "same") == {"feed.csv": b"Id,Name,Amount\r\n3,'=cmd(),7\r\n"}


@pytest.mark.parametrize(("kind", "letters"), [("xlsx", "CFC"), ("csv", "CCC")])
def test_a_text_that_no_cell_holds_costs_its_row(lading, write_csv, make_definition, tmp_path, kind, letters):
    fits, not_quite = "é" * 32_767, "x" * 32_766 + "\N{GRINNING FACE}"
    out = {"url": f"{tmp_path}/out.{kind}"}
    job_id = lading.run(
        write_csv("Id,Name,Amount", f"1,{fits},1", f"2,{not_quite},2", "3,c,3"),
        make_definition(mode="insert", destination=out),
    )
    assert lading.letters(job_id) == letters
    if kind == "xlsx":
        assert pl.read_excel(tmp_path / "out.xlsx")["Name"].to_list() == [fits, "c"]


def test_a_place_that_refuses_the_file_fails_the_job_and_leaves_its_rows_unprocessed(
    lading, write_csv, make_definition, tmp_path
):
    (tmp_path / "there").write_text("a file, no folder")
    definition = make_definition(mode="insert", destination={"url": f"{tmp_path}/there/x.csv"})
    job_id = lading.run(write_csv(*LINES), definition)
    job = lading.job(job_id)
    assert (job.state, job.error_code) == (JobState.FAILED, "destination.mismatch")
    assert f"writing {tmp_path}/there/x.csv on this machine failed" in job.error_message
    assert lading.counts(job_id) == {"failed": 1, "unprocessed": 2}


def test_a_wrong_password_fails_the_job(lading, write_csv, make_definition, ftp_files, monkeypatch):
    monkeypatch.setenv("LADING_TEST_WRONG", "geheim")
    out = ftp_files.place("refused/x.csv", secrets={"password": "env:LADING_TEST_WRONG"})
    job_id = lading.run(write_csv(*LINES), make_definition(mode="insert", destination=out))
    assert lading.job(job_id).state is JobState.FAILED
    assert "geheim" not in lading.job(job_id).error_message
    assert lading.counts(job_id) == {"failed": 1, "unprocessed": 2}


def test_a_password_that_a_definition_said_opens_the_server_and_is_nowhere_in_the_home(
    lading, write_csv, make_definition, ftp_files
):
    out = ftp_files.place("sealed/x.csv", secrets={"password": PASSWORD})
    definition = make_definition(mode="insert", destination=out)
    kept = sealed(definition, None, lambda: Seal(secret_key(lading.settings), "local"))
    job_id = lading.run(write_csv(*LINES), kept)
    assert lading.counts(job_id) == {"created": 2, "failed": 1}
    assert (ftp_files.folder / "sealed/x.csv").exists()
    home = [path.read_bytes() for path in lading.settings.home.rglob("*") if path.is_file()]
    assert not any(PASSWORD.encode() in content for content in home)


def test_blanks_are_filled_in_and_lead_into_no_other_folder(lading, write_csv, make_definition, tmp_path):
    url = f"{tmp_path}/out/{{tenant}}/{{mode}}/{{date:YYYY_MM}}/{{file_name}}-{{timestamp}}.jsonl"
    definition = make_definition(mode="insert", destination={"url": url})
    job_id = lading.run(write_csv(*LINES, name="..%2f..; rm.csv"), definition)
    came = lading.job(job_id).received_at
    name = f"_2f.._ rm-{came:%Y%m%dT%H%M%S.%f}Z.jsonl"
    assert [path.name for path in (tmp_path / "out/local/insert" / f"{came:%Y_%m}").iterdir()] == [name]


TYPED = {
    "text": ("string", ["x", "ä\nb;'\"", "-5.00", "=1+1", "00123"]),
    "whole": ("integer", [1, -(2**63), 2**63 - 1, None, 10**15 + 1]),
    "real": ("number", [0.1, 1e-7, -1.5e300, None, 2.0]),
    "exact": ("decimal", [Decimal("1.20"), Decimal("-0.000000000001"), Decimal(10) ** 25, None, Decimal(7)]),
    "truth": ("boolean", [True, False, None, True, False]),
    "day": ("date", [date(2024, 2, 29), date(1899, 1, 1), None, date(9999, 12, 31), date(1900, 3, 1)]),
    "clock": ("time", [time(0, 0), time(23, 59, 59, 999_999), None, time(12, 30), time(1, 2, 3)]),
    "moment": (
        "datetime",
        [
            datetime.fromisoformat("2024-02-29T12:00:00"),
            datetime.fromisoformat("1800-01-01T00:00:01"),
            None,
            datetime.fromisoformat("2024-01-01T00:00:00.000005"),
            datetime.fromisoformat("2024-06-01T00:00:00"),
        ],
    ),
    "zoned": (
        "datetime",
        [
            datetime.fromisoformat("2024-07-01T22:30:00"),
            None,
            datetime.fromisoformat("2024-10-27T00:30:00"),
            None,
            None,
        ],
    ),
    "length": (
        "duration",
        [timedelta(hours=30), timedelta(seconds=1.5), None, timedelta(0), timedelta(days=400)],
    ),
}
"""Field → its type, and values for five rows."""


def typed_definition(make_definition, **changes):
    fields = [{"name": name, "header": name.upper(), "type": kind} for name, (kind, _) in TYPED.items()]
    fields[list(TYPED).index("zoned")]["timezone"] = "Europe/Berlin"
    return make_definition(name="typed", key=[], mode="insert", fields=fields, **changes)


def text_of(name, value):
    if isinstance(value, datetime):
        return value.isoformat() + ("Z" if name == "zoned" else "")
    if isinstance(value, timedelta):
        return f"PT{value.total_seconds() if value.microseconds else int(value.total_seconds())}S"
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value if isinstance(value, (str, int, float)) else str(value)


@pytest.mark.parametrize("kind", KINDS)
def test_every_type_is_read_back_as_the_same_record(kind, lading, make_definition, tmp_path):
    source = tmp_path / "typed.jsonl"
    rows = [{name.upper(): values[row] for name, (_, values) in TYPED.items()} for row in range(5)]
    source.write_text(
        "".join(
            json.dumps({key: text_of(key.lower(), value) for key, value in row.items() if value is not None})
            + "\n"
            for row in rows
        )
    )
    out = tmp_path / f"out/typed.{kind}"
    first = lading.run(
        source, typed_definition(make_definition, destination={"url": str(out), "escape": False})
    )
    assert lading.counts(first) == {"created": 5}
    if kind == "parquet":
        frame = pl.read_parquet(out)
        assert frame.schema["zoned"] == pl.Datetime("us", "UTC")
        read = frame.with_columns(pl.col("zoned").dt.replace_time_zone(None)).rows()
        assert read == list(zip(*(values for _, values in TYPED.values()), strict=True))
        return
    if kind == "json":
        # An array is written, and never read: its objects are those of JSON Lines.
        objects = json.loads(out.read_text(encoding="utf-8"))
        out = tmp_path / "out/again.jsonl"
        out.write_text("".join(json.dumps(each) + "\n" for each in objects))
    lading.run(source, typed_definition(make_definition, destination={"table": "wanted"}))
    again = typed_definition(make_definition, destination={"table": "back"}, file=FileOptions())
    assert lading.counts(lading.run(out, again)) == {"created": 5}
    assert lading.table("back").rows() == lading.table("wanted").rows()


ODD = ("Id,Name,Amount", '1,"a\tb\r\nc\nd",3', '2,"q""r|s",', "3,,7")
"""Rows with white space, a quote and a bar in them, and with blank cells."""


@pytest.mark.parametrize(
    ("options", "content"),
    [
        ({}, 'Id,Name,Amount\r\n1,"a\tb\r\nc\nd",3\r\n2,"q""r|s",\r\n3,,7\r\n'),
        ({"row_delimiter": "\n"}, 'Id,Name,Amount\n1,"a\tb\r\nc\nd",3\n2,"q""r|s",\n3,,7\n'),
        (
            {"row_delimiter": "\r", "replace_newline_with_space": True},
            'Id,Name,Amount\r1,a\tb c d,3\r2,"q""r|s",\r3,,7\r',
        ),
        (
            {"column_delimiter": "|", "include_header": False},
            '1|"a\tb\r\nc\nd"|3\r\n2|"q""r|s"|\r\n3||7\r\n',
        ),
        (
            {"column_delimiter": "\t", "replace_tab_with_space": True},
            'Id\tName\tAmount\r\n1\t"a b\r\nc\nd"\t3\r\n2\t"q""r|s"\t\r\n3\t\t7\r\n',
        ),
        (
            {"wrap_with_quotes": True, "truncate_last_row_delimiter": True},
            '"Id","Name","Amount"\r\n"1","a\tb\r\nc\nd","3"\r\n"2","q""r|s",""\r\n"3","","7"',
        ),
    ],
    ids=lambda value: "-".join(value) or "none" if isinstance(value, dict) else "",
)
def test_a_csv_file_is_written_as_its_options_say(
    lading, write_csv, make_definition, tmp_path, options, content
):
    out = tmp_path / "out.csv"
    definition = make_definition(mode="insert", destination={"url": str(out), "csv": options})
    assert lading.counts(lading.run(write_csv(*ODD), definition)) == {"created": 3}
    assert out.read_bytes().decode() == content


NESTED = (
    '{"n":1,"Parts":{"a": [1.50, "x\\n"] },"Also":null,"t":"é"}',
    '{"n":null,"Parts":null,"Also":[],"t":null}',
)


@pytest.mark.parametrize(
    ("kind", "content"),
    [("jsonl", "\n".join(NESTED) + "\n"), ("json", "[\n" + ",\n".join(NESTED) + "\n]\n")],
    ids=["jsonl", "json"],
)
def test_fields_of_type_json_are_nested(lading, make_definition, tmp_path, kind, content):
    source, out = tmp_path / "nested.csv", tmp_path / f"out.{kind}"
    source.write_text('n,Parts,Also,t\n1,"{""a"": [1.50, ""x\\n""]\n}",,é\n,,[],\n')
    fields = [
        {"name": "n", "type": "integer"},
        {"name": "parts", "header": "Parts", "type": "json"},
        {"name": "also", "header": "Also", "type": "json"},
        {"name": "t"},
    ]
    definition = make_definition(mode="insert", key=[], fields=fields, destination={"url": str(out)})
    assert lading.counts(lading.run(source, definition)) == {"created": 2}
    assert out.read_text(encoding="utf-8") == content
