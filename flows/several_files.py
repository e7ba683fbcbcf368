"""What the flow `import-file` does with a pattern: a run of its own for each file, one after the other."""

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from prefect import State, get_run_logger
from prefect.states import Completed, Failed

from flows.engine import through_engine
from schemas.import_request import ImportRequest
from schemas.settings import Settings
from tasks.sources import Listing, list_files

SKIPPED = "Skipped"
"""Name of the state of a run that had nothing to do."""
SHOWN_FAILURES = 10


def import_each(settings: Settings, request: ImportRequest, import_one: Callable[..., Any]) -> State[Any]:
    """Import the files of the pattern in order of name; one that fails does not keep the others from it.

    Args:
        import_one: the flow for one file.

    Returns:
        How that went, in a sentence: failed where one did, skipped where there was nothing to do.
    """
    listing = through_engine(list_files, settings, request)
    endings = {name: _ending(request, name, import_one) for name in listing.sources}
    state = _conclusion(listing, endings)
    get_run_logger().info("%s", state.message)
    return state


def _ending(request: ImportRequest, name: str, import_one: Callable[..., Any]) -> State[Any]:
    """How the run of this file ended."""
    one = replace(request, source=name)
    ended: State[Any] = import_one(**asdict(one), return_state=True)
    return ended


def _conclusion(listing: Listing, endings: dict[str, State[Any]]) -> State[Any]:
    counts = Counter(_word(state) for state in endings.values())
    counts["unchanged"] += listing.unchanged
    counts["left for the next run"] += listing.left
    files = len(endings) + listing.unchanged + listing.left
    told = ", ".join(f"{number:,} {word}" for word, number in counts.items() if number)
    said = f"{files:,} {'file' if files == 1 else 'files'}: {told}" if files else "no file matches the pattern"
    failed = [f"{name}: {state.message}" for name, state in endings.items() if _word(state) == "failed"]
    if failed:
        more = len(failed) - SHOWN_FAILURES
        shown = [*failed[:SHOWN_FAILURES], *([f"and {more:,} more"] if more > 0 else [])]
        return Failed(message="; ".join([said, *shown]))
    return Completed(name=None if counts["imported"] else SKIPPED, message=said)


def _word(state: State[Any]) -> str:
    if not state.is_completed():
        return "failed"
    return "unchanged" if state.name == SKIPPED else "imported"
