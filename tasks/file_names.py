"""What a file that somebody brought is called: a name to show, never a path."""

import re

LONGEST_NAME = 200


def plain_name(file_name: str) -> str:
    """The name without folders, at most `LONGEST_NAME` characters: its beginning and its suffix."""
    name = re.split(r"[/\\]", file_name)[-1].strip()
    if len(name) > LONGEST_NAME:
        name = f"{name[: LONGEST_NAME - 21]}…{name[-20:]}"
    return name if name.strip(".") else "unnamed"
