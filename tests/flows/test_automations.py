"""What the docs say about Prefect's automations, tried on a real server."""

import json
import re
from pathlib import Path

import httpx
import pytest

DROPS = (Path(__file__).resolve().parents[2] / "docs" / "drops.md").read_text()


@pytest.mark.slow
def test_the_automation_of_the_docs_is_one(prefect_api):
    (text,) = re.findall(r"<!-- automation.*?```json\n(.*?)```", DROPS, re.DOTALL)
    answer = httpx.post(f"{prefect_api}/automations/", json=json.loads(text), timeout=60)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    httpx.delete(f"{prefect_api}/automations/{made['id']}", timeout=60).raise_for_status()
    assert (made["enabled"], made["trigger"]["posture"], made["trigger"]["within"]) == (True, "Proactive", 7200)
    assert [action["type"] for action in made["actions"]] == ["cancel-flow-run"]
