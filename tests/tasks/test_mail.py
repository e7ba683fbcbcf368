"""Mails about the ends of jobs, sent to a real mail server over a socket."""

import datetime as dt
import ipaddress
import socket
import ssl

import pytest
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from flows.lifecycle import accept, bring_to_end, directly
from schemas.errors import NotAllowedError
from schemas.import_request import ImportRequest
from schemas.job import JobState
from schemas.principal import Principal, Scope
from schemas.settings import Settings
from schemas.signing import Purpose, signer_of
from store.database import Store
from store.jobs import get_job, list_events
from tasks import mail_server
from tasks.mail import plain_name, refuse_recipients
from tasks.report import report_job
from tests.tasks.mailbox import Mailbox, message_of, served

SENDER = "lading@example.org"
TOLD = {"success_to": "well@example.com", "failure_to": "failed@example.com"}


@pytest.fixture
def mailbox():
    return Mailbox()


@pytest.fixture
def unused_port():
    """A port that nobody listens on while the test runs."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@pytest.fixture
def told(lading, make_definition, write_csv, monkeypatch):
    """Imports lines with a mail asked for, through a server with these options; gives the job's id."""
    monkeypatch.setattr(mail_server, "PAUSE_SECONDS", 0.0)

    def run(mailbox, *lines, server=(), name="things.csv", told=TOLD, **settings):
        with served(mailbox, **dict(server)) as port:
            lading.settings = Settings(
                home=lading.settings.home,
                **{"smtp_host": "127.0.0.1", "smtp_port": port, "smtp_tls": "none", "smtp_sender": SENDER}
                | settings,
            )
            lading.apply(make_definition())
            request = ImportRequest(str(write_csv(*lines, name=name)), "things")
            job_id = accept(directly, lading.settings, request).job_id
            with Store.opened(lading.settings) as store, store.write() as session:
                get_job(session, job_id).mail = told
            bring_to_end(directly, lading.settings, job_id)
            return job_id

    return run


def _events(lading, job_id):
    with Store.opened(lading.settings) as store, store.read() as session:
        return [(e.name, e.detail) for e in list_events(session, job_id) if e.name.startswith("mail")]


def test_who_is_to_know_of_success_is_told_when_every_row_was_well(lading, told, mailbox):
    job_id = told(mailbox, "Id,Name", "a,x", "b,y")
    (envelope,) = mailbox.mails
    assert (envelope.mail_from, envelope.rcpt_tos) == (SENDER, ["well@example.com"])
    message = message_of(envelope)
    assert message["To"] == "well@example.com"
    assert "every row was imported" in message["Subject"]
    text = message.get_content()
    assert "Created: 2" in text
    assert "every row was well" in text
    assert _events(lading, job_id) == [("mail", "success"), ("mail_sent", "success")]
    assert lading.job(job_id).warnings == [
        "the file lacks the column 'Amount'; left alone in records that exist"
    ]


def test_who_is_to_know_of_failure_is_told_when_a_row_failed(told, mailbox):
    told(mailbox, "Id,Name,Amount", "a,x,1", "b,a secret value,-1")
    (envelope,) = mailbox.mails
    assert envelope.rcpt_tos == ["failed@example.com"]
    text = message_of(envelope).get_content()
    assert "1 of 2 rows failed" in text
    assert "a secret value" not in text


def test_who_is_to_know_of_failure_is_told_when_the_job_as_a_whole_did_not_finish(lading, told, mailbox):
    job_id = told(mailbox, "Nothing of that")
    assert lading.job(job_id).state is JobState.INVALID
    assert "the job is invalid (header.missing)" in message_of(mailbox.mails[0]).get_content()


def test_the_mail_links_to_the_job_by_a_signed_link_at_the_public_address(lading, told, mailbox):
    job_id = told(mailbox, "Id", "a", public_url="https://lading.example.org/base/")
    text = message_of(mailbox.mails[0]).get_content()
    before, _, token = text.partition(f"https://lading.example.org/base/ui/jobs/{job_id}?token=")
    assert before
    signed = signer_of(lading.settings).value(Purpose.JOB_LINK, token.split()[0])
    assert signed[0] == job_id


@pytest.mark.parametrize("asked", [None, {"success_to": None, "failure_to": "failed@example.com"}])
def test_nobody_is_told_who_was_not_named(lading, told, mailbox, asked):
    job_id = told(mailbox, "Id", "a", told=asked)
    assert mailbox.tries == 0
    assert _events(lading, job_id) == []


def test_a_mail_is_tried_again_where_the_server_is_busy_for_the_moment(lading, told):
    mailbox = Mailbox("451 later", "452 later")
    job_id = told(mailbox, "Id", "a")
    assert (mailbox.tries, len(mailbox.mails)) == (3, 1)
    assert ("mail_sent", "success") in _events(lading, job_id)


@pytest.mark.parametrize(
    ("answers", "tries", "reason"),
    [(("451 no",) * 9, 3, "the mail server answered 451"), (("554 no",), 1, "the mail server answered 554")],
    ids=["busy for good", "refused"],
)
def test_a_mail_that_is_refused_is_a_warning_and_no_failure(lading, told, answers, tries, reason):
    mailbox = Mailbox(*answers)
    job = lading.job(told(mailbox, "Id", "a"))
    assert mailbox.tries == tries
    assert (job.state, job.counts.created) == (JobState.FINISHED, 1)
    assert job.reported_at is not None
    assert f"the mail about this job was not sent: {reason}" in job.warnings
    assert ("mail_not_sent", reason) in _events(lading, job.id)


def test_a_server_that_is_not_there_is_a_warning_and_no_failure(lading, told, mailbox, unused_port):
    job = lading.job(told(mailbox, "Id", "a", smtp_port=unused_port))
    assert job.state is JobState.FINISHED
    assert job.warnings[-1].endswith("not sent: the mail server does not answer (ConnectionRefusedError)")


def test_where_no_server_is_set_the_job_says_so(lading, told, mailbox):
    job = lading.job(told(mailbox, "Id", "a", smtp_host=None))
    assert "there is no mail server (LADING_SMTP_HOST)" in job.warnings[-1]


def test_a_report_that_is_written_again_sends_no_second_mail(lading, told, mailbox):
    job_id = told(mailbox, "Id", "a")
    with served(mailbox) as port:
        settings = lading.settings.model_copy(update={"smtp_port": port})
        report_job(settings, job_id)
    assert len(mailbox.mails) == 1


def test_a_connection_that_breaks_after_the_mail_was_handed_over_is_not_tried_again(lading, told):
    class Breaking(Mailbox):
        async def handle_DATA(self, server, _session, _envelope):  # noqa: N802 - aiosmtpd's name
            self.tries += 1
            server.transport.abort()
            return "250 never heard"

    mailbox = Breaking()
    job = lading.job(told(mailbox, "Id", "a"))
    assert mailbox.tries == 1
    assert "the answer of the mail server was lost" in job.warnings[-1]


def test_a_tenant_has_only_so_many_mails_an_hour(lading, told, mailbox):
    told(mailbox, "Id", "a", mails_per_hour=2)
    told(mailbox, "Id", "b", mails_per_hour=2)
    job = lading.job(told(mailbox, "Id", "c", mails_per_hour=2))
    assert len(mailbox.mails) == 2
    assert "within an hour 2 were sent" in job.warnings[-1]


def test_mails_of_another_hour_do_not_count(told, mailbox, monkeypatch):
    told(mailbox, "Id", "a", mails_per_hour=1)
    later = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=61)
    for room in ("store.mails", "tasks.report", "store.tables"):
        monkeypatch.setattr(f"{room}.utc_now", lambda: later)
    told(mailbox, "Id", "b", mails_per_hour=1)
    assert len(mailbox.mails) == 2


@pytest.mark.parametrize("lading", ["postgres"], indirect=True)
@pytest.mark.slow
def test_mails_are_counted_in_postgresql_too(lading, told, mailbox):
    settings = {"mails_per_hour": 1, "store_url": lading.settings.store_url}
    settings["store_password"] = lading.settings.store_password
    told(mailbox, "Id", "a", **settings)
    job = lading.job(told(mailbox, "Id", "b", **settings))
    assert len(mailbox.mails) == 1
    assert "within an hour 1 were sent" in job.warnings[-1]


def test_a_name_can_not_say_more_than_a_name(told, mailbox):
    name = "Pay at www.evil.example now: http:..evil.example <b>.csv"
    told(mailbox, "Id", "a", name=name)
    message = message_of(mailbox.mails[0])
    for text in (message["Subject"], message.get_content().partition("Its page")[0]):
        assert "evil.example" not in text
        assert "http:" not in text
        assert "<b>" not in text


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("ACME Process 2026/01/31", "ACME Process 2026/01/31"),
        ("Größe & Co. (neu).xlsx", "Größe & Co.\u2060 (neu).\u2060xlsx"),
        ("a\r\nBcc: x@evil.example", "a__Bcc_ x_evil.\u2060example"),
        ("x" * 300, "x" * 100),
    ],
)
def test_names_are_shown_without_what_would_make_them_more(name, shown):
    assert plain_name(name) == shown


class TestSecureWays:
    """The way to the server encrypted, the server known by its certificate, and a login."""

    @pytest.fixture
    def certificate(self, tmp_path, monkeypatch):
        """A certificate for 127.0.0.1 that this process trusts; gives the server's TLS context."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
        now = dt.datetime.now(dt.UTC)
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(minutes=5))
            .not_valid_after(now + dt.timedelta(hours=1))
            .add_extension(names, critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        path = tmp_path / "server.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    @pytest.fixture
    def logins(self):
        """The names under which somebody tried to log in; only `user` with `secret` may."""
        return []

    @pytest.fixture
    def authenticator(self, logins):
        def authenticate(_server, _session, _envelope, _mechanism, data):
            logins.append(data.login)
            return AuthResult(success=(data.login, data.password) == (b"user", b"secret"), handled=False)

        return authenticate

    @pytest.mark.parametrize("tls", ["starttls", "tls"])
    def test_a_mail_goes_through_a_login_over_tls(self, told, mailbox, certificate, authenticator, logins, tls):
        server = {"authenticator": authenticator, "auth_require_tls": tls == "starttls"}
        server |= {"tls_context": certificate} if tls == "starttls" else {"ssl_context": certificate}
        told(mailbox, "Id", "a", server=server, smtp_tls=tls, smtp_user="user", smtp_password="secret")
        assert (len(mailbox.mails), logins) == (1, [b"user"])

    def test_a_wrong_password_is_a_warning_without_the_password(
        self, lading, told, mailbox, certificate, authenticator
    ):
        server = {"tls_context": certificate, "authenticator": authenticator, "auth_required": True}
        login = {"smtp_tls": "starttls", "smtp_user": "user", "smtp_password": "wrong-one"}
        job = lading.job(told(mailbox, "Id", "a", server=server, **login))
        assert mailbox.mails == []
        assert "the mail server answered 535" in job.warnings[-1]
        assert "wrong-one" not in job.warnings[-1]

    def test_no_mail_goes_to_a_server_whose_certificate_is_not_known(
        self, lading, told, mailbox, certificate, monkeypatch
    ):
        monkeypatch.delenv("SSL_CERT_FILE")
        job = lading.job(told(mailbox, "Id", "a", server={"tls_context": certificate}, smtp_tls="starttls"))
        assert mailbox.mails == []
        assert "SSLCertVerificationError" in job.warnings[-1]

    def test_no_mail_goes_in_the_clear_where_tls_was_asked_for(self, lading, told, mailbox):
        job = lading.job(told(mailbox, "Id", "a", smtp_tls="starttls"))
        assert mailbox.mails == []
        assert "can't do what the settings ask for" in job.warnings[-1]


def _principal(*scopes):
    return Principal("0123", "acme", frozenset(scopes))


def test_only_a_key_with_the_scope_may_have_mail_sent(settings):
    refuse_recipients(settings, _principal(), [])
    refuse_recipients(settings, _principal(Scope.BEGIN_WORKFLOW_IMPORT), ["a@example.com"])
    with pytest.raises(NotAllowedError) as caught:
        refuse_recipients(settings, _principal(Scope.IMPORTS_CREATE), ["a@example.com"])
    assert caught.value.rule == "mail.scope"


@pytest.mark.parametrize(
    ("address", "rule"),
    [
        ("a@example.com", None),
        ("a@EXAMPLE.org", None),
        ("a@sub.example.com", "mail.domain"),
        ("a@b", "mail.address"),
    ],
)
def test_mail_goes_to_the_domains_that_are_allowed(settings, address, rule):
    limited = settings.model_copy(update={"mail_domains": "example.com, Example.org"})
    holder = _principal(Scope.BEGIN_WORKFLOW_IMPORT)
    if rule is None:
        refuse_recipients(limited, holder, [address])
        return
    with pytest.raises(NotAllowedError) as caught:
        refuse_recipients(limited, holder, [address])
    assert caught.value.rule == rule
