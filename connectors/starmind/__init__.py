"""Starmind: bulk import of tags and users.

Endpoints, below the root of the API (here below `/starmind`):

- `POST /users/login` with `Api-Key`, `{email, password}` → `{token}`, the token of `Authorization: Bearer`;
- `POST /import/{tags|users}/upload`, a form with one part `file`: validates a workbook and writes nothing;
- `PUT /import/{tags|users}/{import_id}`: imports a workbook that was validated without an error;
- `POST /import/users?mode=import|sync`: imports a list of users;
- `GET /import/{tags|users}/{import_id}/status`: the state of a validation or an import;
- `GET /import/{tags|users}/status`: all of them, newest first.

Limits: none is documented; ours are `Choices`. What Starmind promises: a PUT may be repeated, it creates and
updates; it does not tell which rows it created, and counts a row that changed nothing as updated.

Sources, read by 2026-11-27:

- https://docs.starmind.com/api/v1/resources/import/tag/
- https://docs.starmind.com/api/v1/resources/import/user/
- https://docs.starmind.com/api/v1/concepts/authentication/
- https://docs.starmind.com/integration/synchronization/user/
"""

from importlib.resources import files

from connectors.connector import Connector
from connectors.starmind.choices import Choices
from connectors.starmind.client import StarmindClient
from connectors.starmind.face import NAME, starmind_face
from connectors.starmind.options import StarmindOptions
from connectors.starmind.wire import Address, Entity
from schemas.definition import Mode

__all__ = ["CONNECTOR"]


def _definitions() -> dict[str, str]:
    names = [f"{NAME}-{entity}" for entity in Entity]
    return {name: (files(__name__) / "definitions" / f"{name}.yaml").read_text("utf-8") for name in names}


CONNECTOR = Connector(
    name=NAME,
    address=Address,
    face=starmind_face,
    choices=Choices,
    definitions=_definitions(),
    client=StarmindClient,
    container=Address,
    options=frozenset(StarmindOptions.model_fields),
    option_types=StarmindOptions,
    secrets=frozenset({"token", "api_key", "email", "password"}),
    needs=(frozenset({"token"}), frozenset({"api_key", "email", "password"})),
    client_modes=frozenset({Mode.UPSERT}),
)
