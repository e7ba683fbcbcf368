"""Errors of the file as a whole, or too many of its rows: the job is `invalid`."""

from schemas.codes.code import Code

FILE = (
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
