import json

import pytest

from cli.watch import watched
from flows.run import import_directly
from schemas.import_request import ImportRequest
from store.database import Store
from store.definitions import put_definition
from store.jobs import get_job

KEYS = [
    "job_id",
    "state",
    "terminal",
    "rows",
    "created",
    "updated",
    "unchanged",
    "ignored",
    "failed",
    "unconfirmed",
    "unprocessed",
    "deleted",
]


def import_here(home, path, definition):
    """Import the file in this process; gives the job's id."""
    with Store.opened(home) as store, store.write() as session:
        put_definition(session, home.tenant, definition)
    return import_directly(home, ImportRequest(str(path), definition.name))


@pytest.fixture
def my_csv(folder):
    path = folder / "my.csv"
    path.write_text("Id,Name,Amount\n007,A,1\n008,B,2\n")
    return path


def test_the_readers_own_file_is_imported_with_an_inferred_definition(lading_process, lading, my_csv):
    first = lading_process("import", my_csv, "--yes")
    assert first.status == 0
    assert "2 rows: 2 created" in first.out
    assert "\nupload     job " in first.out
    assert "upsert" in first.out
    assert lading("definitions", "--json").json["definitions"][0]["name"] == "my"
    again = lading_process("import", my_csv, "--yes", "--json")
    assert (again.status, again.json["unchanged"], again.err) == (0, 2, "")


def test_without_a_terminal_and_without_yes_nothing_is_agreed_to(lading_process, my_csv, folder):
    said = lading_process("import", my_csv)
    assert said.status == 2
    assert "pass -d NAME or --yes" in said.err
    assert not (folder / ".lading" / "data").exists()


@pytest.mark.slow
def test_json_is_one_object_with_the_counts_and_the_first_twenty_errors(lading_process, examples):
    said = lading_process("import", examples / "earthquakes.csv", "-d", examples / "earthquakes.yaml", "--json")
    assert (said.status, said.err) == (3, "")
    answer = said.json
    assert list(answer)[: len(KEYS)] == KEYS
    assert (answer["state"], answer["rows"], answer["created"], answer["failed"]) == (
        "finished",
        23_412,
        23_409,
        3,
    )
    assert len(answer["errors"]) == 6
    assert answer["errors"][0] == {
        "row": 3380,
        "line": 3380,
        "sheet": None,
        "column": "A",
        "field": "date",
        "code": "type.date",
        "message": "not a date of the form %m/%d/%Y",
        "value": "1975-02-23T02:58:41.000Z",
    }
    detected = answer["detected"]
    assert (detected["kind"], detected["encoding"], detected["delimiter"], detected["header_row"]) == (
        "csv",
        "utf-8",
        ",",
        1,
    )


@pytest.mark.slow
def test_failed_rows_can_be_mended_and_sent_again(lading_process, folder):
    (folder / "things.csv").write_text("Id,Name,Amount\na,=1+1,x\nb,-5,2\nc,C,y\n")
    (folder / "things.json").write_text(
        json.dumps(
            {
                "name": "things",
                "key": "id",
                "fields": [
                    {"name": "id", "header": "Id"},
                    {"name": "name", "header": "Name"},
                    {"name": "amount", "header": "Amount", "type": "integer"},
                ],
                "destination": {"table": "things"},
            }
        )
    )
    first = lading_process("import", "things.csv", "-d", "things.json", "--failed-rows", "failed.csv", "--json")
    assert (first.status, first.json["created"], first.json["failed"]) == (3, 1, 2)
    text = (folder / "failed.csv").read_text("utf-8-sig")
    assert text.splitlines()[0].startswith("Id,Name,Amount,lading_errors")
    assert "a,'=1+1,x," in text
    same = lading_process("import", "failed.csv", "-d", "things", "--json")
    assert (same.status, same.json["rows"], same.json["failed"], same.json["warnings"]) == (3, 2, 2, [])
    (folder / "failed.csv").write_text(text.replace(",x,", ",1,").replace(",y,", ",3,"))
    mended = lading_process("import", "failed.csv", "-d", "things", "--json")
    assert (mended.status, mended.json["created"]) == (0, 2)
    shown = lading_process("import", "things.csv", "-d", "things", "--json")
    assert shown.json["unchanged"] == 1


def test_a_copy_of_the_failed_rows_that_cannot_be_made_takes_nothing_from_the_answer(
    lading, folder, home, make_definition
):
    (folder / "things.csv").write_text("Id,Amount\na,x\n")
    job_id = import_here(home, folder / "things.csv", make_definition())
    [upload] = (path for path in (home.home / "uploads").rglob("*") if path.is_file())
    upload.unlink()
    said = lading("job", job_id, "--failed-rows", "failed.csv", "--json")
    assert (said.status, said.json["job_id"], said.json["failed"]) == (3, job_id, 1)
    assert "the failed rows were not written to failed.csv: the bytes of " in said.err


def test_a_copy_of_the_failed_rows_goes_through_a_link(lading, folder, home, make_definition):
    (folder / "things.csv").write_text("Id,Amount\na,x\n")
    job_id = import_here(home, folder / "things.csv", make_definition())
    (folder / "failed.csv").write_text("old")
    (folder / "link.csv").symlink_to("failed.csv")
    assert lading("job", job_id, "--failed-rows", "link.csv").status == 3
    assert (folder / "link.csv").is_symlink()
    assert (folder / "failed.csv").read_text("utf-8-sig").startswith("Id,Amount,lading_errors\na,x,")


def test_a_job_that_ends_between_two_looks_is_shown_all_the_same(folder, home, make_definition, capsys):
    (folder / "things.csv").write_text("Id,Amount\na,1\n")
    with watched(home, quiet=False) as watcher:
        job_id = import_here(home, folder / "things.csv", make_definition())
        with Store.opened(home) as store, store.read() as session:
            assert get_job(session, job_id).lease_owner is None
        watcher.follow(job_id)
    assert f"upload     job {job_id}\n" in capsys.readouterr().out


@pytest.mark.slow
def test_a_flow_shows_each_stage_and_no_line_says_error(lading_process, my_csv):
    said = lading_process("import", my_csv, "--yes", "--flow")
    assert said.status == 0
    assert "2 rows: 2 created" in said.out
    for stage in ("upload", "validate", "import", "poll", "report"):
        assert f"\n{stage} " in said.out
    assert "ERROR" not in said.out + said.err


@pytest.mark.slow
def test_an_invalid_file_ends_with_four_and_wrong_usage_with_two(lading_process, lading, my_csv, folder):
    lading_process("import", my_csv, "--yes")
    (folder / "empty.csv").write_text("")
    invalid = lading_process("import", "empty.csv", "-d", "my", "--json", "--failed-rows", "failed.csv")
    assert (invalid.status, invalid.json["state"], invalid.json["error_code"]) == (4, "invalid", "file.empty")
    assert invalid.err == ""
    shown = lading("job", invalid.json["job_id"], "--failed-rows", "failed.csv")
    assert shown.status == 4
    assert "invalid    nothing was imported\n" in shown.out
    assert "failed     nothing was written to failed.csv\n" in shown.out
    assert not (folder / "failed.csv").exists()
    assert lading("import", "nowhere.csv").status == 2
    assert lading("import", my_csv, "-d", "nothing").err.startswith(
        "lading: there is no definition named 'nothing'"
    )
    assert (
        lading("import", my_csv, "-d", "nothing", "--json").json["error"].startswith("there is no definition")
    )
    assert lading("import", my_csv, "-d", "my", "--mode", "sideways").status == 2
    assert lading("import").status == 2
