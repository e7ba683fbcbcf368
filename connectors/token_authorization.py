"""A token that a client shows with every call, and how it gets another when that one is good no more."""

from collections.abc import Callable, Mapping


class TokenAuthorization:
    """Shows a token; fetches one where there is none, or where the vendor takes it no more.

    Args:
        token: empty where there is none yet.
        shown: the headers of a call that shows this token.
        fetch: gets another; None where there is nothing to get one with.
        keep: keeps what was got, for later runs.
    """

    def __init__(
        self,
        token: str,
        shown: Callable[[str], Mapping[str, str]],
        fetch: Callable[[], str] | None,
        keep: Callable[[str], None],
    ) -> None:
        self._token = token
        self._shown = shown
        self._fetch = fetch
        self._keep = keep

    def headers(self) -> Mapping[str, str]:
        """Those that show the token."""
        if not self._token:
            self.renew()
        return self._shown(self._token)

    def renew(self) -> bool:
        """Get another token, where that can be done; false where it can't."""
        if self._fetch is None:
            return False
        self._token = self._fetch()
        self._keep(self._token)
        return True
