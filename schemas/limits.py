"""What reading one file may cost; passed, it is a named refusal of the file and nothing worse."""

from dataclasses import dataclass

GIB = 2**30


@dataclass(frozen=True)
class Limits:
    """The limits of one reading; each is a setting of the same name with `limit_` before its unit.

    Attributes:
        memory_bytes: of the process that reads; a workbook that would need more is streamed where its
            format allows, else refused before it is parsed.
        cpu_seconds, time_seconds: of the same process; time is what a clock on the wall shows.
        unpacked_bytes: of all that a compressed file holds, together.
        unpacked_ratio: unpacked bytes for each packed one, judged above 64 MiB unpacked.
        archive_entries: parts of a workbook's archive.
        sheet_cells: of the rectangle that a sheet's filled cells span.
        columns: of the header, or keys of all objects together.
    """

    memory_bytes: int = GIB
    cpu_seconds: int = 3_600
    time_seconds: float = 7_200.0
    unpacked_bytes: int = 20 * GIB
    unpacked_ratio: int = 300
    archive_entries: int = 10_000
    sheet_cells: int = 50_000_000
    columns: int = 16_384


DEFAULT_LIMITS = Limits()
