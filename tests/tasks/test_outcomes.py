import pytest

from schemas.definition import Mode
from schemas.errors import DefinitionError, FatalError, NotFoundError
from schemas.job import JobState

HEADER = "Id,Name,Amount"


def codes(errors):
    return [(error.row, error.column, error.field, error.code) for error in errors]


@pytest.mark.parametrize("lading", ["sqlite", "postgresql"], indirect=True)
def test_a_changed_file_tells_created_updated_and_unchanged_apart(lading, make_definition, write_csv):
    lading.run(write_csv(HEADER, "a,A,1", "b,B,2"), make_definition())
    job = lading.run(write_csv(HEADER, "a,A,1", "b,B,3", "c,C,4"), make_definition())
    assert lading.letters(job) == "NUC"
    assert lading.table().rows() == [("a", "A", 1), ("b", "B", 3), ("c", "C", 4)]
    assert lading.settings.store_path.exists() is (lading.settings.store_url is None)


def test_a_column_that_the_file_lacks_is_left_alone_and_a_blank_cell_is_null(
    lading, make_definition, write_csv
):
    lading.run(write_csv(HEADER, "a,A,1", "b,B,2"), make_definition())
    job = lading.run(write_csv("Id,Amount", "a,", "b,2"), make_definition())
    assert lading.letters(job) == "UN"
    assert lading.table().rows() == [("a", "A", None), ("b", "B", 2)]
    assert lading.job(job).warnings == ["the file lacks the column 'Name'; left alone in records that exist"]


@pytest.mark.parametrize(
    ("mode", "policies", "letters", "code"),
    [
        ("insert", {}, "FC", "load.exists"),
        ("insert", {"existing": "ignore"}, "IC", None),
        ("update", {}, "UG", "load.missing"),
        ("update", {"missing": "ignore"}, "UI", None),
        ("upsert", {}, "UC", None),
    ],
)
def test_each_mode_does_what_it_may_and_says_what_it_did_not(
    lading, make_definition, write_csv, mode, policies, letters, code
):
    lading.run(write_csv(HEADER, "a,A,1"), make_definition())
    job = lading.run(write_csv(HEADER, "a,A,9", "b,B,2"), make_definition(mode=mode, policies=policies))
    assert lading.letters(job) == letters
    line, key = (2, "a") if code == "load.exists" else (3, "b")
    expected = [(code, line, line, "A", "id", key)] if code else []
    assert [(e.code, e.row, e.line, e.column, e.field, e.value) for e in lading.errors(job)] == expected


DUPLICATES = ("a,A,1", "b,B,2", "a,A2,3", "a,bad,x", "c,C,5")


@pytest.mark.parametrize(
    ("policy", "letters", "names"),
    [("error", "FCFFC", ["B", "C"]), ("first", "CCIFC", ["A", "B", "C"]), ("last", "ICCFC", ["A2", "B", "C"])],
)
def test_rows_with_the_same_key_are_settled_by_the_policy(
    lading, make_definition, write_csv, policy, letters, names
):
    job = lading.run(write_csv(HEADER, *DUPLICATES), make_definition(policies={"duplicates": policy}))
    assert lading.letters(job) == letters
    assert lading.table()["name"].to_list() == names


def test_each_row_of_a_group_of_duplicates_names_the_others(lading, make_definition, write_csv):
    job = lading.run(write_csv(HEADER, *DUPLICATES), make_definition())
    found = [error for error in lading.errors(job) if error.code == "key.duplicate"]
    assert [(e.row, e.line, e.column, e.field, e.value) for e in found] == [
        (row, row, "A", "id", "a") for row in (2, 4, 5)
    ]
    assert [error.message.removeprefix("the same key stands in ") for error in found] == [
        "rows 4, 5",
        "rows 2, 5",
        "rows 2, 4",
    ]


def test_duplicates_are_found_across_chunks_and_blocks(lading, make_definition, write_csv):
    rows = [f"k{i},n,{i}" for i in range(45_000)]
    rows[44_999] = "k7,n,1"
    job = lading.run(write_csv(HEADER, *rows), make_definition())
    assert lading.counts(job) == {"created": 44_998, "failed": 2}
    assert codes(lading.errors(job)) == [(9, "A", "id", "key.duplicate"), (45_001, "A", "id", "key.duplicate")]


def test_a_key_of_several_fields_is_compared_as_a_whole(lading, make_definition, write_csv):
    definition = make_definition(key=["id", "name"])
    job = lading.run(write_csv(HEADER, "a,A,1", "a,B,2", "a,A,3"), definition)
    assert lading.letters(job) == "FCF"
    assert [(error.field, error.value) for error in lading.errors(job)] == [(None, "a; A"), (None, "a; A")]


def test_a_unique_field_may_be_blank_but_not_stand_twice(lading, make_definition, write_csv):
    fields = [{"name": "id", "header": "Id"}, {"name": "name", "header": "Name", "unique": True}]
    job = lading.run(write_csv("Id,Name", "a,X", "b,", "c,", "d,X"), make_definition(fields=fields))
    assert lading.letters(job) == "FCCF"
    assert codes(lading.errors(job)) == [(2, "B", "name", "unique"), (5, "B", "name", "unique")]


def test_all_errors_of_a_row_are_found_at_once(lading, make_definition, write_csv):
    fields = [
        {"name": "id", "header": "Id", "max_length": 2, "pattern": "[a-z]+"},
        {"name": "day", "header": "Day", "type": "date", "required": True, "min": "2020-01-01"},
        {"name": "kind", "header": "Kind", "type": "choice", "choices": ["A", "B"]},
    ]
    path = write_csv("Title", "", "Kind,Day,Id", "C,x,ABC", "A,,", "B,2019-12-31,ab")
    job = lading.run(path, make_definition(fields=fields))
    assert codes(lading.errors(job)) == [
        (4, "C", "id", "max_length"),
        (4, "C", "id", "pattern"),
        (4, "B", "day", "type.date"),
        (4, "A", "kind", "choices"),
        (5, "C", "id", "required"),
        (5, "B", "day", "required"),
        (6, "B", "day", "min"),
    ]
    assert lading.counts(job) == {"failed": 3}


def test_a_malformed_row_is_one_error_with_its_text_and_the_rest_is_read(lading, make_definition, write_csv):
    job = lading.run(write_csv(HEADER, "a,A,1", "b,B", 'c,"C,3', "d,D,4"), make_definition())
    assert lading.letters(job) == "CFFC"
    assert [(e.row, e.line, e.code, e.value) for e in lading.errors(job)] == [
        (3, 3, "row.field_count", "b,B"),
        (4, 4, "row.quote", 'c,"C,3'),
    ]


def test_a_poison_row_costs_one_row(lading, make_definition, write_csv):
    lading.execute("CREATE TABLE things (id TEXT PRIMARY KEY, name TEXT, amount INT CHECK (amount <> 13))")
    job = lading.run(write_csv(HEADER, *(f"k{i},n,{i}" for i in range(2_500))), make_definition())
    assert lading.counts(job) == {"created": 2_499, "failed": 1}
    assert [(e.ordinal, e.row, e.line, e.code) for e in lading.errors(job)] == [(13, 15, 15, "load.constraint")]
    assert lading.job(job).error_groups == [["load.constraint", None, 1]]


def test_a_table_that_does_not_fit_fails_the_job_and_names_the_difference(lading, make_definition, write_csv):
    lading.execute("CREATE TABLE things (id TEXT PRIMARY KEY, name TEXT)")
    job = lading.job(lading.run(write_csv(HEADER, "a,A,1", "b,B,2"), make_definition()))
    assert (job.state, job.error_code, job.rows, job.unprocessed) == ("failed", "destination.mismatch", 2, 2)
    assert "amount" in job.error_message


def test_validate_only_writes_nothing_and_still_accounts_for_every_row(lading, make_definition, write_csv):
    path = write_csv(HEADER, "a,A,1", "b,B,x", "c,C,3", "a,A,1")
    job = lading.run(path, make_definition(policies={"duplicates": "first"}), validate_only=True)
    assert lading.job(job).state is JobState.FINISHED
    assert lading.counts(job) == {"failed": 1, "ignored": 1, "unprocessed": 2}
    assert lading.letters(job) == "PFPI"
    assert not lading.settings.table_path("local").exists()


@pytest.mark.parametrize(
    ("lines", "code", "hint"),
    [
        (["Name,Amount", "A,1"], "header.missing", "'Id'"),
        (["Idd,Name,Amount", "a,A,1"], "header.missing", "did you mean 'Idd'?"),
        (["Id,id ,Amount", "a,A,1"], "header.duplicate", "'Id', 'id '"),
        ([], "file.empty", "empty"),
    ],
)
def test_a_file_as_a_whole_can_be_invalid_and_then_nothing_is_written(
    lading, make_definition, write_csv, lines, code, hint
):
    job = lading.job(lading.run(write_csv(*lines), make_definition()))
    assert (job.state, job.rows, job.error_code) == (JobState.INVALID, 0, code)
    assert hint in job.error_message
    assert [error.code for error in lading.errors(job.id)] == [code]
    assert not lading.settings.table_path("local").exists()


@pytest.mark.parametrize(
    ("policy", "state"), [("warn", "finished"), ("ignore", "finished"), ("error", "invalid")]
)
def test_unknown_columns_are_listed_or_refused_or_passed_over(
    lading, make_definition, write_csv, policy, state
):
    path = write_csv("Id,Name,Amount,Remark", "a,A,1,x")
    job = lading.job(lading.run(path, make_definition(policies={"unknown_columns": policy})))
    assert job.state == state
    assert any("'Remark'" in warning for warning in job.warnings) == (policy == "warn")


def test_a_column_without_a_header_that_holds_something_is_told_of(lading, make_definition, write_csv):
    path = write_csv("Id,,Name,Amount,", "a,lost,A,1,", "b,,B,2,")
    assert lading.job(lading.run(path, make_definition())).warnings == [
        "column B has no header; what it holds was left out"
    ]


def test_headers_match_whatever_their_case_and_spaces(lading, make_definition, tmp_path):
    path = tmp_path / "odd.csv"
    path.write_bytes(
        "\ufeff  iD ,NA\u00a0ME,amount\n".replace("NA\u00a0ME", "name\u00a0").encode() + b"a,A,1\n"
    )
    assert lading.letters(lading.run(path, make_definition())) == "C"


def test_a_file_with_a_header_only_is_finished_with_no_rows(lading, make_definition, write_csv):
    job = lading.job(lading.run(write_csv(HEADER), make_definition()))
    assert (job.state, job.rows, job.warnings) == ("finished", 0, ["the file has a header but no rows"])


def test_defaults_fill_blank_cells_and_missing_columns_of_new_records(lading, make_definition, write_csv):
    fields = [
        {"name": "id", "header": "Id"},
        {"name": "amount", "header": "Amount", "type": "integer", "default": 7},
    ]
    lading.run(write_csv("Id,Amount", "a,", "b,1"), make_definition(fields=fields))
    lading.run(write_csv("Id", "b", "c"), make_definition(fields=fields))
    assert lading.table().rows() == [("a", 7), ("b", 1), ("c", 7)]


def test_every_type_arrives_as_it_is_kept_and_is_unchanged_the_second_time(lading, make_definition, write_csv):
    types = {
        "s": ("string", "007"),
        "i": ("integer", "42"),
        "n": ("number", "1.5"),
        "d": ("decimal", "0.10"),
        "b": ("boolean", "yes"),
        "day": ("date", "2024-02-29"),
        "t": ("time", "13:44"),
        "m": ("datetime", "2024-02-29T13:44:18Z"),
        "j": ("json", '"[1, 2]"'),
        "u": ("uuid", "BF40C69B-5AAA-4A4B-99F4-69211AA23288"),
        "e": ("email", "jo@example.com"),
    }
    fields = [{"name": name, "type": kind} for name, (kind, _) in types.items()]
    fields += [
        {"name": "c", "type": "choice", "choices": ["A"]},
        {"name": "x", "type": "multichoice", "choices": ["A"]},
    ]
    definition = make_definition(key=["s"], fields=fields)
    path = write_csv(",".join([*types, "c", "x"]), ",".join([*(text for _, text in types.values()), "A", "A"]))
    assert lading.letters(lading.run(path, definition)) == "C"
    assert lading.table().row(0) == (
        "007",
        42,
        1.5,
        "0.1",
        1,
        "2024-02-29",
        "13:44:00",
        "2024-02-29 13:44:18",
        "[1, 2]",
        "bf40c69b-5aaa-4a4b-99f4-69211aa23288",
        "jo@example.com",
        "A",
        '["A"]',
    )
    assert lading.letters(lading.run(path, definition)) == "N"


def test_what_is_wrong_with_a_request_is_said_before_there_is_a_job(
    lading, make_definition, write_csv, tmp_path
):
    with pytest.raises(NotFoundError, match=r"no file .*nowhere\.csv"):
        lading.run(tmp_path / "nowhere.csv", make_definition())
    with pytest.raises(FatalError, match="no regular file"):
        lading.run(tmp_path, make_definition())
    with pytest.raises(DefinitionError, match="needs a 'key'"):
        lading.run(write_csv(HEADER), make_definition(key=[], mode="insert"), mode=Mode.UPSERT)
