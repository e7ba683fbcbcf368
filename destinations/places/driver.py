"""What one kind of place has to bring, beside the filesystem of fsspec for it."""

from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

from schemas.errors import LadingError

CALL_SECONDS = 30.0
"""How long a server may take for one answer, or for the next bytes."""

READ_BYTES = 1 << 18


class Driver(Protocol):
    """One open filesystem.

    Every method raises what its library raises; `meaning` tells what that says.

    Attributes:
        files: of fsspec; nothing that it lists is kept from one call to the next.
    """

    files: "AbstractFileSystem"

    def meaning(self, error: Exception) -> type[LadingError] | None:
        """What an error of the library asks of the caller; None where it is no more than its kind says."""
        ...

    def read(self, path: str) -> BinaryIO:
        """The bytes of the file from the first; what ends too early raises an error, and is not the end."""
        ...

    def put(self, source: Path, path: str, temporary: str) -> None:
        """Put a copy of the file there under its name, whole or not at all, over one that is there.

        Args:
            temporary: the path, in the same folder, that it may have until it is whole.
        """
        ...

    def close(self) -> None:
        """Give back what is held open."""
        ...
