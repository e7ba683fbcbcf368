"""One service for all tests of a file, each of which is a tenant of its own."""

from uuid import uuid4

import pytest

from schemas.settings import Settings
from tests.api.conftest import running
from tests.connectors.face_client import face_client
from tests.connectors.starmind.starmind_client import Starmind


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """The service of all tests of the file."""
    with running(Settings(home=tmp_path_factory.mktemp("starmind") / ".lading")) as service:
        yield service


@pytest.fixture
def tenant():
    """A name that no other test has."""
    return f"t{uuid4().hex}"


@pytest.fixture
def client(service, tenant):
    with face_client(service, "starmind", tenant) as client:
        yield client


@pytest.fixture
def starmind(client):
    return Starmind(client)
