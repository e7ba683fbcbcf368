"""The catalogue of error codes: what each means, what it says, and an input that brings it about.

The page `docs/errors.md` is made from this table, and a test runs every example.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Code:
    """One code of the catalogue.

    Attributes:
        code: stable; machines may rely on it.
        message: template of the message; `{…}` are filled in for each error.
        meaning: one sentence for the docs.
        example: what in a file brings it about, for the docs.
    """

    code: str
    message: str
    meaning: str
    example: str

    def says(self, **values: object) -> str:
        """The message with its blanks filled in."""
        return self.message.format(**values)


_FILE = (
    Code("file.empty", "the file is empty", "The file has no bytes, or nothing but blanks.", "an empty file"),
    Code(
        "file.kind",
        "{detail}; Lading reads {kinds}",
        "The bytes are of no kind that Lading reads.",
        "a PNG picture named `rows.csv`",
    ),
    Code(
        "file.encoding",
        "{detail}",
        "The bytes can't be text in the encoding that was declared.",
        "`encoding: utf-8` and a byte `E9` alone",
    ),
    Code(
        "file.unreadable",
        "{detail}",
        "The file is of a known kind, but broken.",
        "a workbook cut off in the middle",
    ),
    Code(
        "file.memory_limit",
        "{detail}",
        "The file can't be read in the memory that a reader may take.",
        "eight million commas in the first line, with 512 MiB allowed",
    ),
    Code(
        "file.cpu_limit",
        "reading the file takes more than the {limit} s of processor time that LADING_CPU_LIMIT_SECONDS allows",
        "Reading and checking the file takes too much processor time.",
        "a large file, with one second allowed",
    ),
    Code(
        "file.time_limit",
        "reading the file takes longer than the {limit} s that LADING_TIME_LIMIT_SECONDS allows",
        "Reading and checking the file takes too long.",
        "any file, with a hundredth of a second allowed",
    ),
    Code(
        "file.crash",
        "the process that read the file was ended {how}; nothing of it was imported",
        "The file made a library that reads it crash, or somebody killed the process that read it, twice.",
        "bytes that hit a fault of a library",
    ),
    Code(
        "file.archive_entries",
        "{detail}",
        "A workbook's archive has more parts than `archive_limit_entries` allows.",
        "a workbook with 20,000 parts",
    ),
    Code(
        "file.unpacked_limit",
        "{detail}",
        "Unpacked, a file would be larger than `unpacked_limit_bytes` allows.",
        "a gzip file of 30 GiB of rows",
    ),
    Code(
        "file.unpacked_ratio",
        "{detail}",
        "Unpacked, a file would hold more than 64 MiB and `unpacked_limit_ratio` times its own size.",
        "65 MiB of zeros packed with gzip",
    ),
    Code(
        "file.sheet_cells",
        "{detail}",
        "The cells of a sheet span more than `sheet_limit_cells` allows.",
        "a workbook of 1.4 KB with cells in A1 and XFD1048576",
    ),
    Code(
        "file.columns",
        "the file has {columns} columns, and LADING_FILE_LIMIT_COLUMNS allows {limit}",
        "The file has more columns (keys, in JSON Lines) than `LADING_FILE_LIMIT_COLUMNS` allows.",
        "20,000 commas in the first line",
    ),
    Code("file.sheet", "{detail}", "The sheet that the definition names is not there.", "`sheet: Totals`"),
    Code(
        "file.header",
        "{detail}",
        "No row of the file can be the header.",
        "`header_row: 9` in a file of three rows",
    ),
    Code(
        "header.missing",
        "{detail}",
        "A column that the definition requires is not in the file.",
        "a file without `ID`",
    ),
    Code(
        "header.duplicate",
        "{detail}",
        "Two columns of the file claim the same field.",
        "the header `ID,Date,id`",
    ),
    Code(
        "header.unknown",
        "{detail}",
        "No field claims a column, and `unknown_columns` is `error`.",
        "a column `Remark`",
    ),
    Code(
        "atomic.failed_rows",
        "{detail}",
        "Rows failed validation, and under `atomic` a single one is too many.",
        "`amount: x` with `atomic: true`",
    ),
    Code(
        "budget.exceeded",
        "{detail}",
        "More rows failed validation than `max_errors` or `max_error_percent` allows.",
        "two bad rows with `max_errors: 1`",
    ),
    Code(
        "sync.no_valid_row",
        "{detail}",
        "Mode `sync` would delete every record that no failed row names.",
        "a file with a header and no rows, with `mode: sync`",
    ),
    Code(
        "sync.key_unreadable",
        "{detail}",
        "A row does not tell its key, so mode `sync` can't know which record to keep.",
        "a row without an `id`, with `mode: sync`",
    ),
)

_ROW = (
    Code(
        "row.field_count", "{detail}", "A row has more or fewer cells than the header.", "`a,b` below `id,x,y`"
    ),
    Code("row.quote", "{detail}", "The quotes of a row don't match.", '`1,"abc` with no closing quote'),
    Code("row.json", "{detail}", "A line is not valid JSON.", '`{"id": 1,}`'),
    Code("row.not_object", "{detail}", "A line is JSON, but not an object.", "`[1, 2]`"),
    Code(
        "row.nested",
        "{detail}",
        "A value of a line is an object or array, and `flat` is true or LearningBuilder's clients brought it.",
        '`{"Id": 1, "X": {"a": 2}}` with `flat: true`',
    ),
    Code(
        "row.identifier",
        "{detail}",
        "A header that begins with a colon is not that of a field of the key, and `identifiers` is true or "
        "LearningBuilder's clients brought it.",
        "`:X` beside the key `Id` with `identifiers: true`",
    ),
    Code(
        "row.unmended",
        "the row could not be split into cells and was not mended; put each value into its column and empty "
        "the column lading_errors",
        "A row of a failed-rows file still holds the whole text of a malformed row in one cell.",
        "a failed-rows file sent back as it is",
    ),
    Code(
        "cell.error",
        "the cell holds the spreadsheet error {value}, not a value",
        "A formula of the workbook failed.",
        "`#N/A`",
    ),
    Code(
        "cell.nul",
        "the text holds a NUL character, which no database keeps faithfully",
        "Text with a NUL character.",
        "`A\\0B`",
    ),
    Code(
        "required",
        "a value is required here, but the cell is blank",
        "A required cell is blank.",
        "a blank `id`",
    ),
    Code("type.integer", "not a whole number", "The text is no whole number.", "`12 apples`"),
    Code(
        "type.integer_range",
        "a whole number between -9223372036854775808 and 9223372036854775807 is required",
        "The whole number does not fit 64 bits.",
        "`99999999999999999999`",
    ),
    Code("type.number", "not a number of the form {form}", "The text is no number.", "`1,5`"),
    Code(
        "type.decimal",
        "not a decimal number of at most 26 digits before and 12 after the point",
        "The text is no decimal number, or has more digits than are kept exactly.",
        "`1.2.3`",
    ),
    Code("type.boolean", "not a yes or a no; write true or false", "The text is no truth value.", "`perhaps`"),
    Code(
        "type.date",
        "not a date of the form {form}",
        "The text is no date in the declared form.",
        "`2024-02-30`",
    ),
    Code("type.time", "not a time of the form {form}", "The text is no time of day.", "`25:00`"),
    Code(
        "type.datetime",
        "not a date and time of the form {form}",
        "The text is no date and time, or falls in an hour that the time zone skips or has twice.",
        "`yesterday`",
    ),
    Code(
        "type.duration",
        "not a duration of the form 36:00:00, hours first",
        "The text is no duration.",
        "`36 hours`",
    ),
    Code("type.json", "not valid JSON", "The text is no JSON.", "`{a: 1}`"),
    Code(
        "type.multichoice",
        "not a list of choices; separate them with ; or write a JSON list",
        "The text is no list of choices.",
        "`[1, 2]`",
    ),
    Code("type.uuid", "not a UUID", "The text is no UUID.", "`1234`"),
    Code("type.email", "not an e-mail address", "The text is no e-mail address.", "`jo at example.com`"),
    Code(
        "unique",
        "the same value stands in {others}",
        "A value of a unique field stands in several rows.",
        "twice `X1`",
    ),
    Code("min", "less than the minimum {limit}", "The value is below `min`.", "`-1` with `min: 0`"),
    Code("max", "more than the maximum {limit}", "The value is above `max`.", "`11` with `max: 10`"),
    Code(
        "min_length",
        "shorter than {limit} characters",
        "The text is shorter than `min_length`.",
        "`ab` with `min_length: 3`",
    ),
    Code(
        "max_length",
        "longer than {limit} characters",
        "The text is longer than `max_length`.",
        "`abcd` with `max_length: 3`",
    ),
    Code(
        "pattern",
        "does not match the pattern {limit}",
        "The text does not match `pattern`.",
        "`x9` with `[A-Z]+`",
    ),
    Code("choices", "none of the choices: {limit}", "The value is none of `choices`.", "`Maybe`"),
    Code(
        "record",
        "{detail}",
        "A check of the model fails that the definition names as `record`.",
        "an explosion 33 km below ground with `record: earthquakes`",
    ),
    Code(
        "key.duplicate",
        "the same key stands in {others}",
        "Several rows of the file have the same key.",
        "twice the row `K1`",
    ),
    Code(
        "load.exists",
        "a record with this key is there already",
        "Mode `insert` met a key that the destination has.",
        "importing a row twice with `mode: insert`",
    ),
    Code(
        "load.missing",
        "no record with this key is there",
        "Mode `update` met a key that the destination lacks.",
        "an unknown key with `mode: update`",
    ),
    Code(
        "load.constraint",
        "the destination refused the record: {detail}",
        "The table has a constraint that the definition does not know.",
        "a table with `CHECK (depth > 0)` and a depth of 0",
    ),
    Code(
        "vendor.refused",
        "{detail}",
        "The vendor to whom the record was handed over did not take it; the message is the vendor's.",
        "a track that knows no such choice",
    ),
)

_JOB = (
    Code(
        "destination.mismatch",
        "{detail}",
        "The table does not fit the definition.",
        "a table that lacks the column `depth`",
    ),
    Code(
        "job.abandoned",
        "{detail}",
        "The job was interrupted, and somebody ended it instead of finishing it.",
        "`lading import … --abandon`",
    ),
    Code(
        "job.atomic",
        "{detail}",
        "The destination refused rows, and under `atomic` nothing is written then.",
        "a record that is there already, with `mode: insert` and `atomic: true`",
    ),
    Code(
        "job.sync",
        "{detail}",
        "The destination refused to delete what the file lacks.",
        "a record that another table refers to, with `mode: sync`",
    ),
    Code(
        "job.cancelled",
        "{detail}",
        "Somebody cancelled the job; what it had written by then stays.",
        "`POST /jobs/{id}/cancel`, or Cancel in Prefect's UI",
    ),
    Code(
        "upload.expired",
        "{detail}",
        "The file was kept for some time only, which was over before the job ended; what it wrote stays.",
        "a temporary file of ELMA365, 60 minutes after it came",
    ),
    Code(
        "vendor.failed",
        "{detail}",
        "The vendor did not take the file that was handed over to it, or gave it up.",
        "a track that does not exist",
    ),
    Code(
        "vendor.deadline",
        "{detail}",
        "The vendor was not done in time; rows that were handed over by then are unconfirmed.",
        "an import that a vendor never ends",
    ),
    Code(
        "vendor.unknown",
        "{detail}",
        "A vendor's answer was lost, and whether it took the rows can't be found out; they are unconfirmed.",
        "a connection that is cut while the vendor answers",
    ),
    Code("job.failed", "{detail}", "The job could not go on.", "the upload's bytes are gone"),
)

FILE_CODES: Mapping[str, Code] = MappingProxyType({c.code: c for c in _FILE})
"""Errors of the file as a whole, or too many of its rows: the job is `invalid`."""

ROW_CODES: Mapping[str, Code] = MappingProxyType({c.code: c for c in _ROW})
"""Errors of one row: the row is `failed`."""

JOB_CODES: Mapping[str, Code] = MappingProxyType({c.code: c for c in _JOB})
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


_INTRODUCTION = """Every error has a code that does not change. This page is made from `schemas/codes.py`
(`make docs`); the tests bring each code about."""

_SECTIONS = (
    ("Errors of one row: the row is `failed`, the others go on", ROW_CODES),
    ("Errors of the file as a whole: the job is `invalid`, nothing was written", FILE_CODES),
    ("Why a job as a whole is `failed` or `cancelled`", JOB_CODES),
)
