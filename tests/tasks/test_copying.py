"""What copying into the home says of a disk that is full."""

from pathlib import Path

import pytest

from api.error_handlers import problem_of
from schemas.errors import FatalError, NoSpaceError
from tasks.copying import room, told

FULL = Path("/dev/full")
"""Takes no byte, as a full disk does."""

pytestmark = pytest.mark.skipif(not FULL.exists(), reason="only Linux has a file that is always full")


@pytest.mark.parametrize("around", [room(), told("the file could not be copied")], ids=["room", "told"])
def test_a_full_disk_is_told_as_such_and_names_no_folder(around):
    with pytest.raises(NoSpaceError) as caught, around:
        FULL.write_bytes(b"x")
    assert str(caught.value) == "not enough disk space for the file"
    problem = problem_of(caught.value)
    assert problem is not None
    assert (problem.status_code, problem.headers) == (503, {"Retry-After": "2"})


def test_anything_else_is_told_with_what_was_attempted(tmp_path):
    with pytest.raises(FatalError, match=r"^a could not be read: ") as caught, told("a could not be read"):
        (tmp_path / "gone").read_bytes()
    assert not isinstance(caught.value, NoSpaceError)
