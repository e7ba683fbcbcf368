import subprocess
import sys

import pytest

from schemas.document import read_definition
from store.database import Store
from store.definitions import put_definition
from tests.api.conftest import running

CONFIGURATION = """
# What a definition or connection must be beyond its schema (a key names fields, a vendor knows an option) is
# told in words by the 422, which therefore may answer a document that fits the schema.
[[operations]]
include-path-regex = "^/(definitions|connections)"
# A connection that is tried leads nowhere here: 424.
checks.positive_data_acceptance.expected-statuses = ["2xx", 401, 403, 404, 422, 424]
"""


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_schemathesis_finds_nothing(settings, prefect_api_url, tmp_path, examples):
    settings = settings.model_copy(update={"prefect_api_url": prefect_api_url, "work_pool": "lading"})
    configuration = tmp_path / "schemathesis.toml"
    configuration.write_text(CONFIGURATION)
    with running(settings) as service:
        with Store.opened(settings) as store, store.write() as session:
            put_definition(session, "acme", read_definition(examples / "earthquakes.yaml"))
        command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(configuration), "run"]
        command += ["--checks", "all", "--max-examples", "6", "--no-color", "--warnings", "off"]
        # On a busy machine thousands of fields take longer than the ten seconds of the default.
        command += ["--request-timeout", "60"]
        command += ["--header", f"Authorization: Bearer {service.key('acme').token}"]
        found = subprocess.run(
            [*command, f"{service.url}/openapi.json"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    assert found.returncode == 0, found.stdout[-8000:] + found.stderr[-2000:]
    assert "No issues found" in found.stdout
