"""The records of delimited text with the line where each begins, and the lines that are no record.

Python's `csv` splits; what it refuses costs one physical line, and reading goes on with the next. The
whole takes time linear in the file: see `_Window.dead_until`.
"""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from formats.physical_lines import LONGEST_LINE_CHARS, lines_of

OPEN_QUOTE_CHARS = 1024 * 1024
"""How far a quote may stay open, and how long a cell may be."""

_NEVER_CLOSED = "a quote that opens in this line is never closed"
_TOO_FAR = "a quote that opens in this line is not closed within a million characters"
_CELL_TOO_LONG = "a cell is longer than a million characters"
_LINE_TOO_LONG = "the line is longer than 16 million characters"
_NOT_SPLIT = "the line can't be split: text stands behind a closing quote"


class Record(NamedTuple):
    """One record of the file, or one line that is none.

    Attributes:
        cells: empty for a blank line and for a line that can't be split.
        begin: 0-based index into `Records.source` of the line where it begins.
        end: of the line behind it.
        fault: what is wrong with the line, in words; None for a record.
    """

    cells: list[str]
    begin: int
    end: int
    fault: str | None


@dataclass(frozen=True)
class Records:
    """The records of one window of lines.

    Attributes:
        source: the physical lines, with their ends.
        first_line: 1-based number of the first of them.
        records: in order; split while they are taken, so take all before the next window.
    """

    source: list[str]
    first_line: int
    records: Iterator[Record]

    def text(self, record: Record) -> str:
        """The record as it stood, without the line end behind it."""
        return "".join(self.source[record.begin : record.end]).rstrip("\r\n")


class _Window:
    """One window of lines being split.

    Attributes:
        first_line: 1-based number of the first line in the window.
        start: 0-based index of the line where the next record begins.
        position: 0-based index of the line that csv gets next.
        dead_until: 1-based line number. A record that failed was inside a quote at the start of every line
            up to this one; a later record that gets inside a quote before it would fail at the same
            place, so it is refused at once instead of being tried, and no line is read thrice.
    """

    def __init__(self, lines: list[str], first_line: int, delimiter: str, dead_until: int) -> None:
        self.lines = lines
        self.first_line = first_line
        self.delimiter = delimiter
        self.dead_until = dead_until
        self.start = 0
        self.position = 0
        self.exhausted = False

    def split(self, *, final: bool) -> Iterator[Record]:
        """The records up to the end of the window, or up to one that the next window may complete."""
        while self.start < len(self.lines):
            try:
                yield from self._whole_records()
            except csv.Error as e:
                if self.exhausted and not final and self._open_chars() <= OPEN_QUOTE_CHARS:
                    return
                yield self._refused(self._fault(e, final=final))

    def _whole_records(self) -> Iterator[Record]:
        """Records until the window ends or csv refuses one (csv.Error)."""
        for cells in csv.reader(self._feed(), delimiter=self.delimiter, strict=True):
            if self.position - self.start > 1 and self._open_chars() > OPEN_QUOTE_CHARS:
                raise csv.Error(_TOO_FAR)
            begin, self.start = self.start, self.position
            yield Record(cells, begin, self.position, None)
        if self.start < len(self.lines):
            raise csv.Error(_LINE_TOO_LONG)

    def _feed(self) -> Iterator[str]:
        """The lines for csv from `start` on; ends early where a record must not go on."""
        self.position = self.start
        self.exhausted = False
        while self.position < len(self.lines):
            line = self.lines[self.position]
            goes_on = self.position > self.start
            if (goes_on and self.first_line + self.start < self.dead_until) or len(line) > LONGEST_LINE_CHARS:
                return
            self.position += 1
            yield line
        self.exhausted = True

    def _open_chars(self) -> int:
        return sum(map(len, self.lines[self.start : self.position]))

    def _refused(self, fault: str) -> Record:
        """The first line of the record that failed; reading goes on behind it."""
        if self.position - self.start > 1:
            reached = self.position if self.exhausted else self.position - 1
            self.dead_until = max(self.dead_until, self.first_line + reached)
        self.start += 1
        return Record([], self.start - 1, self.start, fault)

    def _fault(self, error: csv.Error, *, final: bool) -> str:
        told = str(error)
        if told in (_TOO_FAR, _LINE_TOO_LONG):
            return told
        if "unexpected end" in told:
            return _NEVER_CLOSED if final or not self.exhausted else _TOO_FAR
        if "field limit" in told:
            return _CELL_TOO_LONG if self.position - self.start <= 1 else _TOO_FAR
        return _NOT_SPLIT


class RecordReader:
    """Splits one file, window by window.

    Attributes:
        line: 1-based number of the next physical line to be split.
    """

    def __init__(self, delimiter: str) -> None:
        # A global of the module: only ever raised, so that two threads can't disturb each other.
        csv.field_size_limit(max(csv.field_size_limit(), OPEN_QUOTE_CHARS))
        self.line = 1
        self._delimiter = delimiter
        self._carried: list[str] = []
        self._dead_until = 0

    @property
    def is_between_records(self) -> bool:
        """False where the last window ended inside a record."""
        return not self._carried

    def split(self, lines: list[str], *, final: bool = False) -> Records:
        """The records of the next window, and of what the last one left."""
        part = _Window(self._carried + lines, self.line, self._delimiter, self._dead_until)
        return Records(part.lines, self.line, self._taken(part, final=final))

    def _taken(self, part: _Window, *, final: bool) -> Iterator[Record]:
        yield from part.split(final=final)
        self._carried, self._dead_until = part.lines[part.start :], part.dead_until
        self.line += part.start


def read_records(windows: Iterable[str], delimiter: str) -> Iterator[Records]:
    """All records, one `Records` for each window, the slow and exact way."""
    reader = RecordReader(delimiter)
    for window in windows:
        yield reader.split(lines_of(window))
    if not reader.is_between_records:
        yield reader.split([], final=True)
