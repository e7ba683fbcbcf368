"""Who is asking over HTTP, and what they may ask for."""

import re
from dataclasses import dataclass
from enum import StrEnum

from schemas.errors import FatalError

TENANT_PATTERN = r"^[a-z][a-z0-9_-]{0,62}$"
"""Names of tenants are parts of paths."""
OPERATOR_TENANT = "local"
"""The tenant as which the command line and every key with the scope `admin` act."""


def refuse_no_tenant(name: str) -> None:
    """Nothing, where this can be the name of a tenant.

    Raises:
        FatalError: it can't.
    """
    if not re.fullmatch(TENANT_PATTERN, name):
        raise FatalError(
            f"{name!r} can't be the name of a tenant: small letters, digits, - and _; a letter first"
        )


class Scope(StrEnum):
    """What a key may be used for.

    `BeginWorkflowImportProcess` is a permission of LearningBuilder, and includes the right to have mail sent.
    """

    IMPORTS_CREATE = "imports:create"
    IMPORTS_READ = "imports:read"
    DEFINITIONS_WRITE = "definitions:write"
    CONNECTIONS_WRITE = "connections:write"
    BEGIN_WORKFLOW_IMPORT = "BeginWorkflowImportProcess"
    ADMIN = "admin"


@dataclass(frozen=True)
class Principal:
    """Whoever came in with a key.

    Attributes:
        scopes: `admin` includes every other.
        definitions: names of the only ones that may be used; None: all that the tenant sees.
    """

    key_id: str
    tenant: str
    scopes: frozenset[Scope]
    definitions: frozenset[str] | None = None

    @property
    def is_operator(self) -> bool:
        """True when whatever the command line may do is allowed."""
        return Scope.ADMIN in self.scopes

    def may(self, scope: Scope) -> bool:
        """True when the key has this scope."""
        return scope in self.scopes or self.is_operator

    def may_use(self, definition: str) -> bool:
        """True when the key is not kept from the definition of this name."""
        return self.definitions is None or definition in self.definitions
