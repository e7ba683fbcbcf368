"""Part of stage 5: the mail about a job's end, to whom the client named. It never fails or repeats a job."""

import logging
from email.message import EmailMessage
from email.utils import formatdate

from schemas.errors import FatalError, NotAllowedError
from schemas.job import JobState
from schemas.job_link import job_link, link_ends_at
from schemas.mail_address import domain_of, is_mail_address
from schemas.principal import Principal, Scope
from schemas.settings import Settings
from schemas.signing import signer_of
from store.database import Store
from store.definitions import definition_of
from store.jobs import add_event, get_job
from store.mails import MailClaim, claim_mail
from store.tables import Job
from store.uploads import get_upload
from tasks.mail_server import send_mail

LOGGER = logging.getLogger("lading.mail")
_CLIENTS = {"success", "failure"}
_NAME_CHARS = 100
_IN_NAMES = frozenset(" _-/.,()+&#'")


def refuse_recipients(settings: Settings, principal: Principal, addresses: list[str]) -> None:
    """Refuse mails that this key may not have sent.

    Raises:
        NotAllowedError: the key lacks the scope for it, or an address is none or of a domain that is not
            allowed.
    """
    if addresses and not principal.may(Scope.BEGIN_WORKFLOW_IMPORT):
        needed = Scope.BEGIN_WORKFLOW_IMPORT.value
        raise NotAllowedError("mail.scope", f"only a key with the scope {needed} may have mail sent")
    domains = {domain.strip().lower() for domain in settings.mail_domains.split(",") if domain.strip()}
    for address in addresses:
        if not is_mail_address(address):
            raise NotAllowedError("mail.address", f"{address!r} is no address that mail can be sent to")
        if domains and domain_of(address) not in domains:
            raise NotAllowedError("mail.domain", f"mail may not be sent to the domain {domain_of(address)!r}")


def tell_by_mail(settings: Settings, store: Store, job_id: str) -> str | None:
    """Send the mail that the end of this job calls for, if any; gives why it was not sent, None where it was.

    It is sent at most once: a job whose report is written again sends nothing again.
    """
    with store.read() as session:
        job = get_job(session, job_id)
    kind, address = _due(job)
    return None if address is None else mail_once(settings, store, job, kind, address)


def mail_once(settings: Settings, store: Store, job: Job, kind: str, address: str) -> str | None:
    """Send the job's mail of this kind, at most once; gives why it was not sent, None where it was.

    Args:
        kind: `success` or `failure`, for whom the client named; `notice-1` and so on, for the definition's.
    """
    reason = _sent(settings, store, job, kind, address)
    if reason is None:
        return None
    LOGGER.warning("job %s: the mail about it was not sent: %s", job.id, reason)
    return f"the mail about this job was not sent: {reason}"


def _sent(settings: Settings, store: Store, job: Job, kind: str, address: str) -> str | None:
    if settings.smtp_host is None:
        return "there is no mail server (LADING_SMTP_HOST)"
    try:
        message = _message(settings, store, job, kind, address)
    except FatalError as error:
        return str(error)
    with store.write() as session:
        claim = claim_mail(session, job.id, kind, settings.mails_per_hour)
    if claim is MailClaim.SENT_BEFORE:
        return None
    if claim is MailClaim.TOO_MANY:
        return f"within an hour {settings.mails_per_hour} were sent, as many as LADING_MAILS_PER_HOUR allows"
    reason = send_mail(settings, message)
    with store.write() as session:
        add_event(session, job.id, "mail_sent" if reason is None else "mail_not_sent", reason or kind)
    return reason


def _due(job: Job) -> tuple[str, str | None]:
    """Which kind of mail the job's end calls for, and to whom; every row was well, or not."""
    kind = "success" if _is_well(job) else "failure"
    return kind, (job.mail or {}).get(f"{kind}_to")


def _message(settings: Settings, store: Store, job: Job, kind: str, address: str) -> EmailMessage:
    """The mail: text of ours, counts, and names without what would make them more than names."""
    with store.read() as session:
        file = plain_name(get_upload(session, job.upload_id).file_name)
        definition = definition_of(session, job.definition_id).name
    well, asked = _is_well(job), "Whoever started the import" if kind in _CLIENTS else "Its definition"
    message = EmailMessage()
    message["Subject"] = f"{file}: {'every row was imported' if well else 'not every row was imported'}"
    message["From"] = settings.smtp_sender
    message["To"] = address
    message["Date"] = formatdate()
    message["Message-ID"] = f"<{job.id}.{kind}@{domain_of(settings.smtp_sender or '')}>"
    message["Auto-Submitted"] = "auto-generated"
    lines = [
        f'The import "{file}" by the definition "{definition}" has ended: {_outcome(job)}.',
        "",
        *(f"{name.capitalize()}: {rows:,}" for name, rows in vars(job.counts).items() if rows),
        "",
        f"Its page: {job_link(settings, signer_of(settings), job.id)}",
        f"The link opens it without a key until {link_ends_at(settings):%Y-%m-%d}.",
        "",
        f"{asked} asked for this mail. Nobody reads answers to it.",
    ]
    message.set_content("\n".join(lines) + "\n")
    return message


def _is_well(job: Job) -> bool:
    return job.state is JobState.FINISHED and not job.failed


def _outcome(job: Job) -> str:
    if job.state is not JobState.FINISHED:
        return f"the job is {job.state.value} ({job.error_code})"
    if job.failed:
        return f"{job.failed:,} of {job.rows:,} rows failed"
    return "every row was well"


def plain_name(name: str) -> str:
    """The name as a mail may quote it: at most 100 characters, and no mail program makes a link of it."""
    kept = "".join(c if c.isalnum() or c in _IN_NAMES else "_" for c in name[:_NAME_CHARS])
    # A word joiner, which nobody sees, keeps "evil.example" from being a link.
    return " ".join(kept.split()).replace(".", ".\u2060")
