"""The file of a part: good rows of a job in the vendor's own kind, the same whenever it is written again."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from connectors.client import Part
from formats.records import SHEET_RECORDS, json_lines, write_records
from schemas.definition import Field
from schemas.errors import FatalError
from store.delivery_tables import Delivery
from tasks.vendor_job import VendorJob


def part_sizes(vendor: VendorJob) -> list[int]:
    """How many records each part is to have; empty where no row is good."""
    if vendor.client.part_bytes is not None:
        return list(_sizes_within(vendor, vendor.client.part_bytes))
    good = sum(vendor.good_in_blocks)
    limit = vendor.client.part_rows or max(good, 1)
    limit = min(limit, SHEET_RECORDS) if vendor.client.file_kind == "xlsx" else limit
    return [min(limit, good - first) for first in range(0, good, limit)]


def written_part(vendor: VendorJob, delivery: Delivery, total: int) -> Part:
    """The part with its file, which lies beside the checked rows and goes with them.

    Args:
        total: records of all parts.

    Raises:
        FatalError: the checked rows are others than when the parts were planned.
    """
    kind = vendor.client.file_kind
    path = vendor.staged.folder / f"part-{delivery.part:06}.{kind}"
    if not path.exists():
        _write(vendor, delivery, path)
    name = f"{vendor.definition.name}-{vendor.job.id[:8]}-{delivery.part}.{kind}"
    return Part(path, delivery.records, name, delivery.part, total)


def _sizes_within(vendor: VendorJob, limit_bytes: int) -> Iterator[int]:
    fields, headers = _written(vendor)
    columns = [field.name for field in fields]
    frames = (vendor.good_rows(block, columns) for block in range(len(vendor.good_in_blocks)))
    records, size_bytes = 0, 0
    for line in json_lines(fields, headers, frames):
        line_bytes = len(line.encode())
        if records and (records == vendor.client.part_rows or size_bytes + line_bytes > limit_bytes):
            yield records
            records, size_bytes = 0, 0
        records, size_bytes = records + 1, size_bytes + line_bytes
    if records:
        yield records


def _written(vendor: VendorJob) -> tuple[list[Field], list[str]]:
    """The fields that the file had, and what the vendor calls each."""
    there = vendor.staged.block(0).columns
    fields = [field for field in vendor.definition.fields if field.name in there]
    headers = {name: header for header, name in vendor.fields.items()}
    return fields, [headers[field.name] for field in fields]


def _write(vendor: VendorJob, delivery: Delivery, path: Path) -> None:
    fields, headers = _written(vendor)
    frames = _slice(vendor, delivery, [field.name for field in fields])
    write_records(vendor.client.file_kind, path, fields, headers, frames)


def _slice(vendor: VendorJob, delivery: Delivery, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
    """The records of the part, from those blocks alone that have some of them."""
    place, first, last = 0, delivery.first_record, delivery.first_record + delivery.records
    for block, records in enumerate(vendor.good_in_blocks):
        start, end = max(first - place, 0), min(last - place, records)
        if start < end:
            yield vendor.good_rows(block, columns).slice(start, end - start)
        place += records
        if place >= last:
            return
    raise FatalError(
        f"part {delivery.part} was planned with {delivery.records:,} records, which are not there any more; "
        "bring the file again"
    )
