"""One thing that is wrong with one row: data, never an exception."""

from dataclasses import dataclass

VALUE_CHARACTERS = 500
"""A longer value is quoted only so far; the file itself has the rest."""


@dataclass(frozen=True)
class RowError:
    """What is wrong, and where the user finds it.

    Attributes:
        code: a code of `schemas.codes`; stable.
        message: in plain words, what is wrong and what would be right.
        ordinal: 0-based among the data rows, malformed ones included; None for the file as a whole.
        row: 1-based, every physical row of the sheet counted; a text file's records; None for the file.
        line: 1-based physical line where the row begins; None for workbooks.
        sheet: name of the sheet; None for text files.
        column: letter of the column (`A`, `AB`); None for JSON Lines and for the row as a whole.
        field: name of the field in the definition; None for the row as a whole.
        value: the text as it stood in the file, None where nothing stood there.
    """

    code: str
    message: str
    ordinal: int | None = None
    row: int | None = None
    line: int | None = None
    sheet: str | None = None
    column: str | None = None
    field: str | None = None
    value: str | None = None


def column_letter(index: int) -> str:
    """The letter that a spreadsheet shows above the 0-based column `index`: 0 is A, 26 is AA."""
    letters = ""
    number = index + 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def column_index(letter: str) -> int:
    """The 0-based column of which a spreadsheet shows this letter: A is 0, AA is 26."""
    number = 0
    for character in letter.upper():
        number = number * 26 + ord(character) - ord("A") + 1
    return number - 1
