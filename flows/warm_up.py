"""Imports a small file in a home that is thrown away, so that the first real job finds everything loaded."""

import tempfile
from pathlib import Path

from flows.run import import_directly
from schemas.definition import Definition
from schemas.import_request import ImportRequest
from schemas.settings import Settings
from store.database import Store
from store.definitions import put_definition

_DEFINITION = {
    "name": "warm-up",
    "key": ["id"],
    "fields": [
        {"name": "id", "type": "string", "required": True},
        {"name": "amount", "type": "integer", "min": 0},
    ],
    "destination": {"table": "warm_up"},
}


def warm_up(settings: Settings) -> None:
    """Load what an import needs, the reader included; leaves nothing behind.

    Raises:
        LadingError: a small file can't be imported on this machine.
    """
    with tempfile.TemporaryDirectory(prefix="lading-warm-up-") as folder:
        source = Path(folder) / "warm-up.csv"
        source.write_text("Id,Amount\na,1\nb,x\n")
        throw_away = settings.model_copy(update={"home": Path(folder) / "home", "store_url": None})
        with Store.opened(throw_away) as store, store.write() as session:
            put_definition(session, throw_away.tenant, Definition.model_validate(_DEFINITION))
        import_directly(throw_away, ImportRequest(str(source), "warm-up"))
