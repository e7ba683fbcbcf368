"""A text file as windows of physical lines, exact for LF, CRLF and bare CR, in flat memory."""

import io
from collections.abc import Iterator
from pathlib import Path

from schemas.errors import FileRefusedError

WINDOW_CHARS = 1024 * 1024
LONGEST_LINE_CHARS = 16 * 1024 * 1024
"""What stands behind this in a line is dropped; a line that is longer is malformed."""


def text_windows(path: Path, codec: str) -> Iterator[str]:
    """Whole lines, about a million characters at a time, with their ends as they stood.

    Raises:
        FileRefusedError: bytes that are no text in the codec (`file.encoding`).
    """
    rest = ""
    for text in _texts(path, codec):
        cut = max(text.rfind("\n"), text.rfind("\r")) + 1
        if not cut:
            rest += text if len(rest) <= LONGEST_LINE_CHARS else ""
            continue
        yield rest + text[:cut]
        rest = text[cut:]
    if rest:
        yield rest


def lines_of(text: str) -> list[str]:
    """The physical lines of a window, each with its end."""
    # Unlike str.splitlines this knows no line ends but the three.
    return io.StringIO(text, newline="").readlines()


def _texts(path: Path, codec: str) -> Iterator[str]:
    """The decoded file in pieces that never part a CR from its LF."""
    held = ""
    start = True
    try:
        with path.open(encoding=codec, newline="") as stream:
            while text := stream.read(WINDOW_CHARS):
                text = held + (text.removeprefix("\ufeff") if start else text)
                held = "\r" if text.endswith("\r") else ""
                start = False
                yield text.removesuffix(held)
    except UnicodeError as e:
        raise FileRefusedError("file.encoding", f"the file can't be read as {codec}: {e}") from e
    if held:
        yield held
