"""A real mail server on a free port, and what came to it."""

import email
import email.policy
from contextlib import contextmanager
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope


class Mailbox:
    """What came to the server; it answers with `answers` first, one for each mail."""

    def __init__(self, *answers: str) -> None:
        self.mails = []
        self.tries = 0
        self._answers = list(answers)

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802 - aiosmtpd's name
        self.tries += 1
        if self._answers:
            return self._answers.pop(0)
        self.mails.append(envelope)
        return "250 taken"


class Server(Controller):
    """A mail server on a free port."""

    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def served(mailbox, **options):
    controller = Server(mailbox, hostname="127.0.0.1", port=0, **options)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def message_of(envelope: Envelope) -> EmailMessage:
    """The mail that the envelope holds."""
    return email.message_from_bytes(envelope.content, policy=email.policy.default)
