import json

import fastexcel
import pytest
import typer

from cli.main import COMMANDS, command_line

DEFINITION = """name: things
key: [id]
fields:
  - {name: id, header: Id, required: true}
  - {name: kind, header: Kind, type: choice, choices: [A, B]}
destination: {table: things}
"""


@pytest.fixture
def things(folder, lading):
    (folder / "things.yaml").write_text(DEFINITION)
    assert lading("apply", "things.yaml").out == "definition things, version 1\n"


@pytest.mark.usefixtures("things")
def test_a_changed_document_becomes_a_new_version(lading, folder):
    assert lading("apply", "things.yaml", "--json").json == {"name": "things", "version": 1}
    (folder / "things.yaml").write_text(DEFINITION.replace("[A, B]", "[A, B, C]"))
    assert lading("apply", "things.yaml", "--json").json == {"name": "things", "version": 2}
    listed = lading("definitions", "--json").json["definitions"]
    assert [(row["name"], row["version"]) for row in listed] == [("things", 2)]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("key:", "keys:"), "line 2: unknown key 'keys'; did you mean 'key'?"),
        (("[id]", "[ix]"), "line 1: the key names 'ix', which is no field"),
        (("choice,", "choise,"), "line 5: fields.1.type: Input should be"),
        (("things}", "lading_jobs}"), "line 6: destination: the table name 'lading_jobs' is reserved"),
        (("things\n", "Things\n"), "line 1: name: String should match pattern"),
        (("{table", "[{table"), "line 7: not valid YAML"),
    ],
)
def test_a_wrong_document_is_refused_with_the_line(lading, folder, change, says):
    (folder / "wrong.yaml").write_text(DEFINITION.replace(*change, 1))
    said = lading("apply", "wrong.yaml")
    assert said.status == 2
    assert said.err.startswith(f"lading: {says}")


@pytest.mark.usefixtures("things")
def test_a_shown_definition_can_be_applied_again(lading, folder):
    (folder / "shown.yaml").write_text(lading("definitions", "things").out)
    assert lading("apply", "shown.yaml", "--json").json == {"name": "things", "version": 1}
    schema = lading("definitions", "things", "--json-schema").json
    assert schema["required"] == ["id"]
    assert schema["properties"]["kind"]["anyOf"][0]["enum"] == ["A", "B"]


@pytest.mark.usefixtures("things")
def test_a_template_has_the_headers_of_the_definition(lading, folder):
    assert lading("template", "things", "-o", "fill.xlsx", "--json").json["definition"] == "things"
    sheet = fastexcel.read_excel(folder / "fill.xlsx").load_sheet(0)
    assert sheet.to_polars().columns == ["Id", "Kind"]
    assert lading("check", "fill.xlsx", "-d", "things", "--json").json["rows"] == 0


@pytest.mark.usefixtures("things")
def test_check_says_what_a_file_is_and_what_would_be_refused(lading, folder):
    (folder / "rows.csv").write_text("Id;Kind\n1;A\n2;X\n3\n")
    alone = lading("check", "rows.csv", "--json")
    assert (alone.status, alone.json["rows"], alone.json["errors_total"]) == (3, 3, 1)
    assert alone.json["detected"]["delimiter"] == ";"
    checked = lading("check", "rows.csv", "-d", "things", "--json")
    assert [(e["row"], e["code"]) for e in checked.json["errors"]] == [(3, "choices"), (4, "row.field_count")]
    (folder / "picture.csv").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(50))
    refused = lading("check", "picture.csv", "--json")
    assert (refused.status, refused.json["refused"], refused.json["errors"][0]["code"]) == (
        4,
        True,
        "file.kind",
    )
    assert not (folder / ".lading" / "data").exists()


def test_check_refuses_what_an_import_would_for_its_policies_or_its_mode(lading, folder):
    (folder / "rows.csv").write_text("Id,Kind\n1,A\n2,X\n3,A\n")
    (folder / "things.yaml").write_text(DEFINITION + "policies: {max_error_percent: 33}\n")
    over = lading("check", folder / "rows.csv", "-d", folder / "things.yaml", "--json")
    assert (over.status, over.json["refused"], over.json["error_code"]) == (4, True, "budget.exceeded")
    assert (over.json["rows"], over.json["errors_total"]) == (3, 1)
    shown = lading("check", folder / "rows.csv", "-d", folder / "things.yaml")
    assert "1 of 3 rows failed (33.33 %), and 'max_error_percent' allows 33 %" in shown.out
    assert "none of the choices" in shown.out
    (folder / "things.yaml").write_text(DEFINITION + "policies: {max_error_percent: 34}\n")
    assert lading("check", folder / "rows.csv", "-d", folder / "things.yaml").status == 3


def test_an_import_says_what_it_deleted_and_an_invalid_one_gives_its_failed_rows_back(lading, folder):
    (folder / "things.yaml").write_text(DEFINITION)
    (folder / "rows.csv").write_text("Id,Kind\n1,A\n2,A\n")
    assert lading("import", folder / "rows.csv", "-d", folder / "things.yaml").status == 0
    (folder / "rows.csv").write_text("Id,Kind\n2,B\n")
    said = lading("import", folder / "rows.csv", "-d", "things", "--mode", "sync")
    assert (said.status, "1 rows: 1 updated; 1 records deleted" in said.out) == (0, True)
    (folder / "rows.csv").write_text("Id,Kind\n2,B\n,A\n")
    out = folder / "failed.csv"
    said = lading(
        "import", folder / "rows.csv", "-d", "things", "--mode", "sync", "--failed-rows", out, "--json"
    )
    assert (said.status, said.json["state"], said.json["error_code"]) == (4, "invalid", "sync.key_unreadable")
    assert (said.json["failed"], said.json["unprocessed"], said.json["deleted"]) == (1, 1, 0)
    assert out.read_text().splitlines()[1].startswith(",A,")


@pytest.mark.usefixtures("things")
def test_check_and_template_do_not_keep_the_document_they_are_given(lading, folder):
    (folder / "rows.csv").write_text("Id,Kind\n1,C\n")
    (folder / "things.yaml").write_text(DEFINITION.replace("[A, B]", "[A, B, C]"))
    assert lading("check", "rows.csv", "-d", "things.yaml", "--json").json["errors_total"] == 0
    assert lading("template", "things.yaml", "-o", "fill.xlsx").status == 0
    assert lading("definitions", "--json").json["definitions"][0]["version"] == 1


def test_an_inferred_definition_can_be_edited_and_applied(lading, folder):
    (folder / "Q1 Report.csv").write_text("Id,When,Note\n1,2024-01-31,x\n2,2024-02-29,\n")
    inferred = lading("infer", "Q1 Report.csv", "--json").json["definition"]
    assert (inferred["name"], inferred["key"], inferred["mode"]) == ("q1_report", ["id"], "upsert")
    assert [f["type"] for f in inferred["fields"]] == ["integer", "date", "string"]
    (folder / "inferred.json").write_text(json.dumps(inferred))
    assert lading("apply", "inferred.json").status == 0


def test_a_job_that_is_not_there_is_wrong_usage(lading):
    said = lading("job", "deadbeef")
    assert (said.status, said.err) == (2, "lading: no job begins with 'deadbeef'; `lading jobs` lists them\n")
    assert lading("jobs", "--json").json == {"jobs": []}
    assert lading("resume", "--json").json == {"jobs": []}


def test_every_command_explains_itself(lading):
    top = typer.main.get_group(command_line()).commands
    assert set(top) == set(COMMANDS)
    commands = [[name, *([sub] if sub else [])] for name in top for sub in getattr(top[name], "commands", [""])]
    assert ["purge"] in commands
    assert ["keys", "create"] in commands
    for command in commands:
        said = lading(*command, "--help")
        assert said.status == 0
        assert ("--json" in said.out) == (command[0] != "serve")


def test_text_of_a_file_does_not_command_the_terminal(lading, folder):
    (folder / "evil.csv").write_text('Id,Na\x1b[31mme\n1,"\x1b]0;owned\x07\n')
    said = lading("check", "evil.csv")
    assert "\x1b" not in said.out
    assert "\\x1b" in said.out


@pytest.mark.parametrize(
    ("name", "headers"),
    [
        ("starmind-tags", ["Id", "Language", "Tags", "Description"]),
        ("starmind-users", ["firstname", "lastname", "email", "language_id", "gender"]),
    ],
)
def test_the_template_of_a_definition_that_comes_with_the_product_can_be_had_at_once(
    lading, folder, name, headers
):
    assert lading("template", name, "-o", "template.xlsx").status == 0
    sheet = fastexcel.read_excel(folder / "template.xlsx").load_sheet(0, header_row=None).to_polars()
    assert list(sheet.row(0))[: len(headers)] == headers
    listed = lading("definitions", "--json").json["definitions"]
    assert {"starmind-tags", "starmind-users"} <= {row["name"] for row in listed}
