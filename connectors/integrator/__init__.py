"""integrator.io (Celigo): imports as resources, and records taken in while the client waits.

Endpoints, below the root of the API (here below `/integrator`):

- `GET`, `POST /v1/imports`; `GET`, `PUT`, `PATCH`, `DELETE /v1/imports/{_id}`: the resource;
- `POST /v1/imports/{_id}/clone`, `PUT …/replaceConnection`, `GET …/audit`, `GET …/dependencies`;
- `GET`, `POST /v1/connections`; `GET`, `PUT`, `DELETE /v1/connections/{_id}`, `GET …/ping`;
- `POST /v1/imports/{_id}/invoke`, and `/v1/import/{_id}/invoke`: records, answered one by one;
- `GET /v1/tokenInfo`: whose the token is.

Every call carries `Authorization: Bearer …`. Limits: 1,000 calls at once and 300 a second for each account,
then 429 with `Retry-After`; ours are in `choices.py`. The client invokes an import with at most 1,000 records
and 5 MB at a time, each time once: the vendor makes no job of an invoke, and its answer tells of each record
that it was taken, ignored or refused, not whether it was created or updated.

Sources, read by 2026-11-27:

- https://docs.celigo.com/hc/en-us/articles/7707882031131-Import-API-endpoints
- https://docs.celigo.com/hc/en-us/articles/7707491444763-Connection-API-endpoints
- https://docs.celigo.com/hc/en-us/articles/360047360451 (what an invoke answers)
- https://developer.celigo.com/api/using-the-api/errors (and pagination, rate-limits)
- https://github.com/celigo/integrator-api-docs (mapping, hooks, jobs; with its history)
"""

from pydantic import BaseModel, ConfigDict

from connectors.connector import Connector
from connectors.integrator.choices import Choices
from connectors.integrator.client import ImportContainer, IntegratorClient
from connectors.integrator.face import NAME, integrator_face
from schemas.definition import Mode

__all__ = ["CONNECTOR"]


class Address(BaseModel):
    """Nothing: every definition is an import, reached by its id."""

    model_config = ConfigDict(extra="forbid", frozen=True)


CONNECTOR = Connector(
    name=NAME,
    address=Address,
    face=integrator_face,
    choices=Choices,
    client=IntegratorClient,
    container=ImportContainer,
    secrets=frozenset({"token"}),
    needs=(frozenset({"token"}),),
    client_modes=frozenset({Mode.UPSERT}),
)
