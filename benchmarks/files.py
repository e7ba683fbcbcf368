"""The files that are imported: ten mixed columns, the same bytes for the same rows, kept once made."""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.workbook import write_workbook

VERSION = 1
"""Part of each file's name: whoever changes what is generated raises it."""

SLICE_ROWS = 100_000
STATUSES = ("new", "active", "paused", "closed")
FORMATS = ("csv", "jsonl", "xlsx")
_GIVEN = ("Ada", "Bo", "Chidi", "Dörte", "Emile", "Fatima", "Grace", "Hiroshi", "Ines", "João", "Kaja", "Liam")
_FAMILY = ("Abara", "Brandt", "Castillo", "Dubois", "Eriksen", "Fischer", "García", "Haddad", "Ito", "Jansen")
_WORDS = ("paid", "late", "call back", "moved", "see invoice", "prefers mail", "checked", "on hold", "priority")

_SEEN_SINCE = 1_420_070_400
"""The start of 2015 in Unix seconds."""

_DEFINITION = """\
name: people
key: [code]
mode: upsert
fields:
  - {name: id, type: integer, required: true, min: 1}
  - {name: code, type: string, required: true, max_length: 12}
  - {name: name, type: string, required: true, max_length: 60}
  - {name: email, type: email, required: true, max_length: 80}
  - {name: born, type: date, required: true, min: "1900-01-01", max: "2020-12-31"}
  - {name: seen_at, type: datetime}
  - {name: balance, type: number, min: -100000, max: 100000}
  - {name: points, type: integer, min: 0, max: 1000}
  - {name: status, type: choice, choices: [new, active, paused, closed], required: true}
  - {name: note, type: string, max_length: 200}
"""

COLUMNS_SQL = (
    "id INTEGER, code TEXT, name TEXT, email TEXT, born DATE, seen_at TIMESTAMP, "
    "balance DOUBLE PRECISION, points INTEGER, status TEXT, note TEXT"
)
"""The same columns for the peers that need a table first; without key and checks."""


def definition_text(destination: dict[str, str]) -> str:
    """The definition as YAML: a key, and a check on nine of the ten columns.

    Args:
        destination: `table`, and `database` and `password` where they are not the default ones.
    """
    parts = ", ".join(f'{key}: "{value}"' for key, value in destination.items())
    return f"{_DEFINITION}destination: {{{parts}}}\n"


def input_file(folder: Path, kind: str, rows: int) -> Path:
    """The file of this kind (of `FORMATS`) with `rows` data rows; made in `folder` where it is not there."""
    path = folder / f"people-{VERSION}-{rows}.{kind}"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        _WRITERS[kind](part, rows)
        part.rename(path)
    return path


def people(first: int, rows: int) -> pl.DataFrame:
    """The data rows from the 0-based `first` on: (rows, 10); a fiftieth of the notes needs quotes in csv."""
    random = np.random.default_rng([VERSION, first])
    numbers = pl.int_range(first + 1, first + rows + 1, eager=True).alias("id")

    def picked(words: tuple[str, ...]) -> pl.Series:
        return pl.Series(words).gather(random.integers(0, len(words), rows))

    def days(since: date, until: date) -> pl.Series:
        earliest = since.toordinal() - date(1970, 1, 1).toordinal()
        found = random.integers(earliest, earliest + (until - since).days, rows, dtype=np.int32)
        return pl.Series(found).cast(pl.Date)

    seconds = pl.Series(random.integers(_SEEN_SINCE, _SEEN_SINCE + 300_000_000, rows))
    given, family = picked(_GIVEN), picked(_FAMILY)
    blank, quoted = random.random(rows) < 0.3, random.random(rows) < 0.02
    frame = pl.DataFrame(
        {
            "id": numbers,
            "given": given,
            "family": family,
            "born": days(date(1930, 1, 1), date(2010, 1, 1)),
            "seen_at": (seconds * 1_000_000).cast(pl.Datetime("us")),
            "balance": np.round(random.normal(0, 9_000, rows), 2),
            "points": random.integers(0, 1_001, rows),
            "status": picked(STATUSES),
            "first_word": picked(_WORDS),
            "second_word": picked(_WORDS),
            "blank": blank,
            "quoted": quoted,
        }
    )
    code = pl.concat_str(pl.lit("AC-"), pl.col("id").cast(pl.String).str.zfill(8))
    local = pl.concat_str("given", pl.lit("."), "family", pl.lit("."), "id").str.to_lowercase()
    plain = local.str.replace_all("ö", "oe").str.replace_all("ã", "a").str.replace_all("í", "i")
    note = pl.concat_str("first_word", pl.lit(" and "), "second_word")
    spoken = pl.concat_str(pl.lit('said "'), "first_word", pl.lit('", then '), "second_word")
    return frame.select(
        "id",
        code.alias("code"),
        pl.concat_str("given", pl.lit(" "), "family").alias("name"),
        pl.concat_str(plain, pl.lit("@example.org")).alias("email"),
        "born",
        "seen_at",
        pl.col("balance").clip(-100_000, 100_000),
        "points",
        "status",
        pl.when("quoted").then(spoken).when(~pl.col("blank")).then(note).alias("note"),
    )


def slices(rows: int) -> Iterator[pl.DataFrame]:
    """All rows, `SLICE_ROWS` at a time."""
    for first in range(0, rows, SLICE_ROWS):
        yield people(first, min(SLICE_ROWS, rows - first))


def _write_csv(path: Path, rows: int) -> None:
    with path.open("wb") as out:
        for number, frame in enumerate(slices(rows)):
            frame.write_csv(out, include_header=number == 0, datetime_format="%Y-%m-%d %H:%M:%S")


def _write_jsonl(path: Path, rows: int) -> None:
    with path.open("wb") as out:
        for frame in slices(rows):
            frame.with_columns(pl.col("seen_at").dt.to_string("%Y-%m-%d %H:%M:%S")).write_ndjson(out)


def _write_xlsx(path: Path, rows: int) -> None:
    write_workbook(path, slices(rows))


_WRITERS: dict[str, Callable[[Path, int], None]] = {
    "csv": _write_csv,
    "jsonl": _write_jsonl,
    "xlsx": _write_xlsx,
}
