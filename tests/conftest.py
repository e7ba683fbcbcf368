"""A home of its own for every test, and a Prefect that is nobody's but the tests'."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings

from flows.prefect_home import isolate
from schemas.definition import Definition
from schemas.document import read_definition
from schemas.settings import Settings

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"

hypothesis_settings.register_profile("lading", deadline=None, print_blob=True)
hypothesis_settings.load_profile("lading")
isolate(Settings(home=Path(tempfile.mkdtemp(prefix="lading-tests-"))))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The settings of a home that is not there yet."""
    return Settings(home=tmp_path / ".lading")


@pytest.fixture(scope="session")
def examples() -> Path:
    """The folder of real files."""
    return EXAMPLES


@pytest.fixture(scope="session")
def earthquakes() -> Definition:
    """The definition of `earthquakes.csv`."""
    return read_definition(EXAMPLES / "earthquakes.yaml")


@pytest.fixture
def make_definition() -> Callable[..., Definition]:
    """Makes a definition of a few fields: `id` (the key), `name`, `amount`, with whatever is said otherwise."""

    def make(**changes: object) -> Definition:
        document = {
            "name": "things",
            "key": ["id"],
            "fields": [
                {"name": "id", "header": "Id", "type": "string", "required": True},
                {"name": "name", "header": "Name", "type": "string"},
                {"name": "amount", "header": "Amount", "type": "integer", "min": 0},
            ],
            "destination": {"table": "things"},
        }
        return Definition.model_validate(document | changes)

    return make
