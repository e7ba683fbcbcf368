"""What the blocks of an import that writes files come to: case by case, what is served and what is not."""

from datetime import UTC, datetime

import pytest

from connectors.integrator.file_core import file_of
from connectors.integrator.unfit import UnfitError
from connectors.resources import ConnectionView
from schemas.csv_options import CsvOptions

NOW = datetime.now(UTC)
SERVER = ConnectionView(
    "0" * 24,
    "ftp",
    {"type": "ftp", "ftp": {"type": "ftp", "hostURI": "files.example.org", "username": "me"}},
    NOW,
    NOW,
    {"ftp.password": "sealed:x"},
)
MACHINE = ConnectionView("1" * 24, "filesystem", {"type": "filesystem"}, NOW, NOW)
SAMPLE = {
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
}
"""The blocks of the vendor's documented sample."""


def changed(file=None, ftp=None, **more):
    """The sample with other fields in its blocks."""
    return {"file": SAMPLE["file"] | (file or {}), "ftp": SAMPLE["ftp"] | (ftp or {}), **more}


def test_the_documented_sample_is_a_csv_file_in_its_folder():
    destination = file_of(SAMPLE, "ftp", SERVER)
    assert destination.url == "ftp://me@files.example.org/test/file-{timestamp}.csv"
    assert destination.secrets == {"password": "sealed:x"}
    assert (destination.kind, destination.escape) == ("csv", False)
    assert destination.csv == CsvOptions(row_delimiter="\n", include_header=False)


@pytest.mark.parametrize(
    ("said", "options"),
    [
        (None, {"row_delimiter": "\n"}),
        ({"rowDelimiter": None, "includeHeader": None}, {"row_delimiter": "\n"}),
        ({"rowDelimiter": "\r\n", "columnDelimiter": "\t"}, {"column_delimiter": "\t"}),
        (
            {"wrapWithQuotes": True, "replaceTabWithSpace": True, "replaceNewlineWithSpace": True},
            {
                "row_delimiter": "\n",
                "wrap_with_quotes": True,
                "replace_tab_with_space": True,
                "replace_newline_with_space": True,
            },
        ),
        ({"truncateLastRowDelimiter": True}, {"row_delimiter": "\n", "truncate_last_row_delimiter": True}),
    ],
)
def test_csv_options_have_the_vendors_defaults(said, options):
    assert file_of(changed({"csv": said}), "ftp", SERVER).csv == CsvOptions(**options)


@pytest.mark.parametrize("kind", ["json", "xlsx"])
def test_other_formats_pay_no_heed_to_csv_options(kind):
    destination = file_of(changed({"type": kind}, {"fileName": "x.txt"}), "ftp", SERVER)
    assert (destination.kind, destination.csv) == (kind, CsvOptions())


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("{{{timestamp}}}.csv", "{timestamp}.csv"),
        ("{{ date }}-{{jobId}}.csv", "{date}-{job_id}.csv"),
        ("{{definition}}.{{mode}}", "{definition}.{mode}"),
        ("{{date 'YYYYMMDD'}}-{{timestamp \"HHmmss\"}}.csv", "{date:YYYYMMDD}-{timestamp:HHmmss}.csv"),
        ("plain name #1.csv", "plain name #1.csv"),
    ],
)
def test_templates_of_a_name_are_blanks(template, name):
    assert file_of(changed(ftp={"fileName": template}), "ftp", SERVER).url.rpartition("/")[2] == name


def test_a_folder_may_have_templates_and_the_root_is_one():
    dated = file_of(changed(ftp={"directoryPath": "/out/{{date}}/"}), "ftp", SERVER)
    assert dated.url == "ftp://me@files.example.org/out/{date}/file-{timestamp}.csv"
    root = file_of(changed(ftp={"directoryPath": "/"}), "ftp", SERVER)
    assert root.url == "ftp://me@files.example.org/file-{timestamp}.csv"


def test_a_file_system_takes_the_name_of_the_file_block():
    document = {
        "file": {"type": "json", "fileName": "x-{{timestamp}}.json"},
        "filesystem": {"directoryPath": "/srv"},
    }
    assert file_of(document, "filesystem", MACHINE).url == "/srv/x-{timestamp}.json"


@pytest.mark.parametrize(
    ("document", "found"),
    [
        ({"ftp": SAMPLE["ftp"]}, [("missing_required_field", "file")]),
        ({"file": SAMPLE["file"]}, [("missing_required_field", "ftp")]),
        (changed({"type": None}), [("missing_required_field", "file.type")]),
        (changed({"type": "xml"}), [("not_supported", "file.type")]),
        (changed({"type": "filedefinition"}), [("not_supported", "file.type")]),
        (changed({"encoding": "win1252"}), [("not_supported", "file.encoding")]),
        (changed({"skipAggregation": True}), [("not_supported", "file.skipAggregation")]),
        (changed({"compressionFormat": "gzip"}), [("not_supported", "file.compressionFormat")]),
        (
            changed({"encrypt": True, "pgp": {"a": 1}}),
            [("not_supported", "file.encrypt"), ("not_supported", "file.pgp")],
        ),
        (changed({"backupPath": "/b"}), [("not_supported", "file.backupPath")]),
        (changed({"lookups": [{"name": "x"}]}), [("not_supported", "file.lookups")]),
        (
            changed({"type": "json", "json": {"resourcePath": "a"}}),
            [("not_supported", "file.json.resourcePath")],
        ),
        (changed({"csv": {"rowDelimiter": ";"}}), [("invalid_field", "file.csv.rowDelimiter")]),
        (
            changed({"csv": {"columnDelimiter": "::", "includeHeader": "maybe"}}),
            [("invalid_field", "file.csv.columnDelimiter"), ("invalid_field", "file.csv.includeHeader")],
        ),
        (changed({"csv": [1]}), [("invalid_field", "file.csv")]),
        (changed(ftp={"directoryPath": None}), [("missing_required_field", "ftp.directoryPath")]),
        (changed(ftp={"directoryPath": "users/dave"}), [("invalid_field", "ftp.directoryPath")]),
        (changed(ftp={"directoryPath": "/out/{x}"}), [("invalid_field", "ftp.directoryPath")]),
        (changed(ftp={"fileName": None}), [("missing_required_field", "ftp.fileName")]),
        (changed(ftp={"fileName": "../x.csv"}), [("invalid_field", "ftp.fileName")]),
        (changed(ftp={"fileName": "x-{{settings.name}}.csv"}), [("not_supported", "ftp.fileName")]),
        (changed(ftp={"fileName": "{{date 'dddd'}}.csv"}), [("not_supported", "ftp.fileName")]),
        (changed(ftp={"fileName": "{{date:YYYY}}-{{}}.csv"}), [("not_supported", "ftp.fileName")]),
        (changed(ftp={"fileName": "{{definition 'YYYY'}}.csv"}), [("not_supported", "ftp.fileName")]),
        (changed(ftp={"backupDirectoryPath": "/b"}), [("not_supported", "ftp.backupDirectoryPath")]),
        (changed(ignoreExisting=True), [("not_supported", "ignoreExisting")]),
    ],
)
def test_what_is_not_served_is_told_with_its_field(document, found):
    with pytest.raises(UnfitError) as unfit:
        file_of(document, "ftp", SERVER)
    assert [(problem.code, problem.field) for problem in unfit.value.problems] == found


def test_a_path_of_this_machine_leads_to_no_folder_above():
    document = {"file": {"type": "csv", "fileName": "x.csv"}, "filesystem": {"directoryPath": "/srv/../etc"}}
    with pytest.raises(UnfitError, match=r"'\.\.'"):
        file_of(document, "filesystem", MACHINE)
