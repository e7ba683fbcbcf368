"""Errors of one row: the row is `failed`."""

from schemas.codes.code import Code

ROW = (
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
        "mapping.type",
        "{detail}",
        "A value is not what the `data_type` of its mapping says.",
        "`12 apples` with `data_type: number`",
    ),
    Code(
        "mapping.date",
        "{detail}",
        "A value is no date of the form that its mapping names.",
        "`yesterday` with `extract_date_format: MM/DD/YYYY`",
    ),
    Code(
        "mapping.lookup",
        "{detail}",
        "A lookup of the mapping has nothing for a value, and may not fail.",
        "`XX` with `map: {DE: EUR}`",
    ),
    Code(
        "mapping.template",
        "{detail}",
        "A template of the mapping can't make anything of a value, or would make too much.",
        "`{{divide total count}}` where `count` is 0",
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
