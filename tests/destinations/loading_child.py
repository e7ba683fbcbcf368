"""A worker to be killed: loads staged chunks, two a call, and says so on a line each. Run as a program.

Arguments: the folder with the chunks (`0.arrow` …), the home, the definition as JSON.
"""

import sys
from pathlib import Path

import polars as pl

from destinations import open_destination
from schemas.definition import Definition
from schemas.destination import StagedChunk
from schemas.settings import Settings


def main() -> None:
    folder, home, document = sys.argv[1:]
    definition = Definition.model_validate_json(document)
    destination = open_destination(Settings(home=Path(home)), "local", definition)
    destination.prepare(definition)
    destination.begin("job", 1)
    paths = sorted(Path(folder).glob("*.arrow"), key=lambda p: int(p.stem))
    chunks = [StagedChunk(int(p.stem), pl.read_ipc(p)) for p in paths]
    missing = [chunk for chunk in chunks if chunk.chunk not in destination.committed_chunks("job")]
    print("loading", flush=True)  # noqa: T201 - tells the parent where it stands
    for start in range(0, len(missing), 2):
        destination.load("job", 1, definition, missing[start : start + 2])
        print("loaded", flush=True)  # noqa: T201
    destination.close()


if __name__ == "__main__":
    main()
