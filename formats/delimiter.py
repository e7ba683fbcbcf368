"""Which character parts the cells of a text file."""

import csv
import re
from collections import Counter

from formats.header_row import matching_headers

CANDIDATES = (",", ";", "\t", "|")
SAMPLE_RECORDS = 200
_DECLARED = re.compile(r'"?sep=(.)"?\s*?(\r\n|\r|\n|$)', re.IGNORECASE)


def declared_delimiter(text: str) -> str | None:
    """The delimiter that a first line such as `sep=;` names, as spreadsheets write it."""
    found = _DECLARED.match(text)
    return found.group(1) if found else None


def find_delimiter(text: str, known_headers: frozenset[str]) -> str:
    """The candidate that splits the text best; a comma where none splits it.

    Best is: the most known headers in one record, then the most records of the same width, above one.

    Args:
        text: the beginning of the file; its last line may be cut off.
    """
    return max(CANDIDATES, key=lambda candidate: _score(text, candidate, known_headers))


def _score(text: str, delimiter: str, known_headers: frozenset[str]) -> tuple[int, float, int]:
    records = _sample(text, delimiter)
    widths = Counter(len(record) for record in records)
    usual, count = max(widths.items(), key=lambda entry: (entry[1], entry[0]), default=(1, 0))
    known = max((matching_headers(record, known_headers) for record in records), default=0)
    return known, count / len(records) if usual > 1 else 0.0, usual


def _sample(text: str, delimiter: str) -> list[list[str]]:
    """The first records that are not blank."""
    lines = re.split(r"(?<=\n)|(?<=\r)(?!\n)", text)
    whole = lines[:-1] if len(lines) > 1 else lines
    records: list[list[str]] = []
    try:
        for record in csv.reader(whole, delimiter=delimiter):
            if any(map(str.strip, record)):
                records.append(record)
            if len(records) == SAMPLE_RECORDS:
                break
    except csv.Error:
        pass  # a cell too long to be one: what came before it must do
    return records
