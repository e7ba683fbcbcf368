"""Whom a definition names is told of the ends of jobs: mails through a real server, webhooks over a socket."""

import base64
import hashlib
import hmac

import pytest

from flows.run import import_directly
from schemas.import_request import ImportRequest
from schemas.job import JobState
from schemas.settings import Settings
from store.database import Store
from tasks import notices
from tasks.definition_keeping import keep_definition
from tasks.report import report_job
from tests.tasks.mailbox import Mailbox, message_of, served
from tests.tasks.receiver import receiving

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
KEY = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
ADDRESSES = ["one@example.com", "two@example.com"]
WELL, WRONG = ("Id,Name,Amount", "a,x,1", "b,a secret value,-1"), ("Nothing of that",)


@pytest.fixture
def receiver():
    with receiving() as listening:
        yield listening


@pytest.fixture
def run(lading, make_definition, write_csv, monkeypatch):
    """Imports lines with a definition that says so of notices; gives the job."""
    monkeypatch.setattr(notices, "PAUSE_SECONDS", 0.0)

    def run(lines, notify, tenant="local", **settings):
        lading.settings = Settings(home=lading.settings.home, tenant=tenant, **settings)
        with Store.opened(lading.settings) as store, store.write() as session:
            keep_definition(lading.settings, session, tenant, make_definition(notify=notify))
        job_id = import_directly(lading.settings, ImportRequest(str(write_csv(*lines)), "things"))
        return lading.job(job_id)

    return run


def hook(receiver):
    return {"url": f"{receiver.url}/told", "secret": SECRET}


@pytest.fixture
def mailing():
    """A mailbox, and the settings that lead there."""
    mailbox = Mailbox()
    with served(mailbox) as port:
        smtp = {"smtp_host": "127.0.0.1", "smtp_port": port, "smtp_tls": "none"}
        yield mailbox, smtp | {"smtp_sender": "lading@example.org"}


def test_each_address_gets_a_mail_of_its_own_with_counts_and_no_values(run, mailing):
    mailbox, smtp = mailing
    job = run(WELL, {"mail": ADDRESSES}, **smtp)
    assert [envelope.rcpt_tos for envelope in mailbox.mails] == [[address] for address in ADDRESSES]
    text = message_of(mailbox.mails[0]).get_content()
    assert "1 of 2 rows failed" in text
    assert "Its definition asked for this mail" in text
    assert "a secret value" not in text
    assert job.reported_at is not None


@pytest.mark.parametrize(
    ("on", "lines", "is_told"),
    [
        (["finished"], WELL, True),
        (["finished"], WRONG, False),
        (["invalid"], WRONG, True),
        (["failed", "invalid"], WELL, False),
    ],
)
def test_who_is_told_hears_of_the_ends_that_were_named(run, receiver, on, lines, is_told):
    run(lines, {"webhook": hook(receiver), "on": on})
    assert len(receiver.messages) == is_told


def test_a_webhook_hears_what_became_of_the_rows_signed(run, receiver):
    job = run(WELL, {"webhook": hook(receiver)}, public_url="https://lading.example.org")
    ((headers, body),) = receiver.requests
    (told,) = receiver.messages
    assert told["type"] == "job.finished"
    assert {key: told["data"][key] for key in ("job", "definition", "file", "rows", "created", "failed")} == {
        "job": job.id,
        "definition": "things",
        "file": "things.csv",
        "rows": 2,
        "created": 1,
        "failed": 1,
    }
    assert told["data"]["page"].startswith(f"https://lading.example.org/ui/jobs/{job.id}?token=")
    signed = b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body])
    signature = base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{signature}"
    assert b"a secret value" not in body


def test_a_webhook_that_is_busy_is_told_again_under_the_same_id(run, receiver):
    receiver.answers(lambda number: (204,) if number == 2 else (503,))
    job = run(WELL, {"webhook": hook(receiver)})
    assert len(receiver.ids) == 3
    assert len(set(receiver.ids)) == 1
    assert not [warning for warning in job.warnings if "webhook" in warning]


@pytest.mark.parametrize(("status", "tries"), [(500, 3), (404, 1)])
def test_a_webhook_that_does_not_take_it_is_a_warning_and_no_failure(run, receiver, status, tries):
    receiver.answers(lambda _: (status,))
    job = run(WELL, {"webhook": hook(receiver)})
    assert len(receiver.ids) == tries
    assert (job.state, job.created) == (JobState.FINISHED, 1)
    assert job.warnings[-1] == f"the webhook was not told of the end of this job: it answered {status}"


def test_a_report_that_is_written_again_tells_nobody_twice(run, receiver, lading, mailing):
    mailbox, smtp = mailing
    job = run(WELL, {"webhook": hook(receiver), "mail": ADDRESSES[0]}, **smtp)
    report_job(lading.settings, job.id)
    assert (len(receiver.ids), len(mailbox.mails)) == (1, 1)


def test_a_tenants_webhook_is_not_called_at_an_address_of_ours(run, receiver):
    job = run(WELL, {"webhook": hook(receiver)}, tenant="acme")
    assert receiver.ids == []
    assert "only https addresses may be called" in job.warnings[-1]


def test_notices_count_among_the_mails_of_the_hour(run, mailing):
    mailbox, smtp = mailing
    job = run(WELL, {"mail": ADDRESSES}, mails_per_hour=1, **smtp)
    assert len(mailbox.mails) == 1
    assert "within an hour 1 were sent" in job.warnings[-1]
