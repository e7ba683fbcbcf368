"""Files that break importers: how each is made, and what must become of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from docs.bad_inputs import archives, sheets, texts
from docs.bad_inputs.texts import PLAIN

FIELDS = (
    {"name": "id", "header": "Id"},
    {"name": "name", "header": "Name"},
    {"name": "amount", "header": "Amount", "type": "integer"},
)
DAYS = ({"name": "id", "header": "Id"}, {"name": "day", "header": "Day", "type": "date"})


@dataclass(frozen=True)
class Refused:
    """The file as a whole is refused, and no table is made."""

    code: str


@dataclass(frozen=True)
class Read:
    """Every row is a record or has an error.

    Attributes:
        records: all that the table holds, in the order of the fields; or how many, where they are many.
        errors: all of them, as code, row, line and column letter.
        told: a part of each note and warning, of which there are no others.
        given_back: parts of the file of failed rows.
    """

    records: tuple[tuple[object, ...], ...] | int = ()
    errors: tuple[tuple[str, int, int | None, str | None], ...] = ()
    told: tuple[str, ...] = ()
    given_back: tuple[str, ...] = ()


@dataclass(frozen=True)
class BadInput:
    """One file and what must become of it.

    Attributes:
        name: the words of the page, in Markdown.
        file: what the definition says of the file.
        shows: the field whose values the page shows as they stand in the table.
    """

    name: str
    file_name: str
    content: Callable[[], bytes | str]
    expected: Refused | Read
    fields: tuple[Mapping[str, object], ...] = FIELDS
    file: Mapping[str, object] = field(default_factory=dict)
    shows: str | None = None


A, B = ("1", "a", 10), ("2", "b", 20)
LACKS = "the file lacks the columns 'Name', 'Amount'"

BAD_INPUTS = (
    BadInput("an empty file", "rows.csv", lambda: "", Refused("file.empty")),
    BadInput("blanks and line ends only", "rows.csv", lambda: " \n\n \n", Refused("file.empty")),
    BadInput("4 KB of NUL bytes", "rows.csv", lambda: bytes(4096), Refused("file.kind")),
    BadInput(
        "a header and nothing else",
        "rows.csv",
        lambda: "Id,Name,Amount\n",
        Read((), told=("the file has a header but no rows",)),
    ),
    BadInput(
        "one column",
        "rows.csv",
        lambda: "Id\n1\n2\n",
        Read((("1", None, None), ("2", None, None)), told=(LACKS,)),
    ),
    BadInput(
        "a delimiter that the definition does not say (`delimiter: ;` for commas)",
        "rows.csv",
        lambda: PLAIN,
        Refused("header.missing"),
        file={"delimiter": ";"},
    ),
    BadInput(
        "a delimiter that nobody expects (`^`)",
        "rows.csv",
        lambda: PLAIN.replace(",", "^"),
        Refused("header.missing"),
    ),
    BadInput(
        "the same with `delimiter: ^`",
        "rows.csv",
        lambda: PLAIN.replace(",", "^"),
        Read((A, B)),
        file={"delimiter": "^"},
        shows="name",
    ),
    BadInput("bare CR line ends", "rows.csv", lambda: PLAIN.replace("\n", "\r"), Read((A, B)), shows="name"),
    BadInput(
        "LF, CRLF and CR line ends in one file, a bad amount below each",
        "rows.csv",
        lambda: "Id,Name,Amount\r\n1,a,x\r2,b,x\n3,c,x",
        Read(errors=tuple(("type.integer", row, row, "C") for row in (2, 3, 4))),
    ),
    BadInput(
        "UTF-16 with a byte-order mark", "rows.csv", lambda: PLAIN.encode("utf-16"), Read((A, B)), shows="name"
    ),
    BadInput(
        "UTF-16 without one",
        "rows.csv",
        lambda: PLAIN.encode("utf-16-le"),
        Read((A, B), told=("which is a guess",)),
    ),
    BadInput(
        "the same in Greek, where few bytes are NUL",
        "rows.csv",
        lambda: (
            PLAIN.replace(",a,", ",Αθήνα και Πειραιάς,").replace(",b,", ",Θεσσαλονίκη,").encode("utf-16-be")
        ),
        Read((("1", "Αθήνα και Πειραιάς", 10), ("2", "Θεσσαλονίκη", 20)), told=("which is a guess",)),
        shows="name",
    ),
    BadInput(
        "UTF-16 that ends within a character",
        "rows.csv",
        lambda: PLAIN.encode("utf-16")[:-1],
        Refused("file.encoding"),
    ),
    BadInput(
        "cp1252",
        "rows.csv",
        lambda: texts.PRICES.encode("cp1252"),
        Read(
            (("1", "5 €", 10), ("2", "café", 20)),
            told=("the file is not UTF-8 (byte 80 at offset 19, line 2)",),
        ),
        shows="name",
    ),
    BadInput(
        "the same where the definition says `encoding: utf-8`",
        "rows.csv",
        lambda: texts.PRICES.encode("cp1252"),
        Refused("file.encoding"),
        file={"encoding": "utf-8"},
    ),
    BadInput(
        "UTF-8 with one row of cp1252, one byte of which is no character of either",
        "rows.csv",
        lambda: texts.PRICES.encode() + b"3,\x81,30\n",
        Refused("file.encoding"),
    ),
    BadInput(
        "NUL characters in cells",
        "rows.csv",
        lambda: "Id,Name,Amount\n1,a\0a,10\n2,b,2\0\n3,c,30\n",
        Read((("3", "c", 30),), errors=(("cell.nul", 2, 2, "B"), ("cell.nul", 3, 3, "C"))),
    ),
    BadInput(
        "a quote in line 2 of 20,000 rows that is never closed",
        "rows.csv",
        texts.open_quote,
        Read(19_999, errors=(("row.quote", 2, 2, None),)),
    ),
    BadInput(
        "ragged rows: too short, too long",
        "rows.csv",
        lambda: PLAIN + "3,c\n4,d,40,50\n\n5,e,50,\n",
        Read(
            (A, B),
            errors=(
                ("row.field_count", 4, 4, None),
                ("row.field_count", 5, 5, None),
                ("row.field_count", 7, 7, None),
            ),
        ),
    ),
    BadInput(
        "text behind a closing quote",
        "rows.csv",
        lambda: PLAIN + '3,"c" or d,30\n',
        Read((A, B), errors=(("row.quote", 4, 4, None),)),
    ),
    BadInput(
        "a header twice", "rows.csv", lambda: "Id,Name,Amount,name\n1,a,10,b\n", Refused("header.duplicate")
    ),
    BadInput(
        "a header twice that no field claims",
        "rows.csv",
        lambda: "Id,Name,Amount,Note,Note\n1,a,10,x,y\n",
        Read((A,), told=("no field claims the columns 'Note', 'Note'",)),
    ),
    BadInput(
        "columns without a header, one of them filled",
        "rows.csv",
        lambda: "Id,,Name,Amount,\n1,lost,a,10,\n2,,b,20,\n",
        Read((A, B), told=("column B has no header; what it holds was left out",)),
    ),
    BadInput(
        "a JSON array in place of JSON Lines",
        "rows.json",
        lambda: '[{"Id": "1"}, {"Id": "2"}]\n',
        Refused("file.kind"),
    ),
    BadInput(
        "JSON that is nested",
        "rows.jsonl",
        lambda: (
            '{"Id": "1", "Name": {"first": "a", "last": ["b", null]}, "Amount": 10}\n'
            '{"Id": "2", "Name": "b", "Amount": [20]}\n'
        ),
        Read((("1", '{"first":"a","last":["b",null]}', 10),), errors=(("type.integer", 2, 2, None),)),
        shows="name",
    ),
    BadInput(
        "lines of JSON that are broken, no object, or have a key twice",
        "rows.jsonl",
        lambda: (
            '{"Id": "1", "Name": "a", "Amount": 10}\n{"Id": "2", "Na\n[1, 2]\n'
            '{"Id": "3", "Name": "c", "Name": "d"}\n'
        ),
        Read((A,), errors=(("row.json", 2, 2, None), ("row.not_object", 3, 3, None), ("row.json", 4, 4, None))),
    ),
    BadInput(
        "an xlsx workbook cut off at 90 %",
        "rows.xlsx",
        lambda: texts.cut(sheets.plain()),
        Refused("file.unreadable"),
    ),
    BadInput(
        "an xlsx workbook behind a password", "rows.xlsx", archives.locked_workbook, Refused("file.unreadable")
    ),
    BadInput(
        "a csv named `.xls`",
        "rows.xls",
        lambda: PLAIN,
        Read((A, B), told=("the file is named .xls, but its bytes are csv",)),
    ),
    BadInput(
        "a web page named `.xls`",
        "rows.xls",
        lambda: "<html><table><tr><td>Id</td></tr></table></html>",
        Refused("file.kind"),
    ),
    BadInput(
        "a workbook of 1.3 KB with a cell at XFD1048576",
        "rows.xlsx",
        sheets.far_corner,
        Refused("file.sheet_cells"),
    ),
    BadInput(
        "a gzip bomb: 70 MiB of one letter", "rows.csv.gz", archives.gzip_bomb, Refused("file.unpacked_ratio")
    ),
    BadInput("gzip within gzip", "rows.csv.gz", archives.gzip_in_gzip, Refused("file.kind")),
    BadInput(
        "a ZIP archive of csv files",
        "rows.zip",
        lambda: archives.zipped({"rows.csv": PLAIN}),
        Refused("file.kind"),
    ),
    BadInput(
        "an xlsx bomb: 70 MiB of blanks in its sheet",
        "rows.xlsx",
        sheets.bomb,
        Refused("file.unpacked_ratio"),
    ),
    BadInput("an ods bomb: 70 MiB of blanks", "rows.ods", sheets.ods_bomb, Refused("file.unpacked_ratio")),
    BadInput(
        "an xlsx workbook with 10,001 more parts than it needs",
        "rows.xlsx",
        sheets.many_parts,
        Refused("file.archive_entries"),
    ),
    BadInput(
        "a sheet that does not exist (`sheet: Totals`)",
        "rows.xlsx",
        sheets.plain,
        Refused("file.sheet"),
        file={"sheet": "Totals"},
    ),
    BadInput(
        "merged headers: a title over all columns, and `Amount` over two",
        "rows.xlsx",
        sheets.merged_headers,
        Read(
            (A, B), told=("the header was found in row 2", "column D has no header; what it holds was left out")
        ),
    ),
    BadInput(
        "error cells",
        "rows.xlsx",
        sheets.error_cells,
        Read((A,), errors=(("cell.error", 3, None, "C"), ("cell.error", 4, None, "A"))),
    ),
    BadInput(
        "dates of a workbook that counts from 1904",
        "rows.xlsx",
        sheets.dates_from_1904,
        Read((("1", "2024-02-29"), ("2", "1999-12-31"))),
        fields=DAYS,
        shows="day",
    ),
    BadInput(
        "integers above 2^53 as text of a csv",
        "rows.csv",
        lambda: "Id,Name,Amount\n1,a,9007199254740993\n2,b,9223372036854775808\n",
        Read((("1", "a", 9_007_199_254_740_993),), errors=(("type.integer_range", 3, 3, "C"),)),
        shows="amount",
    ),
    BadInput(
        "integers above 2^53 as number cells of a workbook",
        "rows.xlsx",
        sheets.large_numbers,
        Read((("1", "a", 9_007_199_254_740_992),), told=("their last digits are lost",)),
        shows="amount",
    ),
    BadInput(
        "leading zeros in a csv",
        "rows.csv",
        lambda: "Id,Name,Amount\n001,007,010\n0001,7,10\n",
        Read((("001", "007", 10), ("0001", "7", 10))),
        shows="id",
    ),
    BadInput(
        "leading zeros in text cells of a workbook",
        "rows.xlsx",
        sheets.leading_zeros,
        Read((("001", "007", 10), ("0001", "7", 10))),
        shows="id",
    ),
    BadInput(
        "text that a spreadsheet would run as a formula, with a bad amount in one row",
        "rows.csv",
        lambda: 'Id,Name,Amount\n1,=1+1,10\n2,@SUM(A1),20\n3,"=HYPERLINK(""http://x"")",x\n',
        Read(
            (("1", "=1+1", 10), ("2", "@SUM(A1)", 20)),
            errors=(("type.integer", 4, 4, "C"),),
            given_back=("'=HYPERLINK(",),
        ),
        shows="name",
    ),
    BadInput(
        "formulas: one with its value, one never calculated",
        "rows.xlsx",
        sheets.formulas,
        Read((("1", "a", 10), ("2", "b", None))),
        shows="amount",
    ),
    BadInput("a gzip file cut off at 90 %", "rows.csv.gz", archives.cut_gzip, Refused("file.unreadable")),
    BadInput(
        "a gzip file with one wrong byte", "rows.csv.gz", archives.damaged_gzip, Refused("file.unreadable")
    ),
)
