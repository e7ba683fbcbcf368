"""Secrets that must not be read in a message or a log, wherever what is said there came from."""

import json
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

from schemas.webhook import MASK


class Redaction:
    """Masks the secrets that it knows; more may be added at any time."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._spellings: set[str] = set()
        for secret in secrets:
            self.hide(secret)

    def hide(self, secret: str) -> None:
        """Mask this from now on, also as URLs and JSON spell it."""
        spelled = {secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1]}
        self._spellings |= spelled - {""}

    def __call__(self, text: str) -> str:
        """The text with a mask in the place of each secret."""
        for spelling in sorted(self._spellings, key=len, reverse=True):
            text = text.replace(spelling, MASK)
        return text
