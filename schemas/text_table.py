"""A file as a table of text with true coordinates: what every format yields and validation takes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

from schemas.definition import FileOptions
from schemas.headers import FAILED_ROWS_COLUMN, normalise
from schemas.limits import DEFAULT_LIMITS, Limits
from schemas.row_error import column_letter

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Column:
    """One column of the file.

    Attributes:
        header: the text of the header cell as it stood (`""` where blank); the key, for JSON Lines.
        letter: the letter that a spreadsheet shows above it; None for JSON Lines.
    """

    header: str
    letter: str | None

    @classmethod
    def at(cls, header: str, index: int) -> "Column":
        """The column of a sheet or text file at the 0-based `index`, counted from column A."""
        return cls(header, column_letter(index))


class Cells(StrEnum):
    """How dates, times and numbers stand in the cells of a file.

    Attributes:
        TEXT: as somebody wrote them, in the form that the field declares.
        CANONICAL: those that were real ones in a workbook stand in ISO form or with up to 17 digits.
        EITHER: as one of the two; nobody knows which.
    """

    TEXT = "text"
    CANONICAL = "canonical"
    EITHER = "either"


@dataclass(frozen=True)
class Detected:
    """What the file turned out to be; shown to people, and enough to read the rows.

    Attributes:
        kind: the format's name: `csv`, `jsonl`, `ods`, `xls`, `xlsb`, `xlsx`.
        columns: in the order of the file.
        header_row: 1-based row of the header as the user sees it; None where there is none (JSON Lines).
        sheet, encoding, delimiter: None where the format has no such thing.
        packing: `gzip` where the file was packed; None for a plain one.
        notes: sentences for people, such as a contradiction between name and bytes.
        canonical: True where the format brings real dates and numbers in their canonical form, as
            workbooks do.
        flat: of JSON Lines, True where an object or array as a value is an error of its row.
    """

    kind: str
    columns: tuple[Column, ...]
    header_row: int | None = None
    sheet: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    packing: str | None = None
    notes: tuple[str, ...] = ()
    canonical: bool = False
    flat: bool = False

    @property
    def cells(self) -> Cells:
        """How dates and numbers stand; a csv of failed rows may hold what somebody copied from a workbook."""
        if self.canonical:
            return Cells.CANONICAL
        return Cells.EITHER if self.is_failed_rows else Cells.TEXT

    @property
    def is_failed_rows(self) -> bool:
        """True for a csv or workbook of failed rows, whose cells are escaped; those in JSON Lines are not."""
        return any(c.letter and normalise(c.header) == FAILED_ROWS_COLUMN for c in self.columns)


@dataclass(frozen=True)
class MalformedRow:
    """A row that could not be split into cells.

    Attributes:
        ordinal: 0-based among the data rows.
        code: a row-level code of `schemas.codes`.
        text: the row as it stood, at most 1,048,576 characters.
        detail: what is wrong with it, in words.
    """

    ordinal: int
    code: str
    text: str
    detail: str


@dataclass(frozen=True)
class ErrorCell:
    """A cell that holds a spreadsheet error (`#N/A`) instead of a value.

    Attributes:
        ordinal: 0-based among the data rows.
        column: 0-based index into `Detected.columns`.
        text: the error as the sheet shows it.
    """

    ordinal: int
    column: int
    text: str


@dataclass(frozen=True)
class TextBlock:
    """Consecutive data rows as text.

    The i-th row of `cells` is the data row with ordinal `first_ordinal + i`. Blank rows of the file are
    no data rows: they have no ordinal, but they count in `rows` and `lines`.

    Attributes:
        first_ordinal: 0-based; a multiple of `BLOCK_ROWS`.
        cells: (n_rows, n_columns); all columns String, named `"0"`, `"1"` … by position in
            `Detected.columns`; null where the cell is blank, and throughout a malformed row.
        rows: (n_rows,) UInt32, 1-based row numbers as the user sees them.
        lines: (n_rows,) UInt32, 1-based physical lines; None for workbooks.
        malformed: in order of ordinal.
        error_cells: their text in `cells` is null.
    """

    first_ordinal: int
    cells: "pl.DataFrame"
    rows: "pl.Series"
    lines: "pl.Series | None" = None
    malformed: tuple[MalformedRow, ...] = field(default=())
    error_cells: tuple[ErrorCell, ...] = field(default=())

    def counted(self) -> "RowCount":
        """The same rows without their cells."""
        return RowCount(self.cells.height, tuple(map(self._placed, self.malformed)))

    def _placed(self, row: MalformedRow) -> "PlacedRow":
        index = row.ordinal - self.first_ordinal
        return PlacedRow(row, int(self.rows[index]), None if self.lines is None else int(self.lines[index]))


class PlacedRow(NamedTuple):
    """A malformed row and where the user finds it: its row and physical line (None for workbooks), 1-based."""

    malformed: MalformedRow
    row: int
    line: int | None


@dataclass(frozen=True)
class RowCount:
    """Consecutive data rows that were only counted.

    Attributes:
        rows: how many, malformed ones included.
        malformed: in order of ordinal.
    """

    rows: int
    malformed: tuple[PlacedRow, ...] = ()


class StoredAs(StrEnum):
    """How a workbook stores the value of a cell; a blank or an error counts as text."""

    TEXT = "t"
    NUMBER = "n"
    BOOLEAN = "b"
    MOMENT = "m"
    """A date, a time of day, both, or a duration."""


@dataclass(frozen=True)
class StoredCells:
    """How the cells of a sheet are stored, for writing them as they were.

    Attributes:
        letters: one string for each row of the sheet from its first on, with one letter of `StoredAs` for
            each column of `Detected.columns`; rows below the last are missing.
    """

    letters: Sequence[str]

    def of(self, row: int) -> tuple[StoredAs, ...] | None:
        """The cells of this row (1-based); None where it is not known."""
        return tuple(map(StoredAs, self.letters[row - 1])) if row <= len(self.letters) else None


class Format(Protocol):
    """One kind of file. A module of `formats` holds one as `FORMAT`."""

    kind: str
    suffixes: tuple[str, ...]
    """Names that files of this kind usually have, such as `.csv`; only to report a contradiction."""
    of_text: bool
    """True where any text may be read as this kind when the definition says so."""

    def matches(self, path: Path, head: bytes) -> bool:
        """True when a file that begins with `head` (up to 64 KiB) is of this kind, whatever its name.

        Raises:
            FileRefusedError: it is, but it is locked (`file.unreadable`).
        """
        ...

    def detect(
        self,
        path: Path,
        options: FileOptions,
        known_headers: frozenset[str],
        limits: Limits = DEFAULT_LIMITS,
    ) -> Detected:
        """What the file is and which columns it has.

        Args:
            options: what the definition fixes; None means detect.
            known_headers: the definition's headers, normalised by `schemas.headers.normalise`; empty
                where there is no definition.
            limits: what reading may cost.

        Raises:
            FileRefusedError: the file can't be read as a table.
        """
        ...

    def read(self, path: Path, detected: Detected, limits: Limits = DEFAULT_LIMITS) -> Iterator[TextBlock]:
        """All data rows from the first, in blocks of exactly `BLOCK_ROWS` but for the last.

        Raises:
            FileRefusedError: the file turned out to be broken.
        """
        ...

    def stored_cells(
        self, path: Path, detected: Detected, limits: Limits = DEFAULT_LIMITS
    ) -> StoredCells | None:
        """How the cells are stored; None where all are text."""
        ...


@runtime_checkable
class RecordFormat(Protocol):
    """A format whose values have types of their own, which the text of a cell does not tell."""

    def records(self, path: Path, detected: Detected) -> "Iterator[Sequence[Mapping[str, object] | None]]":
        """The rows of each block of `Format.read` as records, numbers exact; None for a malformed one."""
        ...


@runtime_checkable
class CountingFormat(Protocol):
    """A format that counts rows quicker than it splits them."""

    def count(self, path: Path, detected: Detected, limits: Limits = DEFAULT_LIMITS) -> Iterator[RowCount]:
        """All data rows that `Format.read` would give, in parts of any size.

        Raises:
            FileRefusedError: the file turned out to be broken.
        """
        ...
