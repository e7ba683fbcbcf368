"""Part of stage 5: whom a definition names is told of a job's end, by mail or webhook; no job fails by it."""

import json
import logging
import time
from contextlib import suppress
from functools import cache
from uuid import UUID, uuid5

import httpx

from connectors.outgoing import guarded_client, operators_client
from schemas.clock import utc_now
from schemas.definition import Definition
from schemas.errors import FatalError
from schemas.job_link import job_link
from schemas.notify import NoticeOn
from schemas.principal import OPERATOR_TENANT
from schemas.secret_key import Seal, secret_key
from schemas.settings import Settings
from schemas.signing import signer_of
from schemas.webhook import WebhookAddress
from schemas.webhook_secrets import opened_key
from store.database import Store
from store.definitions import definition_of
from store.jobs import add_event, get_job, list_events
from store.tables import DefinitionVersion, Job
from store.uploads import get_upload
from tasks.mail import mail_once
from tasks.record_events import signed_headers

LOGGER = logging.getLogger("lading.notices")
TRIES = 3
PAUSE_SECONDS = 1.0
"""Before the second try; the next pause is twice as long."""
CALL_SECONDS = 10.0
ANSWER_BYTES = 64 * 1024
TOLD = "notice_sent"
_NAMESPACE = UUID("c8f4f9a2-5f0e-5c52-9a0c-0f1d7a7a5d11")
_BUSY = frozenset({408, 425, 429})


def tell_of_end(settings: Settings, store: Store, job_id: str) -> list[str]:
    """Tell whom the definition names, if it is to be told of such an end; gives a warning for each not told.

    A mail is sent at most once. A webhook is told again, under the same id, where a process died before it
    could note that it was told.
    """
    with store.read() as session:
        job = get_job(session, job_id)
        stored = definition_of(session, job.definition_id)
        is_told = any(event.name == TOLD for event in list_events(session, job_id))
    notify = stored.definition.notify
    if notify is None or job.state.value not in {on.value for on in notify.on}:
        return []
    mails = (
        mail_once(settings, store, job, f"notice-{number}", address)
        for number, address in enumerate(notify.mail, start=1)
    )
    warnings = [unsent for unsent in mails if unsent is not None]
    if notify.webhook is not None and not is_told:
        warnings += _tell(settings, store, job, stored, notify.webhook)
    return warnings


def _tell(
    settings: Settings, store: Store, job: Job, stored: DefinitionVersion, hook: WebhookAddress
) -> list[str]:
    reason = _not_taken(settings, store, job, stored, hook)
    with store.write() as session:
        add_event(session, job.id, TOLD if reason is None else "notice_not_sent", reason or "webhook")
    if reason is None:
        return []
    LOGGER.warning("job %s: the webhook was not told of its end: %s", job.id, reason)
    return [f"the webhook was not told of the end of this job: {reason}"]


def _not_taken(
    settings: Settings, store: Store, job: Job, stored: DefinitionVersion, hook: WebhookAddress
) -> str | None:
    """Why the webhook did not take the notice; None where it did."""
    seal = cache(lambda: Seal(secret_key(settings), stored.tenant))
    open_client = operators_client if stored.tenant == OPERATOR_TENANT else guarded_client
    try:
        key = opened_key(hook.secret, seal)
        body = _body(settings, store, job, stored.definition)
        with open_client(seconds=CALL_SECONDS, limit_bytes=ANSWER_BYTES) as client:
            for number in range(TRIES):
                if number:
                    time.sleep(PAUSE_SECONDS * 2 ** (number - 1))
                reason, is_final = _post(client, hook, f"msg_{uuid5(_NAMESPACE, job.id).hex}", key, body)
                if reason is None or is_final:
                    break
    except FatalError as error:
        return str(error)
    return reason


def _post(
    client: httpx.Client, hook: WebhookAddress, message: str, key: bytes, body: bytes
) -> tuple[str | None, bool]:
    """Why it was not taken, and whether another try is of no use."""
    headers = signed_headers(key, message, body, utc_now())
    try:
        with (
            client.stream("POST", hook.url, content=body, headers=headers) as answer,
            suppress(FatalError, httpx.TransportError),
        ):
            answer.read()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return f"it could not be reached ({type(error).__name__})", False
    if answer.is_success:
        return None, True
    is_final = answer.status_code < 500 and answer.status_code not in _BUSY
    return f"it answered {answer.status_code}", is_final


def _body(settings: Settings, store: Store, job: Job, definition: Definition) -> bytes:
    """What is sent: counts and names, no value of a row."""
    with store.read() as session:
        file_name = get_upload(session, job.upload_id).file_name
    data = {
        "job": job.id,
        "state": job.state.value,
        "definition": definition.name,
        "file": file_name,
        "rows": job.rows,
        **vars(job.counts),
        "error_code": job.error_code,
        "page": job_link(settings, signer_of(settings), job.id),
    }
    told = {"type": f"job.{NoticeOn(job.state.value)}", "timestamp": utc_now().isoformat(), "data": data}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode(errors="backslashreplace")
