"""The definition that a file by itself proposes, and how it is shown."""

from pathlib import Path

from cli.options import existing
from cli.output import plain, say
from schemas.document import write_definition
from schemas.settings import Settings
from tasks.reading import Proposal, infer


def infer_file(settings: Settings, path: Path) -> Proposal:
    """The definition that accepts every well-formed row of the file.

    Raises:
        NotFoundError: there is no such file.
        FileRefusedError: the file can't be read as a table.
    """
    return infer(settings.limits, existing(path), path.name)


def show_inference(inference: Proposal) -> None:
    """Print the definition as the document that `lading apply` takes, and what to look at."""
    plain(write_definition(inference.definition).rstrip())
    for note in inference.notes:
        say("note", note)
