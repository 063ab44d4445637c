"""The database of a server's directory: the file in it, or the PostgreSQL database that its configuration names."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

import apsw

from acmx.config import Config
from acmx.domain.errors import Misconfigured, TemporarilyUnavailable
from acmx.storage import migrations, own_system, schema
from acmx.storage.engine import Store, Tx
from acmx.storage.engines import sqlite_connection
from acmx.storage.engines.sqlite import SqliteStore

DATABASE = "acmx.db"
SEEN = "database-seen"
"""What a server has seen of its PostgreSQL database."""
T = TypeVar("T")


def open_store(directory: Path, config: Config, on_fatal: Callable[[BaseException], None]) -> Store:
    """The store of the MC system that is configured. `on_fatal` is called when an fsync failed.

    Raises UnsafeLibrary; Misconfigured where it is missing, empty, another system's, or has another schema.
    """
    look(directory, config, lambda _: None)
    return _store(directory, config, on_fatal, make=False)


def make_store(directory: Path, config: Config) -> Store:
    """A new store; whose it is has to be kept in it. Raises UnsafeLibrary; Misconfigured where it cannot be made."""
    return _store(directory, config, lambda _: None, make=True)


def _store(
    directory: Path, config: Config, on_fatal: Callable[[BaseException], None], *, make: bool
) -> Store:
    if config.database:
        require_postgres()
        from acmx.storage.engines.postgres import PostgresStore  # noqa: PLC0415

        return PostgresStore.open(
            config.database,
            make=make,
            seen=directory / SEEN,
            require_synchronous=config.require_synchronous,
        )
    return SqliteStore.open(directory / DATABASE, on_fatal=on_fatal, make=make)


@contextmanager
def filling(config: Config) -> Iterator[None]:
    """What goes wrong last while a new PostgreSQL database is filled is told with what is to be done about it."""
    try:
        yield
    except TemporarilyUnavailable as error:
        if not config.database:
            raise
        detail = f"{error.detail} The directory was not made; make the database anew before you repeat this."
        raise TemporarilyUnavailable(detail) from error


def require_postgres() -> None:
    """Raise Misconfigured where the library of the other engine is not installed."""
    if find_spec("psycopg") is None:
        raise Misconfigured("PostgreSQL needs an extra of acmx: pip install 'acmx[postgres]'")


@contextmanager
def snapshot(directory: Path, config: Config) -> Iterator[Tx]:
    """What one commit left, to be read beside a server that runs.

    Raises Misconfigured where it cannot be read, or is not that of the MC system that is configured.
    """
    with _snapshot(directory, config) as tx:
        own_system.require(tx, config.system)
        yield tx


@contextmanager
def _snapshot(directory: Path, config: Config) -> Iterator[Tx]:
    if config.database:
        require_postgres()
        from acmx.storage.engines.postgres_offline import snapshot as opened  # noqa: PLC0415

        with opened(config.database) as tx:
            yield tx
        return
    with read_only(directory / DATABASE) as connection:
        present = sqlite_connection.present(connection)
        schema.require(present, schema.parts(connection), migrations.load())
        connection.execute("BEGIN")
        yield sqlite_connection.SqliteTx(connection)


@contextmanager
def read_only(path: Path) -> Iterator[apsw.Connection]:
    """Raises Misconfigured where the file is missing, and for whatever goes wrong with it inside."""
    sqlite_connection.require_safe_library()
    sqlite_connection.require_file(path)
    try:
        with closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)) as connection:
            connection.set_busy_timeout(sqlite_connection.BUSY_MS)
            yield connection
    except apsw.Error as error:
        raise Misconfigured(f"{path} cannot be read: {error}") from error


def look(directory: Path, config: Config, ask: Callable[[Tx], T]) -> T:
    """Raises Misconfigured."""
    with snapshot(directory, config) as tx:
        return ask(tx)
