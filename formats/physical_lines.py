"""A text file as windows of physical lines in UTF-8, exact for LF, CRLF and bare CR, in flat memory."""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from formats.utf8 import whole_characters
from schemas.errors import FileRefusedError

WINDOW_BYTES = 1024 * 1024
LONGEST_LINE_CHARS = 16 * 1024 * 1024
"""What stands behind this in a line is dropped; a line that is longer is malformed."""

_LINE_END = re.compile(rb"\r\n?|\n")
_MARK = "\ufeff".encode()


def text_windows(path: Path, codec: str, window_bytes: int = WINDOW_BYTES) -> Iterator[bytes]:
    """Whole lines in UTF-8, about so many bytes at a time, with their ends as they stood.

    What is said to be UTF-8 is not verified here, but where it is `decoded`.

    Raises:
        FileRefusedError: bytes that are no text in another codec (`file.encoding`).
    """
    rest = b""
    for text in _texts(path, codec, window_bytes):
        cut = max(text.rfind(b"\n"), text.rfind(b"\r")) + 1
        if cut:
            yield rest + text[:cut]
            rest = text[cut:]
        elif len(rest) <= LONGEST_LINE_CHARS or len(rest.decode()) <= LONGEST_LINE_CHARS:
            rest += text
    if rest:
        yield rest


def decoded(window: bytes) -> str:
    """The window as text.

    Raises:
        FileRefusedError: it is no UTF-8 (`file.encoding`).
    """
    with _refused("utf-8"):
        return window.decode()


def parted(window: bytes, lines: int) -> tuple[bytes, bytes]:
    """The first so many lines of the window, at least one, and what is left of it."""
    end = next(islice(_LINE_END.finditer(window), lines - 1, None), None)
    cut = end.end() if end is not None else len(window)
    return window[:cut], window[cut:]


def lines_of(text: str) -> list[str]:
    """The physical lines of a window, each with its end."""
    # Unlike str.splitlines this knows no line ends but the three.
    return io.StringIO(text, newline="").readlines()


def _texts(path: Path, codec: str, window_bytes: int) -> Iterator[bytes]:
    """The file in UTF-8, without its mark, in pieces that never part a CR from its LF."""
    pieces = whole_characters(path, window_bytes) if codec == "utf-8" else _recoded(path, codec, window_bytes)
    held = b""
    start = True
    for piece in pieces:
        text = held + (piece.removeprefix(_MARK) if start else piece)
        held = b"\r" if text.endswith(b"\r") else b""
        start = False
        yield text.removesuffix(held)
    if held:
        yield held


def _recoded(path: Path, codec: str, window_chars: int) -> Iterator[bytes]:
    with _refused(codec), path.open(encoding=codec, newline="") as stream:
        while text := stream.read(window_chars):
            yield text.encode()


@contextmanager
def _refused(codec: str) -> Iterator[None]:
    """Bytes that are no text in the codec as a FileRefusedError (`file.encoding`)."""
    try:
        yield
    except UnicodeError as e:
        raise FileRefusedError("file.encoding", f"the file can't be read as {codec}: {e}") from e
