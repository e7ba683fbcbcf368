import pytest

from formats import opened
from schemas.definition import FileOptions
from schemas.document import parse_definition, write_definition
from schemas.errors import FileRefusedError
from schemas.inference import definition_name, infer_definition


@pytest.fixture
def infer(tmp_path):
    """Infers the definition of a csv of these lines."""

    def run(*lines):
        path = tmp_path / "rows.csv"
        path.write_text("\n".join(lines) + "\n")
        with opened(path, FileOptions(), frozenset(), path.name) as file:
            return infer_definition("rows", file.detected, file.blocks())

    return run


@pytest.mark.parametrize(
    ("values", "kind", "form"),
    [
        (["1", "-20", "0"], "integer", None),
        (["1", "2.5", "-3"], "number", None),
        (["007", "008"], "string", None),
        (["+4915112345", "1"], "string", None),
        (["1E5", "2E7"], "string", None),
        (["99999999999999999999", "1"], "decimal", None),
        (["9007199254740993", "1.5"], "decimal", None),
        (["0.12345678901234567891", "1"], "string", None),
        (["0.123456789012345", "1"], "number", None),
        (["true", "No"], "boolean", None),
        (["0", "1"], "integer", None),
        (["2024-01-31", "2024-02-29"], "date", None),
        (["1/31/2024", "2/29/2024"], "date", "%m/%d/%Y"),
        (["31/1/2024", "1/2/2024"], "date", "%d/%m/%Y"),
        (["31.1.2024", "1.2.2024"], "date", "%d.%m.%Y"),
        (["13:44:18", "8:05"], "time", None),
        (["2024-01-31T10:00:00Z", "2024-02-29 11:00"], "datetime", None),
        (["bf40c69b-5aaa-4a4b-99f4-69211aa23288"], "uuid", None),
        (["1", "x"], "string", None),
    ],
)
def test_a_column_has_the_first_type_that_takes_every_value(infer, values, kind, form):
    field = infer("X,Y", *(f"{value},y" for value in values)).definition.fields[0]
    assert (field.type, field.format, field.required) == (kind, form, True)


def test_the_key_is_the_first_column_whose_values_are_all_there_and_all_different(infer):
    inferred = infer("Kind,Blank,Id,Other", "a,,1,x", "a,z,2,y").definition
    assert (inferred.key, inferred.mode) == (("id",), "upsert")
    without = infer("Kind,Blank", "a,", "a,x").definition
    assert (without.key, without.mode) == ((), "insert")
    assert [f.required for f in without.fields] == [True, False]


@pytest.mark.parametrize(
    ("values", "is_key"),
    [
        (["1", "2"], True),
        (["1", " 1"], False),
        (["a", "b"], True),
        (["1.0", "1.00"], False),
        (["1.5", "2.5"], True),
        (["1", "1.5"], True),
        (["0.0", "-0.0"], False),
        (["true", "no"], True),
        (["true", "yes"], False),
        (["2024-01-31", "2024-02-01"], True),
        (["2024-01-31", "2024-01-31T00:00"], False),
        (["8:05", "08:05"], False),
        (["8:05", "8:06"], True),
        (["2024-01-31 10:00Z", "2024-01-31 11:00+01:00"], False),
        (["2024-01-31 10:00Z", "2024-01-31 10:00+01:00"], True),
        (["bf40c69b-5aaa-4a4b-99f4-69211aa23288", "bf40c69b-5aaa-4a4b-99f4-69211aa23289"], True),
        (["bf40c69b-5aaa-4a4b-99f4-69211aa23288", "BF40C69B5AAA4A4B99F469211AA23288"], False),
    ],
)
def test_the_values_of_a_key_differ_as_values_and_not_only_as_text(infer, values, is_key):
    assert infer("X,Y", *(f"{value},y" for value in values)).definition.key == (("x",) if is_key else ())


def test_a_column_that_is_nearly_of_a_type_is_pointed_out(infer):
    rows = [f"{i},2024-01-{i % 28 + 1:02}" for i in range(100)]
    notes = infer("Id,Day", *rows, "100,soon").notes
    count = "100 of its 101 values are of type date"
    assert notes[1:] == (f"'Day' is taken as text: {count}; declare that type to have the other 1 refused",)


def test_dates_that_all_read_both_ways_are_pointed_out(infer):
    inferred = infer("Day", "01/02/2024", "03/04/2024")
    assert inferred.definition.fields[0].format == "%m/%d/%Y"
    assert inferred.notes[1:] == (
        (
            "every date of 'Day' reads both ways; the month is taken to come first, and the order of the rows "
            "does not tell: look at it"
        ),
    )


def test_the_order_of_the_rows_tells_whether_day_or_month_comes_first(infer):
    days = ["11/01/2024", "12/01/2024", "01/02/2024", "02/02/2024", "11/02/2024", "01/03/2024"]
    for rows, way in ((days, "back"), (days[::-1], "forward")):
        inferred = infer("Day", *rows)
        assert inferred.definition.fields[0].format == "%d/%m/%Y"
        assert inferred.notes[1:] == (
            (
                "every date of 'Day' reads both ways; the day is taken to come first: the rows then go "
                f"{way} in time 0 times, not 2"
            ),
        )
    assert infer("Day", "01/11/2024 08:00", "02/01/2025 09:00").definition.fields[0].format == "%m/%d/%Y %H:%M"


def test_names_are_made_fit_and_kept_apart(infer):
    inferred = infer("Größe (cm),Grosse cm,2nd,,Größe cm", "1,2,3,4,5")
    assert [f.name for f in inferred.definition.fields] == ["grosse_cm", "grosse_cm_2", "c_2nd", "grosse_cm_3"]
    assert inferred.notes[1:] == ("column D has no header; it is left out",)


def test_headers_that_read_alike_are_refused(infer):
    with pytest.raises(FileRefusedError, match="two columns are called 'ID '"):
        infer("Id,ID ", "1,2")


def test_an_inferred_definition_can_be_written_down_and_read_again(examples):
    path = examples / "earthquakes.csv"
    with opened(path, FileOptions(), frozenset(), path.name) as file:
        inferred = infer_definition("earthquakes", file.detected, file.blocks())
    assert inferred.definition.key == ("id",)
    assert "'Date' is taken as text: 23,409 of its 23,412 values are of type date" in inferred.notes[1]
    assert parse_definition(write_definition(inferred.definition)) == inferred.definition


@pytest.mark.parametrize(
    ("file_name", "name"),
    [("Q1 Report.csv.gz", "q1_report"), ("2024.csv", "import_2024"), (".csv", "import"), ("ünï.csv", "uni")],
)
def test_a_definition_is_named_after_its_file(file_name, name):
    assert definition_name(file_name) == name


def test_what_the_key_means_is_said(infer):
    assert infer("Id,X", "a,1", "b,1").notes == (
        "'Id' tells the records apart: a row with a known 'Id' updates its record",
    )
    assert infer("X,Y", "a,1", "a,1").notes == (
        "no column tells the rows apart: each row is a new record, also when the file is brought again",
    )


def test_more_columns_than_a_definition_takes_are_refused_before_any_work(infer):
    with pytest.raises(FileRefusedError, match="2,500 columns, and a definition takes 1,999 fields at most"):
        infer(",".join(f"c{i}" for i in range(2_500)), ",".join("x" for _ in range(2_500)))
