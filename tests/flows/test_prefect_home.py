import pytest

HOSTILE = [
    "environment",
    "lower case",
    "profiles path",
    "profile at home",
    ".env",
    "prefect.toml",
    "pyproject.toml",
]
ISOLATE = """
from pathlib import Path
from flows.prefect_home import isolate
from schemas.settings import Settings
isolate(Settings(home=Path("home")))
"""
ASK_FOR_FLOWS = """
from prefect import get_client
try:
    with get_client(sync_client=True) as client:
        client.read_flows()
except Exception as error:
    print(type(error).__name__, error)
"""
SHOW_SETTINGS = """
from prefect.settings import get_current_settings
print(get_current_settings().to_environment_variables(exclude_unset=True))
"""


@pytest.mark.slow
@pytest.mark.parametrize("where", HOSTILE)
def test_prefect_alone_would_talk_to_the_server_that_somebody_else_set_up(stranger, where):
    stranger.lurk_in(where)
    stranger.environment |= {"DO_NOT_TRACK": "1", "PREFECT_CLIENT_MAX_RETRIES": "0"}
    stranger.run(ASK_FOR_FLOWS)
    assert stranger.visits > 0


@pytest.mark.slow
@pytest.mark.parametrize("where", HOSTILE)
def test_isolated_prefect_does_not_talk_to_a_server_that_somebody_else_set_up(stranger, where):
    stranger.lurk_in(where)
    said = stranger.run(ISOLATE, ASK_FOR_FLOWS)
    assert "No Prefect API URL provided" in said
    assert stranger.visits == 0


def test_isolated_prefect_takes_nothing_from_any_place_and_leaves_nothing_there(stranger):
    for where in HOSTILE:
        stranger.lurk_in(where)
    there = {*stranger.person.rglob("*"), *stranger.folder.iterdir()}
    said = stranger.run(ISOLATE, SHOW_SETTINGS, ASK_FOR_FLOWS)
    assert "No Prefect API URL provided" in said
    assert "stranger" not in said
    assert stranger.address not in said
    assert stranger.visits == 0
    assert {*stranger.person.rglob("*"), *stranger.folder.iterdir()} - there == {stranger.folder / "home"}


@pytest.mark.slow
def test_isolation_after_prefect_was_imported_still_redirects_its_clients(stranger):
    stranger.lurk_in("profile at home")
    said = stranger.run("import prefect.main", ISOLATE, ASK_FOR_FLOWS)
    assert "No Prefect API URL provided" in said
    assert stranger.visits == 0
