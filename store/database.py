"""Opening the job store, a SQLite file or a PostgreSQL database, and its transactions, at the edge."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from sqlalchemy.exc import DBAPIError, TimeoutError as PoolTimeoutError
from sqlmodel import Session

from schemas.errors import StoreBusyError
from schemas.settings import Settings
from store.backend import Backend
from store.migrating import migrate
from store.postgres import postgres_backend
from store.sqlite import sqlite_backend

Transaction = Session
"""What `Store.read` and `Store.write` give; the rooms above need no SQL library to name it."""


class Store:
    """The job store. Functions of the other modules take a session of `read` or `write`; none commits."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        backend.users.enter()

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """The store that the settings name, made or migrated where needed.

        Raises:
            FatalError: it is no job store, or one of a newer Lading, or the database does not let us in.
            StoreBusyError: the database does not answer, or stays locked.
        """
        settings.make_home()
        if settings.store_url is None:
            backend = sqlite_backend(settings.store_path, settings.busy_timeout_seconds)
        else:
            backend = postgres_backend(settings)
        store = cls(backend)
        try:
            with store._understood():
                migrate(backend)
        except BaseException:
            store.close()
            raise
        return store

    @classmethod
    @contextmanager
    def opened(cls, settings: Settings) -> Iterator[Self]:
        """The store that the settings name for as long as the block runs."""
        store = cls.open(settings)
        try:
            yield store
        finally:
            store.close()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that sees one moment of the store; what is changed through it is lost."""
        with self._understood(), Session(self._backend.reader, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session that commits at the end of the block, or leaves nothing behind.

        On SQLite it is the only writer. On PostgreSQL each statement sees what others committed before it;
        what must not change until the end is locked by the functions that rely on it.
        """
        with (
            self._understood(),
            Session(self._backend.writer, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session

    def close(self) -> None:
        """Give the connections back; the store is not used after this."""
        if self._backend.users.leave():
            self._backend.reader.dispose()

    @contextmanager
    def _understood(self) -> Iterator[None]:
        try:
            yield
        except PoolTimeoutError as error:
            raise StoreBusyError(f"all connections to {self._backend.place} are in use; try again") from error
        except DBAPIError as error:
            meaning = self._backend.understand(error)
            if meaning is None:
                raise
            raise meaning from error
