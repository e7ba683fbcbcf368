"""Jobs that tell webhooks of every record: what they say, in which order, and what if nobody listens."""

import base64
import hashlib
import hmac
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from flows import run
from schemas.clock import utc_now
from schemas.errors import RetriableError
from schemas.import_request import ImportRequest
from schemas.job import JobState
from store.database import Store
from store.jobs import request_cancel
from store.tables import Job
from tasks.definition_keeping import keep_definition
from tasks.record_events import signed_headers
from tasks.upload import accept_upload
from tests.tasks.receiver import receiving

pytestmark = pytest.mark.slow

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
KEY = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")


@pytest.fixture
def receiver():
    with receiving() as listening:
        yield listening


@pytest.fixture(autouse=True)
def _quick_retries(monkeypatch):
    monkeypatch.setattr("flows.lifecycle.BACKOFF_SECONDS", 0.0)


@pytest.fixture
def bring(lading, make_definition, write_csv):
    """Accepts a job of these rows that tells these webhooks; gives its id."""

    def bring(*rows: str, hooks=(), has_events=True, tenant=None, **changes) -> str:
        webhooks = [{"secret": SECRET} | hook for hook in hooks]
        definition = make_definition(webhooks=webhooks, **changes)
        settings = lading.settings
        if tenant is not None:
            settings = settings.model_copy(update={"tenant": tenant})
        with Store.opened(settings) as store, store.write() as session:
            keep_definition(settings, session, settings.tenant, definition)
        request = ImportRequest(str(write_csv("Id,Name,Amount", *rows)), "things")
        job_id = accept_upload(settings, request)
        with Store.opened(settings) as store, store.write() as session:
            session.get_one(Job, job_id).has_events = has_events
        return job_id

    return bring


@pytest.fixture
def clock(monkeypatch):
    """Stops the clock of receivers, and moves it to so many seconds after that."""
    began = utc_now()

    def later(seconds):
        monkeypatch.setattr("tasks.receiver.utc_now", lambda: began + timedelta(seconds=seconds))

    later(0)
    return later


def expected(key: bytes, headers, body: bytes) -> str:
    """The signature, as the specification tells to check it."""
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def test_a_signature_is_that_of_the_documents_of_standard_webhooks():
    at = datetime.fromtimestamp(1614265330, UTC)
    headers = signed_headers(KEY, "msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}', at)
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert headers["webhook-timestamp"] == "1614265330"


def test_each_created_and_updated_record_is_told_once_in_order_signed(lading, bring, receiver):
    run.resume(lading.settings, bring("a,Ann,1", "b,Bob,2"))
    job_id = bring("a,Ann,1", "b,Ben,2", "x,Bad,-1", "c,Cem,3", hooks=[{"url": f"{receiver.url}/hook"}])
    run.resume(lading.settings, job_id)
    assert lading.job(job_id).state is JobState.FINISHED
    updated, created = receiver.messages
    assert updated["type"] == "record.updated"
    assert updated["data"] == {
        "job": job_id,
        "definition": "things",
        "row": 3,
        "key": ["b"],
        "record": {"id": "b", "name": "Ben", "amount": 2},
    }
    assert (created["type"], created["data"]["row"], created["data"]["key"]) == ("record.created", 5, ["c"])
    for headers, body in receiver.requests:
        assert headers["webhook-signature"] == expected(KEY, headers, body)
        assert abs(int(headers["webhook-timestamp"]) - utc_now().timestamp()) < 60
    assert len(set(receiver.ids)) == 2


def test_values_of_every_type_are_plain_json(lading, bring, receiver):
    fields = [
        {"name": "id", "header": "Id"},
        {"name": "price", "header": "Name", "type": "decimal"},
        {"name": "at", "header": "Amount", "type": "datetime", "timezone": "Europe/Berlin"},
        {"name": "day", "type": "date"},
        {"name": "long", "type": "duration"},
        {"name": "tags", "type": "multichoice", "choices": ["a", "b"]},
        {"name": "more", "type": "json"},
        {"name": "ok", "type": "boolean"},
        {"name": "blank"},
    ]
    header = "Id,Name,Amount,day,long,tags,more,ok,blank"
    row = '1,1.50,2024-07-01 12:00,2024-02-29,36:00,a;b,"{""x"": [1]}",yes,'
    bring(hooks=[{"url": receiver.url}], fields=fields)
    path = lading.settings.home.parent / "typed.csv"
    path.write_text(f"{header}\n{row}\n")
    job_id = accept_upload(lading.settings, ImportRequest(str(path), "things"))
    with Store.opened(lading.settings) as store, store.write() as session:
        session.get_one(Job, job_id).has_events = True
    run.resume(lading.settings, job_id)
    (message,) = receiver.messages
    assert message["data"]["record"] == {
        "id": "1",
        "price": "1.5",
        "at": "2024-07-01T10:00:00Z",
        "day": "2024-02-29",
        "long": 129_600.0,
        "tags": ["a", "b"],
        "more": {"x": [1]},
        "ok": True,
        "blank": None,
    }


def test_a_job_that_was_not_asked_to_tells_nobody(lading, bring, receiver):
    run.resume(lading.settings, bring("a,Ann,1", hooks=[{"url": receiver.url}], has_events=False))
    assert receiver.messages == []


def test_each_webhook_is_told_of_its_own_events_and_has_ids_of_its_own(lading, bring, receiver):
    run.resume(lading.settings, bring("a,Ann,1"))
    with receiving() as other:
        hooks = [{"url": receiver.url, "events": ["created"]}, {"url": other.url, "events": ["updated"]}]
        run.resume(lading.settings, bring("a,Ada,1", "b,Bob,2", hooks=[*hooks, {"url": other.url}]))
        assert receiver.rows == [3]
        assert other.rows == [2, 2, 3]
        assert len(set(receiver.ids + other.ids)) == 4


def test_the_next_chunk_is_not_loaded_before_this_one_was_told(lading, bring, receiver):
    rows_loaded = {}

    def answer(number):
        if number in {0, 999, 1_000, 1_999, 2_000}:
            rows_loaded[number] = lading.table().height
        return (204,)

    receiver.answers(answer)
    job_id = bring(*(f"k{i},a,{i}" for i in range(2_100)), hooks=[{"url": receiver.url}])
    run.resume(lading.settings, job_id)
    assert receiver.rows == list(range(2, 2_102))
    assert rows_loaded == {0: 1_000, 999: 1_000, 1_000: 2_000, 1_999: 2_000, 2_000: 2_100}


@pytest.mark.parametrize("changes", [{"policies": {"atomic": True}}, {"mode": "sync"}], ids=["atomic", "sync"])
def test_what_is_written_in_one_last_step_is_told_too(lading, bring, receiver, changes):
    job_id = bring(*(f"k{i},a,{i}" for i in range(1_001)), hooks=[{"url": receiver.url}], **changes)
    run.resume(lading.settings, job_id)
    assert receiver.rows == list(range(2, 1_003))


def test_a_receiver_that_is_busy_is_told_again_later_and_nothing_is_lost(lading, bring, receiver, clock):
    receiver.answers(lambda number: (503,) if number == 2 else (200,))
    job_id = bring(*(f"k{i},a,{i}" for i in range(5)), hooks=[{"url": receiver.url}])
    with pytest.raises(RetriableError, match=r"webhook 1 \(localhost\)"):
        run.resume(lading.settings, job_id)
    assert (lading.job(job_id).state, lading.is_free(job_id)) == (JobState.IMPORTING, True)
    assert receiver.rows == [2, 3, 4]
    clock(10)
    run.resume(lading.settings, job_id)
    assert lading.job(job_id).state is JobState.FINISHED
    assert receiver.rows == [2, 3, 4, 4, 5, 6]
    assert receiver.ids[2] == receiver.ids[3]


def test_pauses_grow_and_a_longer_one_that_the_receiver_asks_for_is_kept(lading, bring, receiver, clock):
    receiver.answers(lambda number: (429, ("Retry-After", "600")) if number == 0 else (500,))
    job_id = bring("a,Ann,1", hooks=[{"url": receiver.url}])
    for seconds, requests in ((0, 1), (500, 1), (601, 2), (601.1, 2), (610, 3), (620, 4), (640, 5)):
        clock(seconds)
        with pytest.raises(RetriableError):
            run.resume(lading.settings, job_id)
        assert len(receiver.requests) == requests, seconds


def test_a_receiver_that_fails_for_too_long_is_given_up_counted_and_warned_of(lading, bring, receiver, clock):
    receiver.answers(lambda number: (200,) if number == 0 else (500,))
    with receiving() as other:
        hooks = [{"url": f"{receiver.url}/path?token=s3cret"}, {"url": other.url}]
        job_id = bring(*(f"k{i},a,{i}" for i in range(1_200)), hooks=hooks)
        with pytest.raises(RetriableError):
            run.resume(lading.settings, job_id)
        clock(86_401)
        run.resume(lading.settings, job_id)
        job = lading.job(job_id)
        assert (job.state, job.counts.created) == (JobState.FINISHED, 1_200)
        assert job.warnings == ["1,199 events were not delivered to webhook 1 (localhost): it answered 500"]
        assert other.rows == list(range(2, 1_202))
        assert len(receiver.requests) == 3


@pytest.mark.parametrize(
    ("hook", "reason"),
    [({"url": "http://nowhere.invalid/"}, "could not be reached"), ({"secret": "env:NO_SUCH"}, "NO_SUCH")],
    ids=["unreachable", "no secret"],
)
def test_a_webhook_that_can_not_be_told_costs_the_job_nothing(lading, bring, receiver, hook, reason):
    lading.settings = lading.settings.model_copy(update={"webhook_give_up_seconds": 0})
    job_id = bring("a,Ann,1", hooks=[{"url": receiver.url} | hook])
    run.resume(lading.settings, job_id)
    job = lading.job(job_id)
    assert (job.state, lading.counts(job_id)) == (JobState.FINISHED, {"created": 1})
    (warning,) = job.warnings
    assert warning.startswith("1 events were not delivered to webhook 1")
    assert reason in warning


def test_a_receiver_that_is_gone_for_good_is_given_up_at_once(lading, bring, receiver):
    receiver.answers(lambda _: (410,))
    job_id = bring("a,Ann,1", "b,Bob,2", hooks=[{"url": receiver.url}])
    run.resume(lading.settings, job_id)
    assert len(receiver.requests) == 1
    assert "2 events" in lading.job(job_id).warnings[0]


@pytest.mark.usefixtures("clock")
def test_a_redirect_is_not_followed(lading, bring, receiver):
    with receiving() as other:
        receiver.answers(lambda _: (307, ("Location", other.url)))
        job_id = bring("a,Ann,1", hooks=[{"url": receiver.url}])
        with pytest.raises(RetriableError):
            run.resume(lading.settings, job_id)
        assert (len(receiver.requests), other.requests) == (1, [])


def test_a_tenants_webhook_reaches_no_address_inside_the_house(lading, bring, receiver):
    job_id = bring("a,Ann,1", hooks=[{"url": receiver.url.replace("http:", "https:")}], tenant="acme")
    run.resume(lading.settings, job_id)
    assert receiver.requests == []
    assert "not on the open internet" in lading.job(job_id).warnings[0]


def test_a_job_that_is_cancelled_while_nobody_listens_ends_and_tells_the_rest_later(
    lading, bring, receiver, clock
):
    receiver.answers(lambda number: (503,) if number == 0 else (200,))
    job_id = bring(*(f"k{i},a,{i}" for i in range(2_000)), hooks=[{"url": receiver.url}])
    with pytest.raises(RetriableError):
        run.resume(lading.settings, job_id)
    with Store.opened(lading.settings) as store, store.write() as session:
        request_cancel(session, job_id)
    with pytest.raises(RetriableError):
        run.resume(lading.settings, job_id)
    job = lading.job(job_id)
    assert (job.state, job.reported_at) == (JobState.CANCELLED, None)
    assert lading.counts(job_id) == {"created": 1_000, "unprocessed": 1_000}
    clock(10)
    run.resume(lading.settings, job_id)
    assert receiver.rows == [2, *range(2, 1_002)]
    assert lading.job(job_id).reported_at is not None


WORKER = """
import sys
from pathlib import Path
from flows import run
from schemas.settings import Settings
run.resume(Settings(home=Path(sys.argv[1])), sys.argv[2])
"""


@pytest.mark.slow
def test_a_worker_that_is_killed_loses_no_event_and_its_successor_repeats_few(lading, bring, receiver):
    workers = []

    def answer(number):
        if workers and number == 1_034:
            workers.pop().send_signal(signal.SIGKILL)
        return (204,)

    receiver.answers(answer)
    job_id = bring(*(f"k{i},a,{i}" for i in range(1_500)), hooks=[{"url": receiver.url}])
    worker = subprocess.Popen([sys.executable, "-c", WORKER, str(lading.settings.home), job_id])
    workers.append(worker)
    assert worker.wait(60) == -signal.SIGKILL
    run.resume(lading.settings, job_id)
    assert lading.job(job_id).state is JobState.FINISHED
    assert sorted(set(receiver.rows)) == list(range(2, 1_502))
    assert len(set(receiver.ids)) == 1_500
    repeated = len(receiver.ids) - 1_500
    assert 0 < repeated <= 21


def test_ids_are_stable_names_and_no_secret_is_in_what_is_sent(lading, bring, receiver):
    job_id = bring("a,Ann,1", hooks=[{"url": receiver.url}])
    run.resume(lading.settings, job_id)
    ((headers, body),) = receiver.requests
    assert UUID(headers["webhook-id"].removeprefix("msg_"))
    assert SECRET.encode() not in body


def test_the_stage_is_kept_until_the_events_are_told(lading, bring, receiver, clock):
    receiver.answers(lambda number: (503,) if number == 0 else (200,))
    job_id = bring("a,Ann,1", hooks=[{"url": receiver.url}], policies={"atomic": True})
    with pytest.raises(RetriableError):
        run.resume(lading.settings, job_id)
    assert lading.job(job_id).state is JobState.FINISHED
    assert lading.settings.stages_path(job_id).exists()
    clock(10)
    run.resume(lading.settings, job_id)
    assert receiver.rows == [2, 2]
    assert not lading.settings.stages_path(job_id).exists()
