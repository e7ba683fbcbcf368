"""What a module of this room tells of its vendor: the one value `CONNECTOR`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel
from pydantic_settings import BaseSettings
from starlette.types import ASGIApp

from connectors.access import Access
from connectors.client import Client
from connectors.face import Imports
from schemas.definition import Mode
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
        client: makes what drives the vendor; None where Lading only answers as it does.
        container: what a definition's `destination` holds beside `connection`: where the records go.
        options, secrets: what a connection may know, by the vendor's names.
        option_types: reads the options of a connection as what they are; None where any text will do.
        needs: sets of names of options and secrets, one of which a connection must have whole.
        client_modes: what the vendor can do.
    """

    name: str
    address: type[BaseModel]
    face: Callable[[Imports], ASGIApp]
    choices: type[BaseSettings]
    scopes: frozenset[Scope] = frozenset()
    definitions: Mapping[str, str] = field(default_factory=dict)
    client: Callable[[Access], Client] | None = None
    container: type[BaseModel] | None = None
    options: frozenset[str] = frozenset()
    secrets: frozenset[str] = frozenset()
    option_types: type[BaseModel] | None = None
    needs: tuple[frozenset[str], ...] = ()
    client_modes: frozenset[Mode] = frozenset()
