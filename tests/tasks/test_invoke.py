"""Records that are taken in while their client waits: each is answered for itself; its job says the same."""

import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

from connectors.invocation import Invocation
from schemas.errors import BodyError, DefinitionError, DestinationError, NotFoundError, RetriableError
from schemas.job import JobKind, JobState
from schemas.principal import Principal, Scope
from store.database import Store
from store.job_lists import JobFilter, page_of_jobs
from store.jobs import set_values
from store.uploads import get_upload
from tasks import invoke_at_once
from tasks.failed_rows import kept_failed_rows
from tasks.invoke import invoke

WHO = Principal("k1", "local", frozenset({Scope.IMPORTS_CREATE}))
OPERATOR = Principal("k2", "local", frozenset({Scope.ADMIN}))
RULES = [
    {"extract": "Id", "generate": "id"},
    {"extract": "Name", "generate": "name"},
    {"extract": "Amount", "generate": "amount"},
]


@pytest.fixture
def send(lading):
    """Invokes a definition with records; gives the answers."""

    def sent(definition, *records, who=WHO, **more):
        lading.apply(definition)
        with Store.opened(lading.settings) as store:
            return invoke(lading.settings, store, who, Invocation(definition.name, records, **more))

    return sent


@pytest.fixture
def the_job(lading):
    """The one job that there is, with the name and the bytes of its upload."""

    def found():
        with Store.opened(lading.settings) as store, store.read() as session:
            (job,) = page_of_jobs(session, "local", JobFilter(), limit=10)
            upload = get_upload(session, job.upload_id)
        return job, upload.file_name, lading.settings.upload_path(upload.sha256).read_bytes()

    return found


def outcomes(told):
    return [answer.outcome.value for answer in told]


def codes(told):
    return [[(error.code, error.field) for error in answer.errors] for answer in told]


def test_each_record_is_answered_and_one_that_is_wrong_costs_no_other(send, lading, the_job, make_definition):
    lading.execute("CREATE TABLE things (id TEXT PRIMARY KEY, name TEXT, amount INT CHECK (amount <> 13))")
    definition = make_definition()
    told = send(
        definition,
        {"Id": "a", "Name": "x", "Amount": 1},
        {"Id": "b", "Amount": "many"},
        {"Id": "c", "Amount": 13},
        {"Name": "nobody"},
        5,
        {"Id": "d", "Name": "\ud83d"},
        {"id": "e"},
        label="from a test",
    )
    assert outcomes(told) == ["created", "failed", "failed", "failed", "failed", "failed", "created"]
    assert codes(told) == [
        [],
        [("type.integer", "amount")],
        [("load.constraint", None)],
        [("required", "id")],
        [("row.not_object", None)],
        [("row.json", None)],
        [],
    ]
    assert [answer.target_id for answer in told] == ['["a"]', *[None] * 5, '["e"]']
    (error,) = told[1].errors
    assert (error.ordinal, error.row, error.line, error.column, error.value) == (1, 2, 2, None, "many")
    assert lading.table().rows() == [("a", "x", 1), ("e", None, None)]

    job, name, kept = the_job()
    assert (job.kind, job.state, job.creation_path) == (JobKind.INVOKE, JobState.FINISHED, "INVOKE")
    assert (job.rows, job.created, job.failed, job.errors) == (7, 2, 5, 5)
    assert job.lease_owner is None
    assert job.reported_at is not None
    assert name == "from a test"
    assert [json.loads(line) for line in kept.splitlines()][1:4] == [
        {"Id": "b", "Amount": "many"},
        {"Id": "c", "Amount": 13},
        {"Name": "nobody"},
    ]
    assert lading.letters(job.id) == "CFFFFFC"
    assert sorted(e.code for e in lading.errors(job.id)) == sorted(c for each in codes(told) for c, _ in each)


def test_records_of_the_same_key_take_turns(send, lading, make_definition):
    told = send(make_definition(), {"Id": "a", "Name": "x"}, {"Id": "a", "Name": "y"}, {"Id": "a", "Name": "y"})
    assert outcomes(told) == ["created", "updated", "unchanged"]
    assert lading.table().rows() == [("a", "y", None)]


def test_a_key_that_a_record_lacks_leaves_the_field_as_it_is_whatever_stands_beside_it(
    send, lading, make_definition
):
    definition = make_definition()
    send(definition, {"Id": "a", "Name": "x", "Amount": 1}, {"Id": "b", "Name": "x", "Amount": 1})
    told = send(definition, {"Id": "a", "Amount": 2}, {"Id": "b", "Name": None})
    assert outcomes(told) == ["updated", "updated"]
    assert lading.table().rows() == [("a", "x", 2), ("b", None, 1)]


def test_digits_are_kept_and_objects_become_json(send, lading, make_definition):
    fields = [{"name": "id"}, {"name": "price", "type": "decimal"}, {"name": "more", "type": "json"}]
    record = {
        "id": 12345678901234567890,
        "price": Decimal("0.10"),
        "more": {"a": [Decimal("1.50"), True, None]},
    }
    told = send(make_definition(fields=fields), record, {"id": "x", "price": 1e-7, "more": []})
    assert outcomes(told) == ["created", "created"]
    assert lading.table().rows() == [
        ("12345678901234567890", "0.1", '{"a":[1.50,true,null]}'),
        ("x", "0.0000001", "[]"),
    ]


def test_a_mapping_makes_the_records_and_its_faults_are_those_of_one_record(send, lading, make_definition):
    mapping = {"fields": [*RULES[:2], {"extract": "Amount", "generate": "amount", "lookupName": "sizes"}]}
    lookups = [{"name": "sizes", "map": {"small": 1, "big": 2}, "allowFailures": False}]
    fields = [{"name": "id"}, {"name": "name"}, {"name": "amount", "type": "integer"}]
    definition = make_definition(fields=fields, mapping=mapping, lookups=lookups)
    told = send(
        definition,
        {"Id": 1, "Name": "x", "Amount": "small"},
        {"Id": 2, "Amount": "huge"},
        {"Id": 3, "Amount": "big"},
    )
    assert outcomes(told) == ["created", "failed", "created"]
    (error,) = told[1].errors
    assert (error.field, error.row, error.value) == ("amount", 2, "huge")
    assert lading.table().rows() == [("1", "x", 1), ("3", None, 2)]


def test_unknown_keys_are_refused_record_by_record_where_the_policy_says_so(send, make_definition):
    definition = make_definition(policies={"unknown_columns": "error"})
    told = send(definition, {"Id": "a", "Colour": 1}, {"Id": "b"}, {"Id": "c", "ID": "d"})
    assert codes(told) == [[("header.unknown", None)], [], [("header.duplicate", "id")]]
    assert outcomes(told) == ["failed", "created", "failed"]


def test_more_records_than_a_block_holds_go_in_together(send, lading, make_definition):
    records = [{"Id": f"k{n:05}"} | ({"Name": "x"} if n > 20_000 else {}) for n in range(20_002)]
    assert outcomes(send(make_definition(), *records)) == ["created"] * 20_002
    assert lading.table().height == 20_002


def test_nothing_is_answered_to_nothing_and_leaves_no_job(send, lading, make_definition):
    assert send(make_definition()) == []
    with Store.opened(lading.settings) as store, store.read() as session:
        assert page_of_jobs(session, "local", JobFilter(), limit=1) == []


@pytest.mark.parametrize("records", [[{}], [{"X": 1}, {}]])
def test_a_record_that_says_nothing_is_a_record_of_nothing(send, lading, make_definition, records):
    fields = [{"name": "name"}, {"name": "amount", "type": "integer"}]
    told = send(make_definition(fields=fields, key=(), mode="insert"), *records)
    assert outcomes(told) == ["created"] * len(records)
    assert lading.table().rows() == [(None, None)] * len(records)


def test_records_that_come_to_too_much_are_refused_before_there_is_a_job(send, lading, make_definition):
    rules = [{"extract": "text", "generate": name} for name in "abcdefghij"]
    fields = [{"name": name} for name in "abcdefghij"]
    definition = make_definition(fields=fields, key=[], mode="insert", mapping={"fields": rules})
    text = "x" * 1_000_000
    with pytest.raises(BodyError, match="more than 128,000,000 characters"):
        send(definition, *({"text": text} for _ in range(13)))
    with Store.opened(lading.settings) as store, store.read() as session:
        assert page_of_jobs(session, "local", JobFilter(), limit=1) == []


def test_a_table_that_does_not_fit_fails_every_record_and_the_job(send, lading, the_job, make_definition):
    lading.execute("CREATE TABLE things (id TEXT)")
    told = send(make_definition(), {"Id": "a"}, {"Id": "b", "Amount": "x"})
    assert outcomes(told) == ["unprocessed", "unprocessed"]
    assert [each[0][0] for each in codes(told)] == ["destination.mismatch", "type.integer"]
    job, *_ = the_job()
    assert (job.state, job.error_code, job.unprocessed) == (JobState.FAILED, "destination.mismatch", 2)
    assert job.reported_at is not None


@pytest.mark.parametrize("policies", [{"atomic": True}, {"max_errors": 0}])
def test_a_budget_holds_for_the_records_of_one_call(send, lading, the_job, make_definition, policies):
    definition = make_definition(policies=policies)
    told = send(definition, {"Id": "a"}, {"Id": "b", "Amount": "x"})
    assert outcomes(told) == ["unprocessed", "unprocessed"]
    assert the_job()[0].state is JobState.FAILED
    assert outcomes(send(definition, {"Id": "a"}, {"Id": "b"})) == ["created", "created"]
    assert lading.table().height == 2


def test_under_atomic_what_the_table_refuses_is_told_and_nothing_is_written(
    send, lading, the_job, make_definition
):
    lading.execute("CREATE TABLE things (id TEXT PRIMARY KEY, name TEXT, amount INT CHECK (amount <> 13))")
    told = send(make_definition(policies={"atomic": True}), {"Id": "a"}, {"Id": "b", "Amount": 13})
    assert outcomes(told) == ["unprocessed", "failed"]
    assert [each[0][0] for each in codes(told)] == ["job.atomic", "load.constraint"]
    assert lading.table().height == 0
    assert the_job()[0].error_code == "job.atomic"


def test_a_database_that_stays_locked_decides_nothing(send, lading, the_job, make_definition):
    lading.settings = lading.settings.model_copy(update={"busy_timeout_seconds": 0.1})
    definition = make_definition()
    lading.execute("CREATE TABLE others (x)")

    other = sqlite3.connect(lading.settings.table_path("local"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(RetriableError):
        send(definition, {"Id": "a"})
    other.execute("ROLLBACK")
    other.close()
    job, *_ = the_job()
    assert (job.state, job.unprocessed) == (JobState.FAILED, 1)


def test_what_is_committed_is_told_although_a_worker_took_the_job_over(
    send, lading, the_job, make_definition, monkeypatch
):
    def really_loaded_and_then_fakely_taken_over(loading, destination):
        pages = really_load(loading, destination)
        with loading.store.write() as session:
            set_values(session, loading.job.id, epoch=1, lease_epoch=2, lease_owner=None)
        return pages

    really_load = invoke_at_once._load
    monkeypatch.setattr(invoke_at_once, "_load", really_loaded_and_then_fakely_taken_over)
    assert outcomes(send(make_definition(), {"Id": "a"}, {"Id": "b"})) == ["created", "created"]
    assert lading.table().height == 2
    job, *_ = the_job()
    assert (job.state, job.lease_epoch) == (JobState.IMPORTING, 2)


def test_what_can_not_be_invoked_is_refused_before_there_is_a_job(send, lading, make_definition):
    with pytest.raises(DefinitionError, match="sync"):
        send(make_definition(mode="sync"), {"Id": "a"})
    with pytest.raises(NotFoundError), Store.opened(lading.settings) as store:
        invoke(lading.settings, store, WHO, Invocation("other", [{}]))
    with pytest.raises(DestinationError, match="mysql"):
        send(make_definition(destination={"table": "t", "database": "mysql://h/d"}), {"Id": "a"}, who=OPERATOR)
    with Store.opened(lading.settings) as store, store.read() as session:
        assert page_of_jobs(session, "local", JobFilter(), limit=1) == []


def test_failed_records_are_given_back_when_somebody_asks_for_them(send, lading, the_job, make_definition):
    send(make_definition(), {"Id": "a", "Amount": Decimal("1.50")}, {"Id": "b", "Amount": 2})
    job, *_ = the_job()
    with Store.opened(lading.settings) as store:
        path = kept_failed_rows(lading.settings, store, job)
    assert path is not None
    (line,) = path.read_text().splitlines()
    assert line.startswith('{"Id":"a","Amount":1.50,"lading_errors":"amount: ')


def test_records_for_a_file_become_one_file(send, lading, the_job, tmp_path, make_definition):
    definition = make_definition(mode="insert", destination={"url": f"file://{tmp_path}/out.csv"})
    records = {"Id": "a", "Name": "x", "Amount": 1}, {"Id": "b", "Amount": "?"}
    told = send(definition, *records, who=OPERATOR)
    assert outcomes(told) == ["created", "failed"]
    assert (tmp_path / "out.csv").read_text().splitlines()[1:] == ["a,x,1"]
    job, *_ = the_job()
    assert job.state is JobState.FINISHED
    assert not lading.settings.stages_path(job.id).exists()


def test_a_file_that_no_disk_takes_ends_the_job_and_says_so(send, the_job, tmp_path, make_definition):
    out = {"url": str(tmp_path / f"{'x' * 300}.csv")}
    told = send(make_definition(destination=out, mode="insert"), {"Id": "a"}, who=OPERATOR)
    assert outcomes(told) == ["unprocessed"]
    job, *_ = the_job()
    assert (job.state, job.counts.unprocessed) == (JobState.FAILED, 1)
    assert "File name too long" in job.error_message


@pytest.mark.slow
@pytest.mark.parametrize("lading", ["sqlite", "postgres"], indirect=True)
def test_invokes_at_once_lose_nothing_and_see_what_others_wrote(lading, make_definition):
    table = {"table": "things"}
    if lading.settings.store_url is not None:
        table |= {"database": lading.settings.store_url}
    lading.apply(make_definition(destination=table))

    def call(number):
        records = [{"Id": f"{number}.{n}", "Amount": n} for n in range(20)] + [{"Id": "x", "Amount": number}]
        with Store.opened(lading.settings) as store:
            return invoke(lading.settings, store, OPERATOR, Invocation("things", records))

    with ThreadPoolExecutor(16) as threads:
        told = list(threads.map(call, range(50)))
    assert {tuple(outcomes(each)[:-1]) for each in told} == {("created",) * 20}
    assert sorted(each[-1].outcome.value for each in told) == ["created", *["updated"] * 49]
    with Store.opened(lading.settings) as store, store.read() as session:
        jobs = page_of_jobs(session, "local", JobFilter(), limit=60)
    assert (len(jobs), {job.state for job in jobs}) == (50, {JobState.FINISHED})
