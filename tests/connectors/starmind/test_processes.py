"""Starmind's processes over a real socket: the documented way, and the traps of its documents."""

import json
import re

import pytest

from tests.connectors.face_client import face_client
from tests.connectors.starmind.starmind_client import TAGS, refused, with_a_tag, workbook

PROCESS_KEYS = ["start_date", "result", "end_date", "status", "message", "import_id", "type"]
RESULT_KEYS = ["file_name", "created_records", "errors", "updated_records", "user_id", "import_id"]
TAG_LENGTH = "requirement failed: Tag length must be between 2 and 255 characters."
MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


def test_tags_are_validated_then_imported_by_two_processes_with_two_ids(starmind):
    uploaded = starmind.upload(workbook(TAGS), "test_tag_import.xlsx")
    assert uploaded.file_name == "test_tag_import.xlsx"
    waiting = starmind.status(uploaded.import_id)
    assert (waiting.status, waiting.type, waiting.result, waiting.end_date) == (
        "processing",
        "validation",
        None,
        None,
    )
    validated = starmind.finished(uploaded.import_id)
    assert (validated.status, validated.result.created_records, validated.result.errors) == ("success", 0, ())
    assert starmind.client.table("starmind_tags") is None

    put = starmind.put(uploaded.import_id)
    assert put.import_id != uploaded.import_id
    assert (put.user_id, put.file_name) == (uploaded.user_id, uploaded.file_name)
    imported = starmind.finished(put.import_id)
    assert (imported.status, imported.type, imported.import_id) == ("success", "import", put.import_id)
    assert (imported.result.created_records, imported.result.updated_records) == (3, 0)
    assert imported.result.import_id == uploaded.import_id
    assert re.fullmatch(f"tag_{MOMENT}\\.json", imported.result.file_name)
    assert re.fullmatch(f"tag_{MOMENT}\\.xlsx", validated.result.file_name)
    assert [row["tags"] for row in starmind.client.table("starmind_tags")] == [row[2] for row in TAGS]

    assert starmind.status(uploaded.import_id) == validated
    assert starmind.list() == [imported, validated]
    assert starmind.list("users") == []


def test_a_put_may_be_repeated_and_counts_what_is_unchanged_as_updated(starmind):
    number = starmind.valid(workbook(TAGS))
    first, second = starmind.put(number).import_id, starmind.put(number).import_id
    assert len({number, first, second}) == 3
    counted = [starmind.finished(each).result for each in (first, second)]
    assert [(r.created_records, r.updated_records, r.errors) for r in counted] == [(3, 0, ()), (0, 3, ())]


def test_the_state_of_a_process_has_the_keys_of_the_sample_in_its_order(starmind):
    number = starmind.valid(workbook(TAGS))
    found = starmind.http.get(f"/import/tags/{number}/status").json()
    assert list(found) == PROCESS_KEYS
    assert list(found["result"]) == RESULT_KEYS
    assert all(re.fullmatch(MOMENT, found[date]) for date in ("start_date", "end_date"))
    assert found["start_date"] <= found["end_date"]
    (listed,) = starmind.http.get("/import/tags/status").json()
    assert json.dumps(listed) == json.dumps(found)


def test_a_single_wrong_tag_makes_the_validation_an_error_and_the_file_no_file(starmind):
    number = starmind.upload(with_a_tag("x")).import_id
    process = starmind.finished(number)
    assert (process.status, process.message) == ("error", None)
    assert [e.model_dump() for e in process.result.errors] == [
        {"msg": TAG_LENGTH, "metadata": "C", "row": 6, "field": "Tags"}
    ]
    assert "ended in error" in refused(starmind.http.put(f"/import/tags/{number}"), 409)
    assert [p.type for p in starmind.list()] == ["validation"]


@pytest.mark.parametrize("tag", ["x", "x" * 256, "", " x "], ids=["1", "256", "blank", "blanks"])
def test_a_tag_of_another_length_is_told_in_the_documented_words(starmind, tag):
    number = starmind.upload(with_a_tag(tag, row=3)).import_id
    (error,) = starmind.finished(number).result.errors
    assert (error.msg, error.metadata, error.row) == (TAG_LENGTH, "C", 3)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"Id,Language,Tags,Description\n1,en,ab,\n", "xlsx"),
        (b"no workbook at all", "xlsx"),
        (b"\x89PNG\r\n\x1a\n" + bytes(64), "xlsx"),
        (workbook([["1", "en", "x"]], ["Id", "Language", "Description"]), "'Tags'"),
        (workbook([["1", "en", "x"]], ["Name", "Place", "Street"]), "'Tags'"),
        (workbook(TAGS)[:900], ""),
        (b"", "empty"),
    ],
    ids=["csv", "text", "png", "no tags", "other", "cut off", "empty"],
)
def test_what_is_not_the_template_ends_its_validation_in_error_with_a_message(starmind, content, says):
    number = starmind.upload(content).import_id
    process = starmind.finished(number)
    assert (process.status, process.type) == ("error", "validation")
    assert says in process.message
    assert [(e.row, e.metadata, e.field) for e in process.result.errors] == [(0, "", "")]
    refused(starmind.http.put(f"/import/tags/{number}"), 409)


def test_a_file_that_is_still_being_validated_is_not_imported(starmind):
    number = starmind.upload(workbook(TAGS)).import_id
    assert "being validated" in refused(starmind.http.put(f"/import/tags/{number}"), 409)


def test_all_errors_are_in_the_state_and_the_first_ones_in_the_list(starmind):
    number = starmind.upload(workbook([["", "en", "x", ""] for _ in range(2_345)])).import_id
    errors = starmind.finished(number).result.errors
    # Each row has a tag that is too short, and the same as all others.
    assert len(errors) == 2 * 2_345
    assert [e.row for e in errors] == [row for row in range(2, 2_347) for _ in range(2)]
    (listed,) = starmind.list()
    assert listed.result.errors == errors[:100]


@pytest.mark.parametrize("number", ["0", "999999999", "-1", "abc", "%D9%A3", str(2**40), "1e3"])
def test_an_unknown_id_is_not_found(starmind, number):
    assert "there is no" in refused(starmind.http.get(f"/import/tags/{number}/status"), 404)
    assert "there is no" in refused(starmind.http.put(f"/import/tags/{number}"), 404)


def test_another_tenant_s_processes_are_not_there(starmind, service, tenant):
    number = starmind.valid(workbook(TAGS))
    with face_client(service, "starmind", f"{tenant}-other") as other:
        told = refused(other.http.get(f"/import/tags/{number}/status"), 404)
        assert told == refused(other.http.get("/import/tags/999999999/status"), 404).replace(
            "999999999", str(number)
        )
        refused(other.http.put(f"/import/tags/{number}"), 404)
        assert other.http.get("/import/tags/status").json() == []


def test_an_id_leads_to_a_process_of_its_own_entity_and_a_put_to_an_upload(starmind):
    number = starmind.valid(workbook(TAGS))
    imported = starmind.put(number).import_id
    refused(starmind.http.get(f"/import/users/{number}/status"), 404)
    refused(starmind.http.put(f"/import/users/{number}"), 404)
    assert "no uploaded file" in refused(starmind.http.put(f"/import/tags/{imported}"), 404)
