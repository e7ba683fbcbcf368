"""The catalogue as a whole, and the page that is made of it: `docs/errors.md`."""

from collections.abc import Mapping
from types import MappingProxyType

from schemas.codes.code import Code
from schemas.codes.files import FILE
from schemas.codes.jobs import JOB
from schemas.codes.rows import ROW

FILE_CODES: Mapping[str, Code] = MappingProxyType({c.code: c for c in FILE})
"""Errors of the file as a whole, or too many of its rows: the job is `invalid`."""

ROW_CODES: Mapping[str, Code] = MappingProxyType({c.code: c for c in ROW})
"""Errors of one row: the row is `failed`."""

JOB_CODES: Mapping[str, Code] = MappingProxyType({c.code: c for c in JOB})
"""Why a job as a whole is `failed` or `cancelled`."""

CODES: Mapping[str, Code] = MappingProxyType(dict(FILE_CODES) | dict(ROW_CODES) | dict(JOB_CODES))
"""All of them."""


def catalogue_markdown() -> str:
    """The page `docs/errors.md`."""
    parts = ["# Error codes", "", _INTRODUCTION]
    for title, codes in _SECTIONS:
        parts += ["", f"## {title}", "", "| code | meaning | example | message |", "|---|---|---|---|"]
        parts += [_row(code) for code in codes.values()]
    return "\n".join(parts) + "\n"


def _row(code: Code) -> str:
    message = "says what is wrong" if code.message == "{detail}" else code.message
    cells = (f"`{code.code}`", code.meaning, code.example, message)
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


_INTRODUCTION = """Every error has a code that does not change. This page is made from `schemas/codes`
(`make docs`); the tests bring each code about."""

_SECTIONS = (
    ("Errors of one row: the row is `failed`, the others go on", ROW_CODES),
    ("Errors of the file as a whole: the job is `invalid`, nothing was written", FILE_CODES),
    ("Why a job as a whole is `failed` or `cancelled`", JOB_CODES),
)
