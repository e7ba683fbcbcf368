"""How a csv file is written: what stands between its cells and rows, and what is done to their text."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class CsvOptions(BaseModel):
    r"""The form of a csv file; without any it is as RFC 4180 has it.

    Attributes:
        row_delimiter: after each row: CR LF, LF or CR.
        column_delimiter: between cells: one character of ASCII, neither a quote nor the end of a line.
        include_header: the first row has the headers of the fields.
        wrap_with_quotes: every cell stands in quotes, else those alone that need them.
        replace_tab_with_space: a tab within a cell is written as a space.
        replace_newline_with_space: CR LF, LF or CR within a cell is written as one space.
        truncate_last_row_delimiter: nothing stands after the last row.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    row_delimiter: Literal["\r\n", "\n", "\r"] = "\r\n"
    column_delimiter: Annotated[str, Field(pattern=r"^[\t\x20!#-~]$")] = ","
    include_header: bool = True
    wrap_with_quotes: bool = False
    replace_tab_with_space: bool = False
    replace_newline_with_space: bool = False
    truncate_last_row_delimiter: bool = False
