"""What Lading hands out and knows again when it comes back: sessions, links, form tokens, cursors."""

import hashlib
from enum import StrEnum
from typing import Any

from itsdangerous import BadData, URLSafeTimedSerializer

from schemas.secret_key import secret_key
from schemas.settings import Settings


class Purpose(StrEnum):
    """What something was signed for; what was signed for one purpose is worth nothing for another."""

    PAGE_SESSION = "page session"
    JOB_LINK = "job link"
    CSRF = "csrf"
    CURSOR = "cursor"


class Signer:
    """Signs values and knows them again; nobody else can make one, anybody can read one."""

    def __init__(self, secret_key: str) -> None:
        self._secret_key = secret_key

    def sign(self, purpose: Purpose, value: Any) -> str:  # noqa: ANN401
        """The value, which must be plain JSON, as text that may stand in URLs, cookies and forms."""
        return str(self._serializer(purpose).dumps(value))

    def value(self, purpose: Purpose, signed: str, max_age_seconds: float | None = None) -> Any:  # noqa: ANN401
        """What was signed; None where it was not signed for this purpose, or longer ago than that."""
        age = None if max_age_seconds is None else int(max_age_seconds)
        try:
            return self._serializer(purpose).loads(signed, max_age=age)
        except BadData:
            return None

    def _serializer(self, purpose: Purpose) -> URLSafeTimedSerializer:
        settings = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}
        return URLSafeTimedSerializer(self._secret_key, salt=f"lading {purpose}", signer_kwargs=settings)


def signer_of(settings: Settings) -> Signer:
    """The signer of this home: of its secret key, which is made here at first.

    Raises:
        FatalError: the key can't be read or made, or is too short to be one.
    """
    return Signer(secret_key(settings))
