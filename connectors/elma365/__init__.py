"""ELMA365 (BRIX365): data import of apps by the Web API.

Endpoints, as Lading serves them below `/elma365`:
    GET  /pub/v1/app/{namespace}/{code}/import/template          a file to be filled in (an extension)
    POST /pub/v1/disk/directory/{id}/upload?hash=                a file that is kept, or a part of it
    POST /pub/v1/disk/file/upload?hash=                          a file for 60 minutes, or a part of it
    POST /pub/v1/app/{namespace}/{code}/import                   `{"fileHash", "format", "withEventHandlers"}`
    GET  /pub/v1/app/{namespace}/{code}/import/{importId}/status how the import stands; POST, too
    GET  /pub/v1/app/{namespace}/{code}/import/{importId}        the same

`hash` is a UUID that the client makes, and the only name by which it knows the file. Every call carries
`X-Token: …` or `Authorization: Bearer …`. Limits: parts of 5 MiB to 5 GiB but for the last, one import of an
app at a time, a status not more often than once a second (advised only); ours are in `choices.py`.

What the client promises: a file is uploaded as often as it takes, and an import begun at most once; where the
answer to that was lost, the records are `unconfirmed`. The vendor tells how many records it imported, no more.

Sources, read by 2026-11-27:
    https://api.elma365.com/en/public-api/guides/DataImport/
    https://api.elma365.com/en/public-api/reference/app/appimport/
    https://api.elma365.com/en/public-api/reference/disk/uploadtodirectory/
    https://api.elma365.com/en/public-api/reference/disk/uploadpart/
    https://elma365.com/en/help/360004962211.html (codes and envelopes)
"""

from connectors.connector import Connector
from connectors.elma365.choices import Elma365Choices
from connectors.elma365.client import Elma365Client
from connectors.elma365.face import NAME, AppAddress, elma365_face
from connectors.elma365.options import AppContainer, Elma365Options
from schemas.definition import Mode

CONNECTOR = Connector(
    NAME,
    AppAddress,
    elma365_face,
    Elma365Choices,
    client=Elma365Client,
    container=AppContainer,
    options=frozenset(Elma365Options.model_fields),
    option_types=Elma365Options,
    secrets=frozenset({"token"}),
    needs=(frozenset({"token"}),),
    client_modes=frozenset({Mode.UPSERT}),
)

__all__ = ["CONNECTOR"]
