"""The texts that the cells of a workbook share: read in pieces, and only as far as cells ask for them."""

import re
import zipfile
from itertools import chain

import polars as pl

from formats.memory import refuse_beyond_memory
from formats.sheet_markup import pieces
from formats.sheet_workbook import STRINGS_PART, Frame
from schemas.errors import FileRefusedError
from schemas.limits import Limits

_USUAL = b' t="s"><v>'
_SHARED = re.compile(rb"""(<c\s[^>]*(?<=\s))t="s"([^>]*>\s*(?:<f[^>]*/>|<f[^>]*>[^<]*</f>)?\s*<v[^>]*>)""")
_TEXT = re.compile(rb"<si(?:\s[^>]*)?>")
_EMPTY_TEXT = re.compile(rb"<si(?:\s[^>]*)?/>")
_MEMORY_SHARE = 2
"""The texts may take one part in so many of the memory; unpacked, they are no smaller in the file."""


def mark_shared(rows: bytes, mark: str) -> bytes:
    """The rows with the mark and the number of the text in cells that share one."""
    shared = rows.count(b't="s"')
    if not shared:
        return rows
    if rows.count(_USUAL) == shared:
        return rows.replace(_USUAL, b' t="str"><v>' + mark.encode())
    return _SHARED.sub(rb'\1t="str"\g<2>' + mark.encode(), rows)


class SharedStrings:
    """The shared texts of one workbook."""

    def __init__(self, archive: zipfile.ZipFile, frame: Frame, limits: Limits) -> None:
        """Be ready to read them.

        Raises:
            FileRefusedError: they would take too much memory (`file.memory_limit`).
        """
        parts = [part for part in archive.infolist() if part.filename.lower() == STRINGS_PART]
        refuse_beyond_memory(_MEMORY_SHARE * sum(part.file_size for part in parts), limits)
        self._frame = frame
        self._parts = [pieces(archive, part.filename, "sst", "si") for part in parts]
        self._pieces = chain.from_iterable(self._parts)
        self._texts = pl.Series("texts", [], dtype=pl.String)

    def close(self) -> None:
        """Read no more of them."""
        for part in self._parts:
            part.close()

    def put_into(self, cells: pl.DataFrame) -> pl.DataFrame:
        """The cells, all String, with texts where `mark_shared` left numbers.

        Raises:
            FileRefusedError: a number has no text (`file.unreadable`).
        """
        mark = self._frame.mark
        marked = [column for column in cells if column.str.starts_with(mark).any()]
        return cells.with_columns(self._with_texts(column, mark) for column in marked)

    def _with_texts(self, column: pl.Series, mark: str) -> pl.Series:
        is_marked = column.str.starts_with(mark).fill_null(value=False)
        told = column.filter(is_marked).str.strip_prefix(mark).str.strip_chars()
        numbers = told.cast(pl.UInt32, strict=False)
        last = numbers.max()
        if numbers.null_count() or not isinstance(last, int) or not self._reaches(last):
            raise FileRefusedError(
                "file.unreadable", "a cell shares a text that the workbook lacks; save it anew"
            )
        places = is_marked.cum_sum() - 1
        texts = self._texts.gather(numbers).gather(places.set(~is_marked, None))
        return texts.zip_with(is_marked, column).alias(column.name)

    def _reaches(self, number: int) -> bool:
        """Read on until the text with this 0-based number is there."""
        while number >= len(self._texts):
            piece = next(self._pieces, None)
            if piece is None:
                return False
            self._texts.append(self._read(piece))
        return True

    def _read(self, piece: bytes) -> pl.Series:
        """The texts as a column of cells, which the reader takes like any other."""
        rows = _EMPTY_TEXT.sub(b"<si></si>", piece) if b"/>" in piece else piece
        if rows.count(b"<si>") != rows.count(b"<si"):
            rows = _TEXT.sub(b"<si>", rows)
        rows = rows.replace(b"<si>", b'<row><c t="inlineStr"><is>').replace(b"</si>", b"</is></c></row>")
        number = rows.count(b"<row>")
        if not number:
            return pl.Series([], dtype=pl.String)
        reader = self._frame.holding(self._frame.sheets[0], rows)
        sheet = reader.load_sheet(self._frame.sheets[0].name, header_row=None, skip_rows=0, dtypes="string")
        texts = sheet.to_polars().to_series()
        if len(texts) != number:
            raise FileRefusedError("file.unreadable", "the shared texts of the workbook are broken")
        return texts
