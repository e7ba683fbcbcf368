"""Puts each vendor's face below its own name; one that the settings switch off is not there."""

from fastapi import FastAPI

from api.context import Context
from api.faces.house import House
from connectors import known_connectors
from schemas.errors import FatalError
from schemas.settings import Settings


def mount_faces(app: FastAPI, settings: Settings) -> None:
    """Mount every face that is not switched off.

    Raises:
        FatalError: the setting names a vendor that is not there.
    """

    def context() -> Context:
        found: Context = app.state.context
        return found

    known = known_connectors()
    off = {name.strip() for name in settings.faces_off.split(",")} - {""}
    if unknown := off - known.keys():
        raise FatalError(f"LADING_FACES_OFF names {sorted(unknown)}; the vendors are {', '.join(known)}")
    house = House(context)
    for name, connector in known.items():
        if name not in off:
            app.mount(f"/{name}", connector.face(house))
