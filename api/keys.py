"""Who came in with which key in the last moments, so that not every request asks the job store."""

import hashlib
import time
from collections import OrderedDict

from schemas.principal import Principal
from store.database import Store
from store.keys import principal_of

FRESH_SECONDS = 2.0
"""For so long a key that was revoked may still let somebody in."""
MOST_KEYS = 1_000


class KnownKeys:
    """Principals by their tokens, of which only hashes are held; what was found is fresh for two seconds."""

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, tuple[float, Principal]] = OrderedDict()

    def fresh(self, token: str) -> Principal | None:
        """Who came in with this token just now; None where the store must be asked."""
        found = self._known.get(_hash(token))
        return found[1] if found is not None and time.monotonic() - found[0] < FRESH_SECONDS else None

    def ask(self, store: Store, token: str) -> Principal | None:
        """Who comes in with this token, by the store; None where it is no key or a revoked one.

        Raises:
            StoreBusyError: the store does not answer.
        """
        asked_at = time.monotonic()
        with store.read() as session:
            principal = principal_of(session, token)
        if principal is not None:
            self._known[_hash(token)] = asked_at, principal
            while len(self._known) > MOST_KEYS:
                self._known.popitem(last=False)
        return principal


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()
