"""What Lading hands out and knows again when it comes back: sessions, links, form tokens, cursors."""

import contextlib
import hashlib
import os
import secrets
from enum import StrEnum
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from itsdangerous import BadData, URLSafeTimedSerializer

from schemas.errors import FatalError
from schemas.settings import Settings

SHORTEST_KEY_CHARS = 32


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
    """The signer of this home: of `secret_key`, else of the key that the home keeps, made here at first.

    Raises:
        FatalError: the key can't be read or made, or is too short to be one.
    """
    if settings.secret_key is not None:
        return Signer(settings.secret_key.get_secret_value())
    path = settings.home / "secret.key"
    try:
        if not path.exists():
            settings.make_home()
            _make(path)
        key = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise FatalError(f"the secret key {path} could not be read or made: {error}") from error
    if len(key) < SHORTEST_KEY_CHARS:
        raise FatalError(f"{path} holds no secret key; remove it, and the next start makes another")
    return Signer(key)


def _make(path: Path) -> None:
    """Make the key under its name at once and whole; whoever comes second takes the first one's."""
    with NamedTemporaryFile("w", dir=path.parent, prefix=".secret-key-") as draft:  # of mode 600
        draft.write(secrets.token_urlsafe(48) + "\n")
        draft.flush()
        os.fsync(draft.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft.name, path)
