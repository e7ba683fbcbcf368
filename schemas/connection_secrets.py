"""The secrets of a connection: sealed where it is kept, masked where it is shown, opened where it is used."""

import os
from collections.abc import Callable, Mapping

from schemas.errors import FatalError, UnfitConnectionError
from schemas.secret_key import Seal
from schemas.webhook import MASK, REFERENCE, SEALED


def masked_secrets(secrets: Mapping[str, str]) -> dict[str, str]:
    """The secrets as they may be shown: with a mask for each that is no reference."""
    return {name: kept if kept.startswith(REFERENCE) else MASK for name, kept in secrets.items()}


def sealed_secrets(
    said: Mapping[str, str], earlier: Mapping[str, str], seal: Callable[[], Seal]
) -> dict[str, str]:
    """The secrets as they may be stored.

    Args:
        earlier: those that masks may stand for.
        seal: of the tenant whose they are; asked for only where there is something to seal.

    Raises:
        UnfitConnectionError: a mask stands for no secret, or one is sealed that is not from here.
    """
    return {name: _sealed(name, secret, earlier, seal) for name, secret in said.items()}


def opened_secrets(secrets: Mapping[str, str], seal: Callable[[], Seal]) -> dict[str, str]:
    """The secrets in clear.

    Raises:
        FatalError: a variable that one refers to is not set, or one can't be opened.
    """
    return {name: _opened(name, kept, seal) for name, kept in secrets.items()}


def _sealed(name: str, secret: str, earlier: Mapping[str, str], seal: Callable[[], Seal]) -> str:
    if secret.startswith(REFERENCE):
        return secret
    if secret.startswith(SEALED):
        raise UnfitConnectionError(f"secrets.{name}: a sealed secret can't be brought from outside")
    if secret != MASK:
        return SEALED + seal().close(secret)
    if name not in earlier:
        raise UnfitConnectionError(
            f"secrets.{name}: the mask {MASK} stands for no secret of this connector at this url; say one"
        )
    return earlier[name]


def _opened(name: str, kept: str, seal: Callable[[], Seal]) -> str:
    if not kept.startswith(REFERENCE):
        return seal().open(kept.removeprefix(SEALED))
    variable = kept.removeprefix(REFERENCE)
    found = os.environ.get(variable, "")
    if not found:
        raise FatalError(f"the environment variable {variable}, the connection's secret {name!r}, is not set")
    return found
