"""What a face is handed whose clients upload files first, under ids of their own, and name them later."""

from typing import Protocol

from schemas.client_file import FilePart, FileRules, KeptFile, OpenFile
from schemas.principal import Principal


class ClientFiles(Protocol):
    """The files of clients behind a face; each tenant has its own. Called from threads of the face."""

    def take_part(self, principal: Principal, part: FilePart, rules: FileRules) -> KeptFile:
        """Keep a part of a file, or all of it; one that is there already is no error.

        Raises:
            PartRefusedError: it does not go on where the last one ended, or its size is not what it must be.
            NoSpaceError: there is no room for the file.
            BodyError: the file is larger than one may be.
        """
        ...

    def open_client_file(self, principal: Principal, client_hash: str) -> OpenFile:
        """The whole file of this id.

        Raises:
            NotFoundError: there is none, it is gone, or parts of it are missing.
        """
        ...
