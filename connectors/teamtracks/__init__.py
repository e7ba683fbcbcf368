"""TeamTracks: files of objects into a track.

Endpoints, as Lading serves them below `/teamtracks`:
    POST /objectimport/{trackId}      one file (xlsx, xls, csv) as the part `file` of a form: `{"jobId"}`
    GET  /job/objectimport/{jobId}    how the job stands
    GET  /job/{jobId}                 the same, at its older path
    POST /auth/token                  `{"clientId", "email", "password"}`: `{"token": "Bearer …"}`

Every call but the last carries `Authorization: Bearer …`, `tenant` and `Ocp-Apim-Subscription-Key`; the last
one the latter two. What the client promises: a file is sent at most once, since each one that comes is a new
job; where the answer was lost its records are `unconfirmed`. The vendor tells totals and errors, and the ids of
what it created, but not of which rows. Limits: of the vendor none is documented; ours are in `choices.py`.

Sources:
    https://docs.team-tracks.com/docs/import-objects-from-file (three crawls)
    https://docs.team-tracks.com/docs/overview-of-public-api (the token)
"""

from connectors.connector import Connector
from connectors.teamtracks.choices import TeamTracksChoices
from connectors.teamtracks.client import TeamTracksClient
from connectors.teamtracks.face import NAME, TrackAddress, teamtracks_face
from connectors.teamtracks.options import TeamTracksOptions
from schemas.definition import Mode

_ALWAYS = frozenset({"tenant", "subscription_key"})
CONNECTOR = Connector(
    NAME,
    TrackAddress,
    teamtracks_face,
    TeamTracksChoices,
    client=TeamTracksClient,
    container=TrackAddress,
    options=frozenset(TeamTracksOptions.model_fields),
    option_types=TeamTracksOptions,
    secrets=frozenset({"subscription_key", "token", "password"}),
    needs=(_ALWAYS | {"token"}, _ALWAYS | {"client_id", "email", "password"}),
    client_modes=frozenset({Mode.UPSERT}),
)

__all__ = ["CONNECTOR"]
