"""How a client of ours is let in by each scripted vendor."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.connectors.scripted import elma365, integrator, learningbuilder, starmind, teamtracks
from tests.connectors.scripted.script import Script


@dataclass(frozen=True)
class Way:
    """The way to one vendor.

    Attributes:
        calls: those that an import takes, in their order.
        options, secrets: of a connection.
        container: where its records go.
        address: what `faces` of a definition of ours say; None: the same.
        tells_rows: it names the rows that it does not take.
        renewing: options and secrets instead of the token, with which the client gets tokens; none: it can't.
    """

    script: type[Script]
    calls: tuple[str, ...]
    container: Mapping[str, str | int]
    secrets: Mapping[str, str]
    options: Mapping[str, str] = field(default_factory=dict)
    tells_rows: bool = False
    renewing: tuple[Mapping[str, str], Mapping[str, str]] | None = None
    address: Mapping[str, str | int] | None = None

    @property
    def tells(self) -> bool:
        """True when it can be asked how an import stands."""
        return "look" in self.calls


_TEAMTRACKS = {"tenant": teamtracks.TENANT}
_SUBSCRIPTION = {"subscription_key": teamtracks.SUBSCRIPTION_KEY}
WAYS = {
    "elma365": Way(
        elma365.ScriptedElma365,
        ("upload", "submit", "look"),
        {"namespace": "goods", "code": "things"},
        {"token": elma365.TOKEN},
    ),
    "integrator": Way(
        integrator.ScriptedIntegrator,
        ("submit",),
        {"import_id": integrator.IMPORT_ID},
        {"token": integrator.TOKEN},
        tells_rows=True,
        address={},
    ),
    "learningbuilder": Way(
        learningbuilder.ScriptedLearningBuilder,
        ("submit",),
        {"import_process_id": 7},
        {"api_key": learningbuilder.API_KEY},
    ),
    "starmind": Way(
        starmind.ScriptedStarmind,
        ("upload", "submit", "look"),
        {"entity": "tags"},
        {"token": "token-0"},
        tells_rows=True,
        renewing=(
            {"email": starmind.EMAIL},
            {"api_key": starmind.API_KEY, "password": starmind.PASSWORD},
        ),
    ),
    "teamtracks": Way(
        teamtracks.ScriptedTeamTracks,
        ("submit", "look"),
        {"track_id": "7d1c"},
        _SUBSCRIPTION | {"token": "token-0"},
        _TEAMTRACKS,
        tells_rows=True,
        renewing=(
            _TEAMTRACKS | {"client_id": "client-1", "email": "api@acme.example"},
            _SUBSCRIPTION | {"password": teamtracks.PASSWORD},
        ),
    ),
}
"""A connector with a client and no way here fails the tests of clients."""
