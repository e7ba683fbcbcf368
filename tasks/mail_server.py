"""One mail to the mail server that the settings name: tried several times, handed over at most once."""

import smtplib
import ssl
import time
from contextlib import suppress
from email.message import EmailMessage

from schemas.settings import Settings

TRIES = 3
PAUSE_SECONDS = 1.0
"""Before the second try; each later pause is twice as long."""
ANSWER_SECONDS = 10.0
"""How long the mail server may take for one answer."""


class _NotSentError(Exception):
    """The mail was not sent, or nobody knows; `again` where another try is safe and may help."""

    def __init__(self, reason: str, *, again: bool) -> None:
        super().__init__(reason)
        self.again = again


def send_mail(settings: Settings, message: EmailMessage) -> str | None:
    """Send the mail; gives why it was not sent, as far as anybody knows, None where it was."""
    for number in range(1, TRIES + 1):
        try:
            _send(settings, message)
        except _NotSentError as error:
            if not error.again or number == TRIES:
                return str(error)
            time.sleep(PAUSE_SECONDS * 2 ** (number - 1))
        else:
            break
    return None


def _send(settings: Settings, message: EmailMessage) -> None:
    try:
        server = _logged_in(settings)
    except smtplib.SMTPResponseException as error:
        raise _refused(error.smtp_code) from error
    except smtplib.SMTPNotSupportedError as error:
        raise _NotSentError("the mail server can't do what the settings ask for", again=False) from error
    except OSError as error:
        raise _NotSentError(f"the mail server does not answer ({type(error).__name__})", again=True) from error
    try:
        server.send_message(message)
    except smtplib.SMTPRecipientsRefused as error:
        raise _refused(next(iter(error.recipients.values()))[0]) from error
    except smtplib.SMTPResponseException as error:
        raise _refused(error.smtp_code) from error
    except smtplib.SMTPNotSupportedError as error:
        raise _NotSentError("the mail server does not take such an address", again=False) from error
    except OSError as error:
        # It may have gone out, and nobody gets a mail twice.
        reason = f"the answer of the mail server was lost ({type(error).__name__})"
        raise _NotSentError(reason, again=False) from error
    finally:
        with suppress(OSError):
            server.quit()
        server.close()


def _logged_in(settings: Settings) -> smtplib.SMTP:
    host = settings.smtp_host or ""
    if settings.smtp_tls == "tls":
        context = ssl.create_default_context()
        port = settings.smtp_port
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=ANSWER_SECONDS, context=context)
    else:
        server = smtplib.SMTP(host, settings.smtp_port, timeout=ANSWER_SECONDS)
    try:
        if settings.smtp_tls == "starttls":
            server.starttls(context=ssl.create_default_context())
        if settings.smtp_user is not None:
            password = settings.smtp_password.get_secret_value() if settings.smtp_password else ""
            server.login(settings.smtp_user, password)
    except BaseException:
        server.close()
        raise
    return server


def _refused(code: int) -> _NotSentError:
    """What the server answered; from 500 on it will not change its mind."""
    return _NotSentError(f"the mail server answered {code}", again=code < 500)
