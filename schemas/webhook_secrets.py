"""The secrets of a definition's webhooks: sealed where it is kept, masked where it is shown."""

import os
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from schemas.definition import Definition
from schemas.errors import DefinitionError, FatalError
from schemas.secret_key import Seal
from schemas.webhook import MASK, REFERENCE, SEALED, WebhookAddress, signing_key

W = TypeVar("W", bound=WebhookAddress)


def masked(definition: Definition) -> Definition:
    """The definition as it may be shown: with a mask for each secret that is no reference."""
    shown = {"webhooks": tuple(map(_masked, definition.webhooks))}
    return _with_notice(definition.model_copy(update=shown), _masked)


def sealed(definition: Definition, earlier: Definition | None, seal: Callable[[], Seal]) -> Definition:
    """The definition as it may be stored.

    A mask stands for the secret of the webhook with the same `url`, else of the one in the same place; a
    secret that did not change stays sealed as it is, so that the definition is the same.

    Args:
        earlier: as it is stored now; None where there is none.
        seal: of the tenant whose it is; asked for only where there is something to seal.

    Raises:
        DefinitionError: a mask stands for no secret, or one is sealed that is not from here.
    """
    known = earlier.webhooks if earlier is not None else ()
    hooks = tuple(
        _sealed(f"webhooks.{place}", hook, _likely(place, hook, known), seal)
        for place, hook in enumerate(definition.webhooks)
    )
    told = () if earlier is None or earlier.notice_webhook is None else (earlier.notice_webhook,)
    return _with_notice(
        definition.model_copy(update={"webhooks": hooks}) if hooks else definition,
        lambda hook: _sealed("notify.webhook", hook, _likely(0, hook, told), seal),
    )


def opened_key(secret: str, seal: Callable[[], Seal]) -> bytes:
    """The bytes with which a stored secret signs.

    Raises:
        FatalError: the variable that it refers to is not set or holds none, or it can't be opened.
    """
    if not secret.startswith(REFERENCE):
        return signing_key(seal().open(secret.removeprefix(SEALED)))
    name = secret.removeprefix(REFERENCE)
    try:
        return signing_key(os.environ[name])
    except KeyError as error:
        raise FatalError(f"the environment variable {name}, a webhook's secret, is not set") from error
    except ValueError as error:
        raise FatalError(f"the environment variable {name} holds no secret of a webhook: {error}") from error


def _masked(hook: W) -> W:
    return hook if hook.secret.startswith(REFERENCE) else hook.model_copy(update={"secret": MASK})


def _with_notice(definition: Definition, change: Callable[[WebhookAddress], WebhookAddress]) -> Definition:
    """The definition with another webhook for its notices, where it has one."""
    notify, hook = definition.notify, definition.notice_webhook
    if notify is None or hook is None:
        return definition
    told = notify.model_copy(update={"webhook": change(hook)})
    return definition.model_copy(update={"notify": told})


def _sealed(where: str, hook: W, likely: Iterator[WebhookAddress], seal: Callable[[], Seal]) -> W:
    before = [found.secret for found in likely]
    if hook.secret.startswith(REFERENCE) or hook.secret in before:
        return hook
    if hook.secret.startswith(SEALED):
        raise DefinitionError(f"{where}.secret: a sealed secret can't be brought from outside")
    if hook.secret == MASK:
        if not before:
            raise DefinitionError(f"{where}.secret: the mask {MASK} stands for no secret yet; say one")
        return hook.model_copy(update={"secret": before[0]})
    for secret in before:
        if secret.startswith(SEALED) and _opens_to(seal(), secret, hook.secret):
            return hook.model_copy(update={"secret": secret})
    return hook.model_copy(update={"secret": SEALED + seal().close(hook.secret)})


def _likely(place: int, hook: WebhookAddress, known: Sequence[WebhookAddress]) -> Iterator[WebhookAddress]:
    """The earlier webhooks that this one may be, the likeliest first.

    One whose secret is a reference is only ever the same at the same address: it is the operator's, and whoever
    moves the webhook may be somebody else.
    """
    yield from (found for found in known if found.url == hook.url)
    yield from (found for found in known[place : place + 1] if not found.secret.startswith(REFERENCE))


def _opens_to(seal: Seal, secret: str, wanted: str) -> bool:
    try:
        return seal.open(secret.removeprefix(SEALED)) == wanted
    except FatalError:
        return False
