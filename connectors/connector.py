"""What a module of this room tells of its vendor: the one value `CONNECTOR`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel
from pydantic_settings import BaseSettings
from starlette.types import ASGIApp

from connectors.face import Imports
from schemas.principal import Scope


@dataclass(frozen=True)
class Connector:
    """One vendor.

    Attributes:
        name: as `faces` of a definition, the prefix of its paths and `LADING_FACES_OFF` say it.
        address: what `faces.<name>` of a definition holds: where, in the vendor's words, its records go.
        face: makes the application that answers below the prefix, with the vendor's own errors and no others.
        choices: what the vendor's documents leave open and we decided; each a setting, listed in the docs.
        scopes: those that a key needs beside the usual ones.
        definitions: name → YAML document of each that comes with the product, there from the first start.
    """

    name: str
    address: type[BaseModel]
    face: Callable[[Imports], ASGIApp]
    choices: type[BaseSettings]
    scopes: frozenset[Scope] = frozenset()
    definitions: Mapping[str, str] = field(default_factory=dict)
