"""TeamTracks: files of objects into a track.

Endpoints, as Lading serves them below `/teamtracks`:
    POST /objectimport/{trackId}      one file (xlsx, xls, csv) as the part `file` of a form: `{"jobId"}`
    GET  /job/objectimport/{jobId}    how the job stands
    GET  /job/{jobId}                 the same, at its older path
    POST /auth/token                  `{"clientId", "email", "password"}`: `{"token": "Bearer …"}`

Every call but the last carries `Authorization: Bearer …`, `tenant` and `Ocp-Apim-Subscription-Key`; the last
one the latter two. Limits: of the vendor none is documented; ours are in `choices.py`.

Sources:
    https://docs.team-tracks.com/docs/import-objects-from-file (three crawls)
    https://docs.team-tracks.com/docs/overview-of-public-api (the token)
"""

from connectors.connector import Connector
from connectors.teamtracks.choices import TeamTracksChoices
from connectors.teamtracks.face import NAME, TrackAddress, teamtracks_face

CONNECTOR = Connector(NAME, TrackAddress, teamtracks_face, TeamTracksChoices)

__all__ = ["CONNECTOR"]
