"""Checked records on disk, between validate and import: one Arrow file a block, in the job's own folder."""

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import polars as pl

from schemas.chunk import BLOCK_CHUNKS, BLOCK_ROWS, CHUNK_ROWS
from schemas.destination import StagedChunk, Verdict
from schemas.errors import FatalError

ORDINAL, ROW, LINE, VERDICT = "_ordinal", "_row", "_line", "_verdict"
RAW = "_raw:"
"""Prefix of the text as it stood, staged beside a typed field that may turn out to stand twice."""


class Stage:
    """The staged blocks of one job.

    A block is a frame with the columns `_ordinal`, `_row`, `_line` (null for workbooks), `_verdict`, the
    typed fields that the file has, and `_raw:` columns; it covers up to `BLOCK_ROWS` data rows.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._verdicts: pl.DataFrame | None = None

    @property
    def folder(self) -> Path:
        """Where the blocks lie; whatever else is put there goes when they go."""
        return self._folder

    def start(self) -> None:
        """Begin anew: forget what an earlier attempt left."""
        self._verdicts = None
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True, mode=0o700)

    def write(self, block: int, frame: pl.DataFrame) -> None:
        """Keep the block with this 0-based number, whole or not at all."""
        _write(frame, self._block_path(block))

    def finish(self, verdicts: Mapping[int, Verdict]) -> None:
        """Change the verdict of the rows with these ordinals; the stage is whole from now on."""
        self._verdicts = None
        frame = pl.DataFrame(
            {ORDINAL: list(verdicts), "verdict": [int(verdict) for verdict in verdicts.values()]},
            schema={ORDINAL: pl.UInt32, "verdict": pl.UInt8},
        )
        _write(frame.sort(ORDINAL), self._verdicts_path)

    def is_whole(self, rows: int) -> bool:
        """True when everything is there that a file of `rows` data rows leaves."""
        blocks = -(-rows // BLOCK_ROWS)
        paths = [self._verdicts_path, *(self._block_path(block) for block in range(blocks))]
        return all(path.exists() for path in paths)

    def unfinished_blocks(self, columns: list[str]) -> Iterator[pl.DataFrame]:
        """These columns of all blocks so far, in order, with the verdicts that each row earned alone."""
        block = 0
        while (path := self._block_path(block)).exists():
            yield pl.read_ipc(path, columns=columns)
            block += 1

    def block(self, block: int, columns: list[str] | None = None) -> pl.DataFrame:
        """The block with this 0-based number, with the changed verdicts; all columns, or these and the verdict.

        Raises:
            FatalError: it is not there.
        """
        picked = None if columns is None else [ORDINAL, VERDICT, *columns]
        try:
            frame = pl.read_ipc(self._block_path(block), columns=picked)
            verdicts = self._changed_verdicts(block)
        except FileNotFoundError as error:
            raise FatalError(
                f"the checked rows in {self._folder} are not whole; bring the file again"
            ) from error
        if verdicts.is_empty():
            return frame
        joined = frame.join(verdicts, on=ORDINAL, how="left", maintain_order="left")
        return joined.with_columns(pl.coalesce("verdict", VERDICT).alias(VERDICT)).drop("verdict")

    def finished_blocks(self, rows: int, columns: list[str]) -> Iterator[pl.DataFrame]:
        """These columns and the final verdicts of all blocks of a file of `rows` data rows, in order.

        Raises:
            FatalError: one of them is not there.
        """
        for block in range(-(-rows // BLOCK_ROWS)):
            yield self.block(block, columns)

    def chunks(self, first: int, last: int) -> Iterator[StagedChunk]:
        """The chunks `first` to `last` (0-based, both included), without what only validation needs.

        Raises:
            FatalError: one of them is not there.
        """
        for block in range(first // BLOCK_CHUNKS, last // BLOCK_CHUNKS + 1):
            frame = self.block(block).select(pl.exclude(f"^{LINE}$|^{RAW}.*$"))
            for offset in range(0, frame.height, CHUNK_ROWS):
                chunk = block * BLOCK_CHUNKS + offset // CHUNK_ROWS
                if first <= chunk <= last:
                    yield StagedChunk(chunk, frame.slice(offset, CHUNK_ROWS))

    def _changed_verdicts(self, block: int) -> pl.DataFrame:
        """The ordinal and verdict of the rows of this block whose verdict was changed, in order of ordinal."""
        if self._verdicts is None:
            # Once for all blocks, for there may be millions. Earlier versions left them in no order; to sort
            # what is in order costs little.
            self._verdicts = pl.read_ipc(self._verdicts_path).sort(ORDINAL)
        ordinals = self._verdicts[ORDINAL]
        start, end = (ordinals.search_sorted(number * BLOCK_ROWS) for number in (block, block + 1))
        return self._verdicts.slice(start, end - start)

    @property
    def _verdicts_path(self) -> Path:
        return self._folder / "verdicts.arrow"

    def _block_path(self, block: int) -> Path:
        return self._folder / f"block-{block:06}.arrow"


class Draft(Stage):
    """What a check that leaves nothing needs to find rows that share a value: no records, and no fsync."""

    def write(self, block: int, frame: pl.DataFrame) -> None:
        """Keep what tells the rows of the block with this 0-based number apart."""
        raw = [name for name in frame.columns if name.startswith(RAW)]
        typed = [name.removeprefix(RAW) for name in raw]
        frame.select(ORDINAL, ROW, LINE, VERDICT, *typed, *raw).write_ipc(self._block_path(block))


def _write(frame: pl.DataFrame, path: Path) -> None:
    """Write the frame so that it is there, whole, even after a power cut, or not at all."""
    temporary = path.with_suffix(".part")
    with temporary.open("wb") as out:
        frame.write_ipc(out, compression="lz4")
        os.fsync(out.fileno())
    temporary.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
