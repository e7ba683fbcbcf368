"""The running service of the status API, for its faces."""

from tests.api.conftest import service, tenant

__all__ = ["service", "tenant"]
