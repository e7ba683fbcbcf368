"""Record models: installed pandera models that check what a document can't say."""

import os

import pytest

from schemas.document import parse_definition
from schemas.errors import DefinitionError
from schemas.job import JobState
from schemas.records import known_records
from tasks.reader_process import end_idle_readers

MODELS = '''
import pandera.polars as pa
import polars as pl


class Orders(pa.DataFrameModel):
    """Orders that are delivered after they are made."""

    amount: int = pa.Field(nullable=True, in_range={"min_value": 1, "max_value": 9})
    name: str = pa.Field(nullable=False)
    note: str = pa.Field(nullable=True)

    @pa.check("amount", description="amounts are odd")
    def odd(cls, data):
        return data.lazyframe.select(pl.col(data.key) % 2 == 1)

    @pa.dataframe_check(description="a name is longer than its amount")
    def long_name(cls, data):
        return data.lazyframe.select(pl.col("name").str.len_chars() > pl.col("amount"))

    @pa.dataframe_check
    def noted(cls, data):
        return data.lazyframe.select(pl.col("note").is_null())


def model(name, **attributes):
    return type(name, (pa.DataFrameModel,), {"__annotations__": {"amount": int}} | attributes)


def mean_is_low(cls, data):
    return data.lazyframe.select(pl.col("amount").mean() < 3)


Raising = model("Raising", boom=pa.check("amount", name="boom")(lambda cls, data: 1 / 0))
Scalar = model("Scalar", never=pa.dataframe_check(name="never")(lambda cls, data: False))
Mean = model("Mean", low=pa.dataframe_check(mean_is_low))
Unique = model("Unique", amount=pa.Field(unique=True))
Coercing = model("Coercing", amount=pa.Field(coerce=True))
Unknown = model("Unknown", __annotations__={"weight": float})
Text = model("Text", __annotations__={"amount": str})
'''
NAMES = ["Orders", "Raising", "Scalar", "Mean", "Unique", "Coercing", "Unknown", "Text", "Missing", "model"]


@pytest.fixture
def acme(tmp_path, monkeypatch):
    """An installed distribution with record models, as pip leaves it."""
    site = tmp_path / "site-packages"
    info = site / "acme_records-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "acme_records.py").write_text(MODELS)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-records\nVersion: 1.0\n")
    entries = [f"{name.lower()} = acme_records:{name}" for name in NAMES]
    (info / "entry_points.txt").write_text("\n".join(["[lading.records]", *entries, ""]))
    monkeypatch.syspath_prepend(site)
    # The process that reads files finds it as we do; one that waits for a file was started before.
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(site), *filter(None, [os.getenv("PYTHONPATH")])]))
    end_idle_readers()
    yield
    end_idle_readers()


@pytest.fixture
def with_record(make_definition):
    """Makes a definition whose checks this record completes; `note` is a field that files lack."""
    fields = [
        {"name": "id", "header": "Id"},
        {"name": "name", "header": "Name"},
        {"name": "amount", "header": "Amount", "type": "integer"},
        {"name": "note", "header": "Note"},
    ]
    return lambda record: make_definition(fields=fields, record=record)


def parsed(definition):
    return parse_definition(definition.model_dump_json(exclude_defaults=True))


@pytest.mark.usefixtures("acme")
def test_a_model_of_an_installed_package_makes_row_errors(lading, write_csv, with_record):
    path = write_csv("Id,Name,Amount", "1,abcd,3", "2,abc,3", "3,abcdef,4", "4,,11", "5,,x", "6,a")
    job_id = lading.run(path, with_record("orders"))
    assert [(e.row, e.column, e.field, e.code, e.message, e.value) for e in lading.errors(job_id)][:6] == [
        (3, None, None, "record", "fails the check long_name: a name is longer than its amount", None),
        (4, "C", "amount", "record", "fails the check odd: amounts are odd", "4"),
        (5, "B", "name", "record", "a value is required here", None),
        (5, "C", "amount", "record", "fails the check in_range: in_range(1, 9)", "11"),
        (6, "B", "name", "record", "a value is required here", None),
        (6, "C", "amount", "type.integer", "not a whole number", "x"),
    ]
    assert lading.counts(job_id) == {"created": 1, "failed": 5}


def test_the_record_of_earthquakes_finds_the_explosion_at_an_assumed_depth(lading, examples, earthquakes):
    definition = earthquakes.model_copy(update={"record": "earthquakes"})
    job_id = lading.run(examples / "earthquakes.csv", definition, validate_only=True)
    assert [(e.row, e.message) for e in lading.errors(job_id) if e.code == "record"] == [
        (6750, "fails the check explosions_are_shallow: an explosion is set off at most 10 km below ground")
    ]


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ("ordres", "line 1: record: there is no record 'ordres'; known are 'coercing', 'earthquakes', 'mean'"),
        ("unknown", "the record 'unknown' does not fit the definition 'things': there is no field 'weight'"),
        ("text", "the field 'amount' is Int64, but String in the model"),
        ("unique", "amount is 'unique', which the definition says"),
        ("coercing", "amount changes values"),
        ("missing", r"the record 'missing' \(acme_records:Missing\) can't be loaded"),
        ("model", "the record 'model' is no pandera model of polars frames, but <function"),
    ],
)
@pytest.mark.usefixtures("acme")
def test_a_record_that_can_not_work_is_an_error_of_the_definition(with_record, record, said):
    with pytest.raises(DefinitionError, match=said):
        parsed(with_record(record))


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ("raising", "the check 'boom' of the record 'raising' failed itself: ZeroDivisionError"),
        ("scalar", "the check 'never' of the record 'scalar' failed itself: it has to answer"),
        ("mean", "the check 'mean_is_low' of the record 'mean' failed itself: it has to answer"),
    ],
)
@pytest.mark.usefixtures("acme")
def test_a_check_that_fails_itself_is_named(lading, write_csv, with_record, record, said):
    definition = parsed(with_record(record))
    lading.apply(definition)
    job_id = lading.run(write_csv("Id,Name,Amount", "1,a,5", "2,b,6"), definition)
    job = lading.job(job_id)
    assert job.state is JobState.FAILED
    assert said in job.error_message


def test_a_document_names_only_what_is_installed():
    assert known_records() == ("earthquakes", "starmind_tags", "starmind_users")
    with pytest.raises(DefinitionError, match=r"there is no record 'os\.path'; known are 'earthquakes', "):
        parse_definition("name: a\nrecord: os.path\nkey: [x]\nfields: [{name: x}]\ndestination: {table: a}\n")
