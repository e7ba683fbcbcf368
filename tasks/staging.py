"""Checked records on disk, between validate and import: one Arrow file a block, in the job's own folder."""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import polars as pl

from schemas.chunk import BLOCK_CHUNKS, CHUNK_ROWS
from schemas.destination import StagedChunk, Verdict

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

    def remove(self) -> None:
        """Take everything away; harmless where nothing is."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        """Begin anew: forget what an earlier attempt left."""
        self.remove()
        self._folder.mkdir(parents=True, mode=0o700)

    def write(self, block: int, frame: pl.DataFrame) -> None:
        """Keep the block with this 0-based number, whole or not at all."""
        _write(frame, self._block_path(block))

    def write_verdicts(self, verdicts: Mapping[int, Verdict]) -> None:
        """Change the verdict of the rows with these ordinals, after all blocks are written."""
        frame = pl.DataFrame(
            {ORDINAL: list(verdicts), "verdict": [int(verdict) for verdict in verdicts.values()]},
            schema={ORDINAL: pl.UInt32, "verdict": pl.UInt8},
        )
        _write(frame, self._verdicts_path)

    def blocks(self, first_block: int = 0, columns: list[str] | None = None) -> Iterator[pl.DataFrame]:
        """The blocks from this one on, in order, with the changed verdicts."""
        verdicts = pl.read_ipc(self._verdicts_path) if self._verdicts_path.exists() else None
        block = first_block
        while (path := self._block_path(block)).exists():
            frame = pl.read_ipc(path, columns=columns)
            yield frame if verdicts is None or VERDICT not in frame.columns else _patched(frame, verdicts)
            block += 1

    def chunks(self, first: int, last: int) -> Iterator[StagedChunk]:
        """The chunks `first` to `last` (0-based, both included), without what only validation needs."""
        block = first // BLOCK_CHUNKS
        for frame in self.blocks(block):
            for offset in range(0, frame.height, CHUNK_ROWS):
                chunk = block * BLOCK_CHUNKS + offset // CHUNK_ROWS
                if first <= chunk <= last:
                    rows = frame.slice(offset, CHUNK_ROWS)
                    yield StagedChunk(chunk, rows.select(pl.exclude(f"^{LINE}$|^{RAW}.*$")))
            block += 1
            if block * BLOCK_CHUNKS > last:
                return

    @property
    def _verdicts_path(self) -> Path:
        return self._folder / "verdicts.arrow"

    def _block_path(self, block: int) -> Path:
        return self._folder / f"block-{block:06}.arrow"


def _patched(frame: pl.DataFrame, verdicts: pl.DataFrame) -> pl.DataFrame:
    joined = frame.join(verdicts, on=ORDINAL, how="left", maintain_order="left")
    return joined.with_columns(pl.coalesce("verdict", VERDICT).alias(VERDICT)).drop("verdict")


def _write(frame: pl.DataFrame, path: Path) -> None:
    temporary = path.with_suffix(".part")
    frame.write_ipc(temporary, compression="lz4")
    temporary.rename(path)
