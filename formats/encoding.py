"""How bytes become characters: byte-order mark, strict UTF-8, declared codec, a guess; in that order."""

import codecs
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from formats.utf8 import verify_utf8, whole_characters
from schemas.errors import FileRefusedError

GUESS = "cp1252"
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_HEAD_BYTES = 64 * 1024
_CHUNK_BYTES = 1024 * 1024
_QUICK_BYTES = 256 * 1024
"""Few enough for a processor's own memory."""

_CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1a\x1b"))


@dataclass(frozen=True)
class Encoding:
    """A Python codec that decodes the whole file, and what is to be said about it."""

    codec: str
    notes: tuple[str, ...] = ()


def marked_codec(head: bytes) -> str | None:
    """The codec that the byte-order mark names; None where there is no mark."""
    return next((codec for mark, codec in _MARKS if head.startswith(mark)), None)


def unmarked_utf16(head: bytes) -> str | None:
    """`utf-16-le` or `utf-16-be` where the NUL bytes are those of text without a mark; else None."""
    if b"\0" not in head:
        return None
    pairs = len(head) // 2
    low, high = head[0 : 2 * pairs : 2].count(0), head[1 : 2 * pairs : 2].count(0)
    if high > 0.4 * pairs and low < 0.05 * pairs:
        return "utf-16-le"
    if low > 0.4 * pairs and high < 0.05 * pairs:
        return "utf-16-be"
    return next((codec for codec in ("utf-16-le", "utf-16-be") if _reads_well(head, codec)), None)


def _reads_well(head: bytes, codec: str) -> bool:
    """Whether the head has lines of nothing but printable characters in the codec, as in Greek or Chinese text.

    Few bytes are NUL there, those of line ends, delimiters and digits; a few in a hundred must be.
    """
    if head.count(0) < 0.02 * len(head):
        return False
    try:
        text = codecs.getincrementaldecoder(codec)().decode(head)
    except UnicodeDecodeError:
        return False
    # Not splitlines: read as UTF-16, a bracket and a blank of a narrow text are its line separator.
    lines = text.replace("\t", "").replace("\r", "\n").split("\n")
    return len(lines) > 1 and all(map(str.isprintable, lines))


def head_text(head: bytes) -> str:
    """The first bytes as text, good enough to look at: what can't be decoded is replaced."""
    codec = marked_codec(head) or unmarked_utf16(head)
    if codec is None:
        codec = "utf-8" if _is_utf8_head(head) else GUESS
    return head.decode(codec, errors="replace").removeprefix("\ufeff")


def is_text(head: bytes) -> bool:
    """False where control characters show that a file which begins so is binary; one NUL alone does not."""
    if marked_codec(head) or unmarked_utf16(head):
        return True
    controls = len(head) - len(head.translate(None, _CONTROLS))
    return controls <= len(head) * (0.1 if _is_utf8_head(head) else 0.01)


def is_blank(path: Path, head: bytes) -> bool:
    """True where the file holds nothing but blanks, or no byte at all."""
    if head_text(head).replace("\ufeff", "").strip():
        return False
    return not any(chunk.strip(b"\0 \t\r\n") for chunk in _chunks(path, len(head)))


def find_encoding(path: Path, declared: str | None) -> Encoding:
    """The encoding of the file, every byte of it verified.

    Args:
        declared: a Python codec name; it gives way to a byte-order mark and to text that is UTF-8.

    Raises:
        FileRefusedError: unknown codec, or bytes that can't be text in it (`file.encoding`).
    """
    wanted = _codec_name(declared) if declared else None
    with path.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
    marked = marked_codec(head)
    if marked:
        _refuse_faults(path, marked, "the byte-order mark says so")
        return Encoding(marked, _overruled(wanted, marked, "its byte-order mark"))
    if wanted and (wanted.startswith(("utf-16", "utf-32", "utf-8", "utf-7")) or _is_ascii(path)):
        _refuse_faults(path, wanted, "the definition says so")
        return Encoding(wanted)
    wide = unmarked_utf16(head)
    if wide:
        _refuse_faults(path, wide, "its NUL bytes say so")
        return Encoding(wide, (f"the file has no byte-order mark; it was read as {wide}, which is a guess",))
    fault = _first_fault(path, "utf-8")
    if fault is None:
        return Encoding("utf-8", _overruled(wanted, "utf-8", "its bytes"))
    if wanted:
        _refuse_faults(path, wanted, "the definition says so")
        return Encoding(wanted)
    return _guessed(path, fault)


def _guessed(path: Path, utf8_fault: int) -> Encoding:
    where = _place(path, "utf-8", utf8_fault)
    fault = _first_fault(path, GUESS)
    if fault is not None:
        raise FileRefusedError(
            "file.encoding",
            f"the file is neither UTF-8 ({where}) nor {GUESS} ({_place(path, GUESS, fault)}); "
            "say in the definition which encoding it has (file: encoding)",
        )
    return Encoding(GUESS, (f"the file is not UTF-8 ({where}); it was read as {GUESS}, which is a guess",))


def _overruled(wanted: str | None, codec: str, by: str) -> tuple[str, ...]:
    if wanted is None or wanted == codec:
        return ()
    return (f"the definition says {wanted}, but the file is {codec} by {by}; it was read as {codec}",)


def _codec_name(declared: str) -> str:
    try:
        " ".encode(declared)
        codecs.getincrementaldecoder(declared)
        name = codecs.lookup(declared).name
    except (LookupError, ValueError) as e:
        raise FileRefusedError("file.encoding", f"{declared!r} is no encoding that Lading knows") from e
    return {"utf-8-sig": "utf-8", "ascii": "utf-8"}.get(name, name)


def _is_ascii(path: Path) -> bool:
    return all(chunk.isascii() for chunk in _chunks(path))


def _is_utf8_head(head: bytes) -> bool:
    """Whether the head is UTF-8 but for a character that may be cut off at its end."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return True


def _refuse_faults(path: Path, codec: str, because: str) -> None:
    fault = _first_fault(path, codec)
    if fault is not None:
        raise FileRefusedError(
            "file.encoding",
            f"the file can't be read as {codec} ({because}): {_place(path, codec, fault)} is invalid",
        )


def _first_fault(path: Path, codec: str) -> int | None:
    """0-based offset of the first byte that is no text in the codec; None where all are."""
    return _first_utf8_fault(path) if codec == "utf-8" else _first_other_fault(path, codec)


def _first_utf8_fault(path: Path) -> int | None:
    done = 0
    try:
        for piece in whole_characters(path, _QUICK_BYTES):
            verify_utf8(piece)
            done += len(piece)
    except UnicodeDecodeError as e:
        return done + e.start
    return None


def _first_other_fault(path: Path, codec: str) -> int | None:
    decoder = codecs.getincrementaldecoder(codec)()
    fed = 0
    try:
        for chunk in _chunks(path):
            fed += len(chunk)
            # Some codecs give half surrogate pairs, which no table can hold.
            decoder.decode(chunk).encode()
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as e:
        return fed - len(e.object) + e.start
    except UnicodeError:
        return max(fed - _CHUNK_BYTES, 0)
    return None


def _place(path: Path, codec: str, offset: int) -> str:
    """Where a byte stands, for people: its value, offset (0-based) and physical line (1-based)."""
    with path.open("rb") as stream:
        stream.seek(offset)
        byte = stream.read(1)
    line = 1 + _line_ends(path, codec, offset)
    return f"byte {byte.hex().upper() or 'after the last'} at offset {offset}, line {line}"


def _line_ends(path: Path, codec: str, offset: int) -> int:
    """How many physical lines (LF, CRLF or CR) end before the byte at `offset`."""
    decoder = codecs.getincrementaldecoder(codec)(errors="replace")
    universal = io.IncrementalNewlineDecoder(decoder, translate=True)
    ends = done = 0
    for chunk in _chunks(path):
        ends += universal.decode(chunk[: offset - done]).count("\n")
        done += len(chunk)
        if done >= offset:
            break
    return ends


def _chunks(path: Path, start: int = 0) -> Iterator[bytes]:
    with path.open("rb") as stream:
        stream.seek(start)
        while chunk := stream.read(_CHUNK_BYTES):
            yield chunk
