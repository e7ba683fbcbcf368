"""The secret key of a home, and the seal for secrets that Lading alone must be able to read again."""

import base64
import contextlib
import os
import secrets
from pathlib import Path
from tempfile import NamedTemporaryFile

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from schemas.errors import FatalError
from schemas.settings import Settings

SHORTEST_KEY_CHARS = 32


class Seal:
    """Closes the secrets of one tenant; what it closed, neither the store nor another tenant's seal opens."""

    def __init__(self, key: str, tenant: str) -> None:
        derived = HKDF(SHA256(), 32, salt=None, info=f"lading sealed secrets of {tenant}".encode())
        self._fernet = Fernet(base64.urlsafe_b64encode(derived.derive(key.encode())))

    def close(self, secret: str) -> str:
        """The secret as it may be stored; another text each time."""
        return self._fernet.encrypt(secret.encode()).decode()

    def open(self, closed: str) -> str:
        """The secret that was closed.

        Raises:
            FatalError: it was closed with another key, or for another tenant.
        """
        try:
            return self._fernet.decrypt(closed).decode()
        except InvalidToken as error:
            raise FatalError(
                "a stored secret can't be opened, because the secret key (LADING_SECRET_KEY, or secret.key in "
                "the home) is not the one that closed it; bring back that key, or set the secret anew"
            ) from error


def secret_key(settings: Settings) -> str:
    """The key of `LADING_SECRET_KEY`, else the one that the home keeps, made here at first.

    Raises:
        FatalError: the key can't be read or made, or is too short to be one.
    """
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value()
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
    return key


def _make(path: Path) -> None:
    """Make the key under its name at once and whole; whoever comes second takes the first one's."""
    with NamedTemporaryFile("w", dir=path.parent, prefix=".secret-key-") as draft:  # of mode 600
        draft.write(secrets.token_urlsafe(48) + "\n")
        draft.flush()
        os.fsync(draft.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft.name, path)
