"""Opening the job store: one SQLite file in WAL, brought to the newest schema, transactions at the edge."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry
from sqlmodel import Session

from schemas.errors import FatalError, StoreBusyError
from schemas.settings import Settings

SCHEMA_VERSION = "0001"
"""The newest migration; a test compares it with `store/migrations/versions`."""

Transaction = Session
"""What `Store.read` and `Store.write` give; the rooms above need no SQL library to name it."""


class Store:
    """The job store. Functions of the other modules take a session of `read` or `write`; none commits."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writer = engine.execution_options(lading_write=True)

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """The store of this home, made or migrated where needed.

        Raises:
            FatalError: the file is no job store, or one of a newer Lading.
        """
        settings.make_home()
        engine = _sqlite_engine(settings.store_path, settings.busy_timeout_seconds)
        store = cls(engine)
        try:
            with _translated(settings.store_path), store._writer.begin() as connection:
                _migrate(connection)
        except BaseException:
            store.close()
            raise
        return store

    @classmethod
    @contextmanager
    def opened(cls, settings: Settings) -> Iterator[Self]:
        """The store of this home for as long as the block runs."""
        store = cls.open(settings)
        try:
            yield store
        finally:
            store.close()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that sees one moment of the store; what is changed through it is lost."""
        with _translated(self._path), Session(self._engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session that commits at the end of the block, or leaves nothing behind."""
        with _translated(self._path), Session(self._writer, expire_on_commit=False) as session, session.begin():
            yield session

    def close(self) -> None:
        """Give the connections back; the store is not used after this."""
        self._engine.dispose()

    @property
    def _path(self) -> Path:
        return Path(str(self._engine.url.database))


def _sqlite_engine(path: Path, busy_timeout_seconds: float) -> Engine:
    engine = create_engine(
        f"sqlite:///{path}", connect_args={"timeout": busy_timeout_seconds}, hide_parameters=True
    )

    @event.listens_for(engine, "connect")
    def configure(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    # A transaction that will write asks for the lock at its start: SQLite refuses a later upgrade at once,
    # whatever the timeout, when somebody else wrote in between.
    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        write = connection.get_execution_options().get("lading_write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        if "locked" in str(error.orig) or "busy" in str(error.orig):
            raise StoreBusyError(f"the job store {path} stayed locked: {error.orig}; try again") from error
        raise FatalError(f"the job store {path} can't be used: {error.orig}") from error
    except DatabaseError as error:
        if type(error) is not DatabaseError:
            raise
        raise FatalError(f"{path} is no job store: {error.orig}") from error


def _migrate(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", "store:migrations")
    config.attributes["connection"] = connection
    current = _schema_version(connection)
    if current == SCHEMA_VERSION:
        return
    try:
        if current is not None:
            ScriptDirectory.from_config(config).get_revision(current)
        command.upgrade(config, "head")
    except CommandError as error:
        raise FatalError(
            f"the job store has the schema {current!r}, which this version of Lading does not know; "
            "use the version that made it, or a newer one"
        ) from error


def _schema_version(connection: Connection) -> str | None:
    if not connection.dialect.has_table(connection, "alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
