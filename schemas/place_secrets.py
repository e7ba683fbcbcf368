"""Secrets of places: sealed where they are kept, masked where they are shown, opened where they are used."""

import os
from collections.abc import Callable, Collection, Mapping
from typing import TypeVar

from schemas.errors import DefinitionError, FatalError
from schemas.place import Place
from schemas.principal import OPERATOR_TENANT
from schemas.secret_key import Seal, secret_key
from schemas.settings import Settings
from schemas.webhook import MASK, REFERENCE, SEALED

P = TypeVar("P", bound=Place)
Unseal = Callable[[str], str]


def masked_place(place: P) -> P:
    """The place as it may be shown: with a mask for each secret that is no reference."""
    return _with(place, {n: s if s.startswith(REFERENCE) else MASK for n, s in place.secrets.items()})


def sealed_place(
    where: str,
    place: P,
    earlier: Place | None,
    seal: Callable[[], Seal],
    sealed_here: Collection[str] = (),
) -> P:
    """The place as it may be stored.

    A mask stands for the secret of the same name, as long as server, user and options stay what they were: a
    secret that was told for one server is sent to no other.

    Args:
        where: the key of the definition, for messages.
        earlier: as it is stored now; None where there is none.
        seal: of the tenant whose it is; asked for only where there is something to seal.
        sealed_here: what was sealed for this tenant before, and may be among the secrets.

    Raises:
        DefinitionError: a mask stands for no secret, or one is sealed that is not from here.
    """
    known = earlier.secrets if earlier is not None and _is_same_server(place, earlier) else {}
    kept = {
        name: secret
        if secret in sealed_here
        else _sealed(f"{where}.secrets.{name}", secret, known.get(name), seal)
        for name, secret in place.secrets.items()
    }
    return _with(place, kept)


def opened_secrets_of(place: Place, unseal: Unseal | None) -> dict[str, str]:
    """The secrets in clear.

    Args:
        unseal: opens what was sealed; None where nothing can be.

    Raises:
        FatalError: a variable that one refers to is not set, or one can't be opened.
    """
    return {name: _opened(place, name, kept, unseal) for name, kept in place.secrets.items()}


def unsealing(settings: Settings, tenant: str) -> Unseal:
    """Opens what was sealed for the tenant, or for the operator, whose definitions it may use."""

    def unseal(closed: str) -> str:
        key = secret_key(settings)
        try:
            return Seal(key, tenant).open(closed)
        except FatalError:
            return Seal(key, OPERATOR_TENANT).open(closed)

    return unseal


def _with(place: P, secrets: Mapping[str, str]) -> P:
    return place.model_copy(update={"secrets": dict(secrets)}) if secrets else place


def _is_same_server(place: Place, other: Place) -> bool:
    address, before = place.address, other.address
    same = (address.scheme, address.host, address.port, address.user)
    return same == (before.scheme, before.host, before.port, before.user) and place.options == other.options


def _sealed(where: str, secret: str, known: str | None, seal: Callable[[], Seal]) -> str:
    if secret == known or secret.startswith(REFERENCE):
        return secret
    if secret.startswith(SEALED):
        raise DefinitionError(f"{where}: a sealed secret can't be brought from outside")
    if secret == MASK:
        if known is None:
            raise DefinitionError(f"{where}: the mask {MASK} stands for no secret of this server yet; say one")
        return known
    if known is not None and known.startswith(SEALED) and _opens_to(seal(), known, secret):
        return known
    return SEALED + seal().close(secret)


def _opens_to(seal: Seal, known: str, wanted: str) -> bool:
    try:
        return seal.open(known.removeprefix(SEALED)) == wanted
    except FatalError:
        return False


def _opened(place: Place, name: str, kept: str, unseal: Unseal | None) -> str:
    if kept.startswith(SEALED) and unseal is not None:
        return unseal(kept.removeprefix(SEALED))
    if not kept.startswith(REFERENCE):
        raise FatalError(f"the {name} for {place.address.shown} can't be opened here; keep the definition anew")
    variable = kept.removeprefix(REFERENCE)
    value = os.environ.get(variable)
    if not value:
        raise FatalError(
            f"the {name} for {place.address.shown} is to stand in the environment variable {variable}, which "
            "is not set; set it where Lading runs"
        )
    return value
