"""Keys in the job store: made, told once, found by their secrets, revoked."""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, select

from schemas.clock import utc_now
from schemas.errors import NotAllowedError, NotFoundError
from schemas.principal import OPERATOR_TENANT, Principal, Scope, refuse_no_tenant
from store.access_tables import ApiKey
from store.backend import is_storable

_SEPARATOR = "."
MOST_SECRET_CHARS = 512
"""What is longer is no secret of ours, and is not looked at."""


@dataclass(frozen=True)
class NewKey:
    """A key as it is told once.

    Attributes:
        token: the secret with which its holder comes in; begins with the id.
        subscription_key: a second secret, which one vendor's clients send beside the token.
    """

    key_id: str
    tenant: str
    token: str
    subscription_key: str


def add_key(
    session: Session, tenant: str, scopes: Sequence[Scope], definitions: Sequence[str] | None = None
) -> NewKey:
    """Make a key; its secrets are in the answer and nowhere else.

    Args:
        definitions: names of the only ones it may use; None: all that the tenant sees.

    Raises:
        FatalError: that can't be the name of a tenant.
        NotAllowedError: `scope.admin`, only the operator's keys have that scope.
    """
    refuse_no_tenant(tenant)
    if Scope.ADMIN in scopes and tenant != OPERATOR_TENANT:
        raise NotAllowedError(
            "scope.admin",
            f"only a key of {OPERATOR_TENANT!r} can have the scope 'admin', not one of {tenant!r}",
        )
    key_id = secrets.token_hex(8)
    new = NewKey(key_id, tenant, f"{key_id}{_SEPARATOR}{secrets.token_urlsafe(32)}", secrets.token_hex(16))
    session.add(
        ApiKey(
            id=key_id,
            tenant=tenant,
            token_hash=_hash(new.token),
            subscription_hash=_hash(new.subscription_key),
            scopes=sorted({scope.value for scope in scopes}),
            definitions=None if definitions is None else sorted(set(definitions)),
        )
    )
    session.flush()
    return new


def principal_of(session: Session, token: str, subscription_key: str | None = None) -> Principal | None:
    """Who comes in with this token; None where it is none, or is revoked.

    Args:
        subscription_key: where one is given, it must be that of the same key.
    """
    if max(len(token), len(subscription_key or "")) > MOST_SECRET_CHARS:
        return None
    key = _key(session, token.partition(_SEPARATOR)[0])
    # Compared in any case, so that the time taken does not tell whether there is such an id.
    is_right = hmac.compare_digest(key.token_hash if key else "", _hash(token))
    if subscription_key is not None:
        is_right &= hmac.compare_digest(key.subscription_hash if key else "", _hash(subscription_key))
    return _principal(key) if is_right and key is not None and key.revoked_at is None else None


def principal_of_key(session: Session, key_id: str) -> Principal | None:
    """Who holds the key with this id, for whom a signed session stands; None where it is revoked."""
    key = _key(session, key_id)
    return _principal(key) if key is not None and key.revoked_at is None else None


def list_keys(session: Session, tenant: str | None = None) -> Sequence[ApiKey]:
    """The keys of the tenant, or of all, in the order in which they were made; revoked ones too."""
    query = select(ApiKey).order_by(col(ApiKey.created_at), col(ApiKey.id))
    return session.exec(query if tenant is None else query.where(ApiKey.tenant == tenant)).all()


def revoke_key(session: Session, key_id: str) -> ApiKey:
    """Let nobody in with this key from now on; harmless when repeated.

    Raises:
        NotFoundError: there is no such key.
    """
    key = _key(session, key_id)
    if key is None:
        raise NotFoundError(f"there is no key {key_id!r}; `lading keys list` names them")
    key.revoked_at = key.revoked_at or utc_now()
    session.add(key)
    return key


def _key(session: Session, key_id: str) -> ApiKey | None:
    return session.get(ApiKey, key_id) if is_storable(key_id) else None


def _principal(key: ApiKey) -> Principal:
    definitions = None if key.definitions is None else frozenset(key.definitions)
    return Principal(key.id, key.tenant, frozenset(Scope(scope) for scope in key.scopes), definitions)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()
