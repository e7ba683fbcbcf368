"""What every request needs of this service: made once when it starts, handed to routes as a dependency."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, ParamSpec, TypeVar

import anyio.to_thread
from anyio import CapacityLimiter
from fastapi import Depends
from starlette.requests import HTTPConnection

from api.health_check import HealthCheck
from api.keys import KnownKeys
from schemas.settings import Settings
from schemas.signing import Signer
from store.database import Store, Transaction
from store.definitions import definition_of
from store.tables import DefinitionVersion

P = ParamSpec("P")
R = TypeVar("R")
QUICK_CALLS = 5
"""As many as the store keeps connections open."""
SLOW_CALLS = 8
OUTGOING_CALLS = 4
MOST_DEFINITIONS = 200


@dataclass(frozen=True)
class Context:
    """The service's own things; in `app.state.context` while it runs.

    Attributes:
        signer: signs what is handed out to be brought back: sessions, links, cursors.
        keys: who came in with which key in the last moments.
        health: what is missing for work to run.
    """

    settings: Settings
    store: Store
    signer: Signer
    keys: KnownKeys
    health: HealthCheck
    _definitions: OrderedDict[int, DefinitionVersion] = field(default_factory=OrderedDict)
    _quick: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(QUICK_CALLS))
    _slow: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(SLOW_CALLS))
    _outgoing: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(OUTGOING_CALLS))

    def definition(self, session: Transaction, definition_id: int) -> DefinitionVersion:
        """The version with this id, remembered: what a version says never changes."""
        found = self._definitions.get(definition_id)
        if found is None:
            found = self._definitions[definition_id] = definition_of(session, definition_id)
            while len(self._definitions) > MOST_DEFINITIONS:
                self._definitions.popitem(last=False)
        return found

    async def quick(self, call: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """What the call gives, made in a thread: a look into the store that takes milliseconds."""
        return await anyio.to_thread.run_sync(partial(call, *args, **kwargs), limiter=self._quick)

    async def slow(self, call: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """The same for what copies files or writes, so that nobody who only looks waits for it."""
        return await anyio.to_thread.run_sync(partial(call, *args, **kwargs), limiter=self._slow)

    async def outgoing(self, call: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """The same for what calls others, so that a slow one of them holds up nobody but who called."""
        return await anyio.to_thread.run_sync(partial(call, *args, **kwargs), limiter=self._outgoing)

    def public(self, path: str) -> str:
        """The address of this path for whoever is in the house: absolute where `public_url` is set.

        The request's Host header has no say in it.
        """
        return f"{(self.settings.public_url or '').rstrip('/')}{path}"


async def context(connection: HTTPConnection) -> Context:
    """The context of the app that answers this request."""
    found: Context = connection.app.state.context
    return found


CurrentContext = Annotated[Context, Depends(context)]
