"""Clients of integrator.io's face: a tenant's, another tenant's, and the operator's."""

import pytest

from schemas.principal import OPERATOR_TENANT, Scope
from tests.connectors.face_client import face_client
from tests.connectors.integrator.integrator_client import Integrator


@pytest.fixture
def service(shared_service):
    return shared_service


@pytest.fixture
def client(service, tenant):
    with face_client(service, "integrator", tenant) as client:
        yield client


@pytest.fixture
def integrator(client):
    return Integrator(client)


@pytest.fixture
def stranger(service, tenant):
    with face_client(service, "integrator", f"{tenant[:30]}-other") as client:
        yield Integrator(client)


@pytest.fixture
def operator(service):
    """The only one who may name servers of files; what it makes, others see."""
    with face_client(service, "integrator", OPERATOR_TENANT, Scope.ADMIN) as client:
        operator = Integrator(client)
        yield operator
        operator.remove_all()
