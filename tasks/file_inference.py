"""From a file to a definition that accepts it.

Only the reader's process calls this: see `tasks.reader`.
"""

from pathlib import Path

from formats import opened
from schemas.definition import FileOptions
from schemas.inference import definition_name, infer_definition
from schemas.limits import Limits
from tasks.reading import Proposal


def infer_file(path: Path, file_name: str, folder: Path, limits: Limits) -> Proposal:
    """A definition that accepts every well-formed row of the file.

    Args:
        folder: where a packed file is unpacked to.

    Raises:
        FileRefusedError: the file can't be read as a table.
    """
    with opened(path, FileOptions(), frozenset(), file_name, limits, folder) as file:
        inference = infer_definition(definition_name(file_name), file.detected, file.blocks())
    return Proposal(inference.definition, inference.notes)
