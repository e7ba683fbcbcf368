from datetime import datetime

import polars as pl
import pytest
from hypothesis import given, strategies as st
from pydantic import ValidationError

from schemas.definition import Definition, Field, Mode
from schemas.document import parse_definition, read_definition, write_definition
from schemas.errors import DefinitionError, NotFoundError
from schemas.field_types import FieldType
from schemas.pandera_schema import failures, pandera_schema

DOCUMENT = """name: things
key: [id]
fields:
  - {name: id, required: true}
  - {name: amount, type: integer, min: 0, max: 10}
destination: {table: things}
"""


def refusal(text):
    with pytest.raises(DefinitionError) as caught:
        parse_definition(text)
    return caught.value.line, str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("min: 0", "minn: 0", 5, "unknown key 'fields.1.minn'; did you mean 'min'?"),
        ("min: 0", "min: lots", 5, "'lots' is no value of type 'integer'"),
        ("min: 0", "min: 11", 5, "'min' is greater than 'max'"),
        ("min: 0", "pattern: x", 5, "'pattern' does not apply to type 'integer'"),
        ("required: true", "pattern: '['", 4, "is no regular expression"),
        ("required: true", "type: date, format: '%Q'", 4, "has a directive that is not known"),
        ("required: true", "type: datetime, timezone: Mars", 4, "there is no time zone 'Mars'"),
        ("required: true", "type: choice", 4, "needs 'choices'"),
        ("required: true", "required: true, written: on_update", 4, "can't be 'required'"),
        ("required: true", "written: on_create", None, "so 'id' is always written"),
        ("min: 0", "written: never", 5, "Input should be 'always', 'on_create' or 'on_update'"),
        ("required: true", "type: choice, choices: [A], default: B", 4, "is none of the choices"),
        ("name: amount", "name: ID", 1, "two fields are named 'id'"),
        ("name: amount", "name: lading_x", 5, "the name 'lading_x' is reserved"),
        ("name: amount", "name: _Row", 5, "the name '_Row' is reserved"),
        ("name: amount", "name: 'a b'", 5, "String should match pattern"),
        ("name: amount", "name: amount, header: ID", None, "both claim the header"),
        ("type: integer, min: 0", "type: number, min: nan", 5, "'nan' is no value of type 'number'"),
        ("type: integer, min: 0", "type: decimal, min: NaN", 5, "'NaN' is no value of type 'decimal'"),
        ("min: 0", "min: 9223372036854775808", 5, "is no value of type 'integer'"),
        ("required: true", "type: time, format: '%H:%M:%S,%f'", 4, "fractions of a second are %.f"),
        ("min: 0", "default: 11", 5, "the default 11 is not between 'min' and 'max'"),
        ("min: 0", "default: 7, min: 8", 5, "the default 7 is not between 'min' and 'max'"),
        ("required: true", "default: abc, max_length: 2", 4, "the default 'abc' is longer than 'max_length'"),
        ("required: true", "default: abc, min_length: 4", 4, "the default 'abc' is shorter than 'min_length'"),
        ("required: true", "default: abc, pattern: ab", 4, "the default 'abc' does not match 'pattern'"),
        ("required: true", "default: x, type: uuid", 4, "the default 'x' is no value of type 'uuid'"),
        ("required: true", "default: x, type: email", 4, "the default 'x' is no value of type 'email'"),
        ("required: true", "default: x, type: json", 4, "the default 'x' is no value of type 'json'"),
        (
            "required: true",
            "default: B, type: multichoice, choices: [A]",
            4,
            "is no value of type 'multichoice'",
        ),
        ("required: true", "default: '20240102', type: date", 4, "is no value of type 'date'"),
        ("[id]", "[]", 1, "mode 'upsert' needs a 'key'"),
        ("[id]", "[id, id]", 1, "names a field twice"),
        ("table: things", "table: sqlite_master", 6, "is reserved"),
        ("table: things", "table: things}\nname: {a: 1", 7, "the key 'name' stands twice"),
        ("[id]", "&k [id]\nmode: *k", 3, "aliases"),
        ("fields:", "rows:", 1, "the key 'fields' is missing (and 1 more)"),
        (DOCUMENT, "", None, "is a mapping"),
        (DOCUMENT, "[1, 2]", None, "is a mapping"),
        (DOCUMENT, "a: \0", None, "not valid YAML"),
        (DOCUMENT, "a: [" * 2_000, None, "not valid YAML"),
    ],
)
def test_a_wrong_document_is_refused_with_the_line_and_what_would_be_right(old, new, line, says):
    found_line, message = refusal(DOCUMENT.replace(old, new, 1))
    assert says in message
    if line is not None:
        assert found_line == line


def test_json_is_as_good_as_yaml():
    assert parse_definition(parse_definition(DOCUMENT).model_dump_json()) == parse_definition(DOCUMENT)


JSON_DOCUMENT = """{
	"name": "things",
	"key": ["id"],
	"fields": [
		{"name": "id", "header": "\\ud83d\\ude80"},
		{"name": "amount", "type": "integer"}
	],
	"destination": {"table": "things"}
}
"""


def test_json_may_have_tabs_and_escapes():
    assert parse_definition(JSON_DOCUMENT).field("id").header == ("🚀",)


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ('"integer"}', '"integer", "min": NaN}', None, "NaN is no value"),
        ('"integer"}', '"integer", "type": "number"}', 6, "the key 'type' stands twice"),
        ('"integer"}', '"integr"}', 6, "fields.1.type"),
        ('"integer"}', '"integer",}', 6, "not valid JSON"),
        ('"things",', "things,", 2, "not valid JSON"),
        (JSON_DOCUMENT, '{"a": ' * 100_000, None, "not valid JSON"),
    ],
)
def test_a_wrong_json_document_is_refused_with_the_line(old, new, line, says):
    found_line, message = refusal(JSON_DOCUMENT.replace(old, new, 1))
    assert says in message
    assert found_line == line


@pytest.mark.parametrize(
    "bare", ["010", "12:30", "0x1F", "0b11", "1_000", "yes", "no", "Off", "=", ".inf", "1e5"]
)
def test_what_is_no_plain_number_or_truth_value_stays_text(bare):
    field = parse_definition(DOCUMENT.replace("required: true", f"default: {bare}, pattern: {bare}")).field(
        "id"
    )
    assert (field.default, field.pattern) == (bare, bare)


def test_plain_numbers_and_truth_values_are_such():
    plain = [
        ("7", 7),
        ("-7", -7),
        ("1.5", 1.5),
        ("1.0e+20", 1e20),
        ("true", True),
        ("False", False),
        ("~", None),
    ]
    for text, value in plain:
        found = parse_definition(DOCUMENT.replace("required: true", f"default: {text}")).field("id").default
        assert (found, type(found)) == (value, type(value))


def test_the_problem_inside_a_list_is_told_and_not_that_the_list_is_empty():
    only = DOCUMENT.replace("  - {name: amount, type: integer, min: 0, max: 10}\n", "")
    line, message = refusal(only.replace("required", "requierd"))
    assert line == 4
    assert message == "line 4: unknown key 'fields.0.requierd'; did you mean 'required'?"


def test_every_integer_of_64_bits_may_be_a_limit():
    limits = f"min: {-(2**63)}, max: {2**63 - 1}"
    field = parse_definition(DOCUMENT.replace("min: 0, max: 10", limits)).field("amount")
    assert (field.min, field.max) == (-(2**63), 2**63 - 1)


def test_limits_without_an_offset_are_read_in_the_zone_of_the_field():
    kind = "type: datetime, timezone: Europe/Berlin, min: 2024-07-01 12:00, max: 2024-07-01T11:00:00+00:00"
    definition = parse_definition(DOCUMENT.replace("type: integer, min: 0, max: 10", kind))
    moments = [datetime(2024, 7, 1, hour) for hour in (9, 10, 11, 12)]  # noqa: DTZ001 - naive UTC, as kept
    found = failures(pandera_schema(definition), pl.DataFrame({"amount": moments}).cast(pl.Datetime("us")))
    assert found.select("index", "code").rows() == [(0, "min"), (3, "max")]


def test_a_date_in_a_limit_stays_text():
    text = DOCUMENT.replace("type: integer, min: 0, max: 10", "type: date, min: 2020-01-01")
    assert parse_definition(text).field("amount").min == "2020-01-01"


def test_a_missing_or_unreadable_document_is_said_to_be_so(tmp_path):
    with pytest.raises(NotFoundError, match="no file"):
        read_definition(tmp_path / "nowhere.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"name: \xe9")
    with pytest.raises(DefinitionError, match="not UTF-8"):
        read_definition(tmp_path / "latin.yaml")


def test_only_mode_insert_does_without_a_key():
    keyless = parse_definition(DOCUMENT.replace("[id]", "[]\nmode: insert"))
    with pytest.raises(DefinitionError, match="needs a 'key'"):
        keyless.in_mode(Mode.UPDATE)
    assert parse_definition(DOCUMENT).in_mode(Mode.INSERT).mode is Mode.INSERT


NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,10}", fullmatch=True).filter(lambda n: not n.startswith("lading_"))
HEADERS = st.lists(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1), max_size=2
)


@given(st.dictionaries(NAMES, HEADERS, min_size=1, max_size=5), st.data())
def test_every_definition_is_read_back_as_it_was_written(headers, data):
    seen: set[str] = set()
    fields = []
    for name, texts in headers.items():
        kind = data.draw(st.sampled_from([t for t in FieldType if t not in ("choice", "multichoice")]))
        fresh = tuple(text for text in texts if not (text in seen or seen.add(text)))
        fields.append(Field(name=name, header=fresh, type=kind, required=data.draw(st.booleans())))
    definition = Definition(
        name="things", key=(fields[0].name,), fields=tuple(fields), destination={"table": "things"}
    )
    text = write_definition(definition)
    try:
        read = parse_definition(text)
    except DefinitionError as error:
        assert "both claim the header" in str(error)  # noqa: PT017 - the only refusal that may come
    else:
        assert read == definition


def test_more_fields_than_any_table_takes_are_refused():
    fields = "".join(f"  - {{name: f{n}}}\n" for n in range(2_000))
    with pytest.raises(DefinitionError, match="at most 1999 items"):
        parse_definition(f"name: wide\nkey: [f0]\nfields:\n{fields}destination: {{table: wide}}\n")


@pytest.mark.parametrize(
    "database",
    [
        "postgresql://u:s3cret@host/x",
        "postgresql+psycopg://u:s3/cret@host/x",
        "postgresql://:s3cret@/x",
        "postgresql://host/x?password=s3cret",
        "postgresql://host/x?a=b&sslpassword=s3cret",
    ],
)
def test_password_in_the_url_of_a_database_is_refused_and_not_repeated(make_definition, database):
    with pytest.raises(ValidationError, match="password: env:NAME") as refused:
        make_definition(destination={"database": database, "table": "things"})
    assert "cret" not in str(refused.value)


@pytest.mark.parametrize(
    "destination",
    [
        {"database": "postgresql://u@host:5432/x", "password": "env:PG_PASSWORD", "table": "sales.things"},
        {"database": "postgresql:///x?host=/run/postgresql", "table": "things"},
        {"database": "sqlite:////folder/file.db", "table": "things"},
        {"database": "warehouse-2", "table": "sales.things"},
    ],
)
def test_database_by_its_url_or_name_is_taken(make_definition, destination):
    assert make_definition(destination=destination).destination.model_dump(exclude_unset=True) == destination


@pytest.mark.parametrize(
    "destination",
    [
        {"table": "things", "password": "env:X"},
        {"database": "warehouse", "table": "things", "password": "env:X"},
        {"database": "", "table": "things"},
        {"database": "/folder/file.db", "table": "things"},
        {"database": "../file", "table": "things"},
        {"database": "Warehouse", "table": "things"},
        {"database": "warehouse\n", "table": "things"},
        {"database": "postgresql://h/x", "table": "things", "password": "s3cret"},
        {"database": "postgresql://h/x", "table": "sales.lading_things"},
        {"database": "postgresql://h/x", "table": "a.b.c"},
    ],
)
def test_destination_that_can_not_be_is_refused(make_definition, destination):
    with pytest.raises(ValidationError):
        make_definition(destination=destination)
