"""Where a file stands that was dropped into a watched folder."""

from enum import StrEnum

CLAIMED_FOLDER = ".claimed"
"""Below a watched folder: files that are Lading's until their jobs have ended."""
DONE_FOLDER, FAILED_FOLDER = "done", "failed"


class DropState(StrEnum):
    """What becomes of a dropped file, which is imported at most once, whoever is told of it how often."""

    WAITING = "waiting"
    """Claimed; there is no job yet."""
    TAKEN = "taken"
    """There is a job."""
    REFUSED = "refused"
    """No job can be made of it."""
    DONE = "done"
    FAILED = "failed"
