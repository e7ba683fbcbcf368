"""Files of this machine."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from fsspec.implementations.local import LocalFileSystem

from schemas.errors import LadingError
from schemas.place import Address, PlaceOption


class DiskDriver:
    """The disks of this machine; a `Driver`."""

    def __init__(self) -> None:
        self.files = LocalFileSystem(skip_instance_cache=True)
        self.meaning = meaning

    def read(self, path: str) -> BinaryIO:
        """The bytes of the file."""
        return Path(path).open("rb")

    def put(self, source: Path, path: str, temporary: str) -> None:
        """Copy the file and rename the copy, each of which outlasts a power cut."""
        folder = Path(path).parent
        folder.mkdir(parents=True, exist_ok=True)
        with source.open("rb") as original, Path(temporary).open("wb") as copy:
            shutil.copyfileobj(original, copy)
            copy.flush()
            os.fsync(copy.fileno())
        Path(temporary).replace(path)
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)

    def close(self) -> None:
        """Nothing is held open."""


def open_driver(address: Address, options: Mapping[str, PlaceOption], secrets: Mapping[str, str]) -> DiskDriver:
    """The disks of this machine, which need no opening."""
    del address, options, secrets
    return DiskDriver()


def meaning(error: Exception) -> type[LadingError] | None:
    """Errors of the system speak for themselves."""
    del error
    return None
