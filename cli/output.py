"""What the commands print: tables and sentences for people, one JSON object for machines."""

import json
import sys
from enum import IntEnum

from rich.console import Console
from rich.markup import escape

OUT = Console(highlight=False, soft_wrap=True)
ERR = Console(stderr=True, highlight=False, soft_wrap=True)


class ExitStatus(IntEnum):
    """What a script learns from `$?`."""

    WELL = 0
    USAGE = 2
    SOME_FAILED = 3
    UNSUCCESSFUL = 4
    INTERRUPTED = 130


def error_line(message: str, *, as_json: bool | None = None) -> None:
    """Say on standard error why the command did not do it; as JSON too where `--json` was asked."""
    if "--json" in sys.argv if as_json is None else as_json:
        print_json({"error": message})
    ERR.print(f"[red]lading:[/red] {escape(_printable(message))}")


def print_json(value: object) -> None:
    """One JSON value on standard output, and nothing else."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    # A lone surrogate, which stands for a byte of a file's name, becomes the escape that JSON has for it.
    sys.stdout.write(text.encode(errors="backslashreplace").decode() + "\n")
    sys.stdout.flush()


def say(label: str, text: str) -> None:
    """A line for people: what it is about, then what there is to say; nothing in it is markup."""
    OUT.print(f"[bold]{label:<10}[/bold] {escape(_printable(text))}")
    OUT.file.flush()


def plain(text: str) -> None:
    """A line exactly as it is, but for characters that a terminal would obey."""
    OUT.print(_printable(text), markup=False)


def size_text(size_bytes: int) -> str:
    """The size as people say it, in units of 1,000."""
    size = float(size_bytes)
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def _printable(text: str) -> str:
    """The text with control characters shown, not sent: a file must not command the terminal."""
    return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text)
