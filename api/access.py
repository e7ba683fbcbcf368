"""Who comes in, and with which scopes: decided before anything of a request's body is read."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.context import CurrentContext
from api.problems import INSUFFICIENT_SCOPE, UNAUTHENTICATED, ProblemError
from schemas.principal import Principal, Scope

bearer = HTTPBearer(
    auto_error=False,
    scheme_name="key",
    description="The token of a key, as `lading keys create` prints it once.",
)


async def principal(
    service: CurrentContext, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
) -> Principal:
    """Whoever comes in with `Authorization: Bearer TOKEN`.

    Raises:
        ProblemError: 401; there is no token, or it is that of no key, or of a revoked one.
    """
    token = "" if credentials is None else credentials.credentials
    found = None
    if token:
        found = service.keys.fresh(token) or await service.quick(service.keys.ask, service.store, token)
    if found is None:
        said = "the token is that of no key" if token else "this needs a key: Authorization: Bearer TOKEN"
        challenge = 'Bearer realm="lading", error="invalid_token"' if token else 'Bearer realm="lading"'
        raise ProblemError(UNAUTHENTICATED, said, headers={"WWW-Authenticate": challenge})
    return found


CurrentPrincipal = Annotated[Principal, Depends(principal)]


def with_scope(scope: Scope) -> Callable[[Principal], Awaitable[Principal]]:
    """The dependency that gives whoever comes in, and lets in only those whose key has this scope."""

    async def allowed(who: CurrentPrincipal) -> Principal:
        require_scope(who, scope)
        return who

    return allowed


def require_scope(who: Principal, scope: Scope) -> None:
    """Refuse whoever's key lacks this scope.

    Raises:
        ProblemError: 403; names the scope.
    """
    if not who.may(scope):
        challenge = f'Bearer realm="lading", error="insufficient_scope", scope="{scope}"'
        raise ProblemError(
            INSUFFICIENT_SCOPE,
            f"the key lacks the scope {scope}; `lading keys create --scope {scope}` makes one that has it",
            headers={"WWW-Authenticate": challenge},
            members={"scope": scope.value},
        )


Reader = Annotated[Principal, Depends(with_scope(Scope.IMPORTS_READ))]
Creator = Annotated[Principal, Depends(with_scope(Scope.IMPORTS_CREATE))]
Definer = Annotated[Principal, Depends(with_scope(Scope.DEFINITIONS_WRITE))]
Connecting = Annotated[Principal, Depends(with_scope(Scope.CONNECTIONS_WRITE))]
