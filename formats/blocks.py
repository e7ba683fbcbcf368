"""Rows of text put together into the blocks that validation takes."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import polars as pl

from schemas.chunk import BLOCK_ROWS
from schemas.escape import unescape_cells
from schemas.text_table import Detected, MalformedRow, TextBlock

TEXT_CHARS = 1024 * 1024
"""How much of a malformed row is kept, so that the file of failed rows can bring it whole."""

_BLANKS = "".join(chr(code) for code in range(0x10000) if chr(code).isspace())


@dataclass
class DataRows:
    """Consecutive data rows being collected, blank ones left out.

    Attributes:
        detected: of the file; tells the width of a row.
        first_ordinal: of the first of these rows, 0-based.
        cells: row after row in one flat list, because many small lists keep the garbage collector busy.
        rows: 1-based, as the user sees them.
        lines: 1-based physical lines where the rows begin.
        malformed: in order of ordinal.
    """

    detected: Detected
    first_ordinal: int
    cells: list[str | None] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    malformed: list[MalformedRow] = field(default_factory=list)

    def add(self, cells: Sequence[str | None], row: int, line: int) -> None:
        """Put a row of the right width behind the others."""
        self.cells.extend(cells)
        self.rows.append(row)
        self.lines.append(line)

    def add_malformed(self, code: str, text: str, detail: str, row: int, line: int) -> None:
        """Put a row that has no cells behind the others."""
        ordinal = self.first_ordinal + len(self.rows)
        self.malformed.append(MalformedRow(ordinal, code, text[:TEXT_CHARS], detail))
        self.add([None] * len(self.detected.columns), row, line)

    def block(self) -> TextBlock:
        """These rows as a block, whatever their number."""
        width = len(self.detected.columns)
        columns = [pl.Series(str(i), self.cells[i::width], dtype=pl.String) for i in range(width)]
        return TextBlock(
            first_ordinal=self.first_ordinal,
            cells=finished_cells(pl.DataFrame(columns), self.detected),
            rows=pl.Series("row", self.rows, dtype=pl.UInt32),
            lines=pl.Series("line", self.lines, dtype=pl.UInt32),
            malformed=tuple(self.malformed),
        )


def resized(parts: Iterable[TextBlock]) -> Iterator[TextBlock]:
    """The rows of the parts, which may have any size, in blocks of exactly `BLOCK_ROWS` but for the last."""
    pending: TextBlock | None = None
    for part in parts:
        if not part.cells.height:
            continue
        pending = part if pending is None else _joined(pending, part)
        while pending.cells.height > BLOCK_ROWS:
            yield _sliced(pending, 0, BLOCK_ROWS)
            pending = _sliced(pending, BLOCK_ROWS, pending.cells.height - BLOCK_ROWS)
    if pending is not None:
        yield _sliced(pending, 0, BLOCK_ROWS)


def _joined(first: TextBlock, second: TextBlock) -> TextBlock:
    lines = None
    if first.lines is not None and second.lines is not None:
        lines = pl.concat([first.lines, second.lines])
    return TextBlock(
        first.first_ordinal,
        pl.concat([first.cells, second.cells]),
        pl.concat([first.rows, second.rows]),
        lines,
        first.malformed + second.malformed,
        first.error_cells + second.error_cells,
    )


def _sliced(block: TextBlock, offset: int, rows: int) -> TextBlock:
    begin = block.first_ordinal + offset
    return TextBlock(
        begin,
        block.cells.slice(offset, rows).rechunk(),
        block.rows.slice(offset, rows).rechunk(),
        None if block.lines is None else block.lines.slice(offset, rows).rechunk(),
        tuple(m for m in block.malformed if begin <= m.ordinal < begin + rows),
        tuple(e for e in block.error_cells if begin <= e.ordinal < begin + rows),
    )


def finished_cells(
    cells: pl.DataFrame, detected: Detected, doubtful: Sequence[str] | None = None
) -> pl.DataFrame:
    """The cells with blank ones null, and without Lading's own escapes in a file of failed rows.

    Args:
        doubtful: the columns in which a blank cell may be something else than null; all where it is not known.
    """
    if detected.is_failed_rows:
        cells = unescape_cells(cells)
    some = pl.all() if doubtful is None or detected.is_failed_rows else pl.col(doubtful)
    return cells.with_columns(pl.when(some.str.strip_chars(_BLANKS) != "").then(some))
