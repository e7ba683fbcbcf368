"""Which connectors there are: the `CONNECTOR` of each module here, and those of installed packages."""

import importlib
import pkgutil
from functools import cache
from importlib.metadata import entry_points

import connectors
from connectors.connector import Connector
from schemas.errors import FatalError

GROUP = "lading.connectors"
"""Entry points of this group name a connector in a package of somebody else's."""

_OWN = frozenset(
    {
        "access",
        "client",
        "client_files",
        "connector",
        "face",
        "invocation",
        "message",
        "outgoing",
        "redaction",
        "refusal",
        "registry",
        "resources",
        "token_authorization",
        "vendor_answer",
        "vendor_body",
        "vendor_http",
    }
)
"""Modules of this room that are no vendor."""


@cache
def known_connectors() -> dict[str, Connector]:
    """Every connector by its name, in order of name.

    Raises:
        FatalError: a module or package that should have one has none, or two have the same name.
    """
    found = [_of_module(name) for name in _modules()]
    found += [_checked(f"the entry point {e.name!r}", e.load()) for e in entry_points(group=GROUP)]
    names = [connector.name for connector in found]
    if doubled := {name for name in names if names.count(name) > 1}:
        raise FatalError(f"two connectors are named {', '.join(sorted(doubled))}")
    return {connector.name: connector for connector in sorted(found, key=lambda c: c.name)}


def _modules() -> set[str]:
    return {module.name for module in pkgutil.iter_modules(connectors.__path__)} - _OWN


def _of_module(name: str) -> Connector:
    module = importlib.import_module(f"connectors.{name}")
    return _checked(f"the module connectors.{name}", getattr(module, "CONNECTOR", None))


def _checked(whose: str, found: object) -> Connector:
    if not isinstance(found, Connector):
        raise FatalError(f"{whose} has no CONNECTOR that is a connectors.Connector")
    return found
