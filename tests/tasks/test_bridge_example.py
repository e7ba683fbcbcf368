"""A bridge is nothing more than a definition with a face and a connection."""

from pathlib import Path

import pytest

from schemas.connection import ConnectionDocument
from schemas.document import read_definition
from schemas.errors import NotAllowedError
from store.database import Store
from tasks.connection_keeping import keep_connection
from tasks.definition_keeping import keep_definition
from tasks.vendor_destination import destination_identity

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "bridge.yaml"


def test_the_example_of_a_bridge_is_a_definition_that_can_be_kept(settings):
    definition = read_definition(EXAMPLE)
    document = ConnectionDocument(
        name="crm",
        connector="teamtracks",
        url="https://api.team-tracks.example",
        options={"tenant": "acme"},
        secrets={"token": "env:TOKEN", "subscription_key": "env:KEY"},
    )
    with Store.opened(settings) as store, store.write() as session:
        with pytest.raises(NotAllowedError) as refused:
            keep_definition(settings, session, "local", definition)
        keep_connection(settings, session, "local", document)
        kept = keep_definition(settings, session, "local", definition).definition
        key = destination_identity(session, "local", kept)
    assert refused.value.rule == "connection.not_granted"
    assert kept.faces == {"learningbuilder": {"import_process_id": 12}}
    assert key == 'connection:local/crm/{"track_id": "6f1c9c0e-5d0f-4d6e-9a51-1f2f6f0c7a10"}'
