import polars as pl
import pytest

from schemas.chunk import BLOCK_ROWS
from schemas.destination import Verdict
from schemas.errors import FatalError
from tasks.file_check import check_file
from tasks.staging import ORDINAL, VERDICT, Draft, Stage


@pytest.mark.parametrize("kind", [Stage, Draft])
def test_duplicates_are_found_with_a_whole_stage_and_with_a_draft(tmp_path, write_csv, make_definition, kind):
    fields = [
        {"name": "id", "header": "Id", "type": "integer"},
        {"name": "name", "header": "Name", "unique": True},
    ]
    path = write_csv("Id,Name", "1,a", "01,b", "2,a", "x,c")
    errors = []
    checked = check_file(
        path,
        path.name,
        make_definition(fields=fields),
        kind(tmp_path / "stage"),
        lambda _part, found, _rows: errors.extend(found),
    )
    assert [(e.row, e.code, e.value, e.message) for e in errors] == [
        (5, "type.integer", "x", "not a whole number"),
        (2, "key.duplicate", "1", "the same key stands in row 3"),
        (2, "unique", "a", "the same value stands in row 4"),
        (3, "key.duplicate", "01", "the same key stands in row 2"),
        (4, "unique", "a", "the same value stands in row 2"),
    ]
    assert checked.rows == 4


@pytest.fixture
def staged(tmp_path):
    """A stage of two whole blocks and one of three rows; each row is good."""
    stage = Stage(tmp_path / "stage")
    write_blocks(stage)
    return stage


def write_blocks(stage):
    stage.start()
    for block, rows in enumerate((BLOCK_ROWS, BLOCK_ROWS, 3)):
        ordinals = pl.int_range(block * BLOCK_ROWS, block * BLOCK_ROWS + rows, dtype=pl.UInt32, eager=True)
        verdicts = pl.repeat(Verdict.GOOD, rows, dtype=pl.UInt8, eager=True)
        stage.write(block, pl.DataFrame({ORDINAL: ordinals, VERDICT: verdicts}))


def changed(stage):
    """Ordinal → verdict of the rows that are not good, as the blocks have them."""
    rows = pl.concat(stage.finished_blocks(2 * BLOCK_ROWS + 3, [])).filter(pl.col(VERDICT) != Verdict.GOOD)
    return dict(rows.select(ORDINAL, VERDICT).iter_rows())


def test_changed_verdicts_come_to_their_rows_at_the_edges_of_the_blocks(staged):
    edges = (BLOCK_ROWS * 2 + 2, BLOCK_ROWS - 1, BLOCK_ROWS, 0, BLOCK_ROWS * 2)
    verdicts = dict.fromkeys(edges, Verdict.FAILED) | {BLOCK_ROWS * 2 - 1: Verdict.IGNORED}
    staged.finish(verdicts)
    assert changed(staged) == changed(Stage(staged.folder)) == verdicts


def test_verdicts_that_an_earlier_version_left_in_no_order_come_to_their_rows(staged):
    verdicts = {
        BLOCK_ROWS * 2: Verdict.FAILED,
        7: Verdict.FAILED,
        BLOCK_ROWS: Verdict.FAILED,
        3: Verdict.FAILED,
    }
    staged.finish({})
    frame = pl.DataFrame(
        {ORDINAL: list(verdicts), "verdict": [int(verdict) for verdict in verdicts.values()]},
        schema={ORDINAL: pl.UInt32, "verdict": pl.UInt8},
    )
    frame.write_ipc(staged.folder / "verdicts.arrow", compression="lz4")
    assert changed(staged) == verdicts


def test_a_stage_that_begins_anew_forgets_the_verdicts_of_before(staged):
    staged.finish({1: Verdict.FAILED})
    assert changed(staged) == {1: Verdict.FAILED}
    staged.finish({2: Verdict.FAILED})
    assert changed(staged) == {2: Verdict.FAILED}
    write_blocks(staged)
    with pytest.raises(FatalError, match="are not whole; bring the file again"):
        changed(staged)
