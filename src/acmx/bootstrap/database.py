"""The database of a server's directory: the file in it, or the PostgreSQL database that its configuration names."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

import apsw

from acmx.config import Config
from acmx.domain.errors import Misconfigured
from acmx.storage import migrations, sqlite_connection
from acmx.storage.engine import Store, Tx
from acmx.storage.migrations import require_known
from acmx.storage.sqlite import SqliteStore

DATABASE = "acmx.db"
SEEN = "database-seen"
"""What a server has seen of its PostgreSQL database."""
T = TypeVar("T")


def open_store(directory: Path, config: Config, on_fatal: Callable[[BaseException], None]) -> Store:
    """The store, whose schema is made where there is none. `on_fatal` is called when an fsync failed.

    Raises UnsafeLibrary; Misconfigured where it cannot be reached, or has another schema.
    """
    if config.database:
        require_postgres()
        from acmx.storage.postgres import PostgresStore  # noqa: PLC0415

        return PostgresStore.open(
            config.database, seen=directory / SEEN, require_synchronous=config.require_synchronous
        )
    return SqliteStore.open(directory / DATABASE, on_fatal=on_fatal)


def require_postgres() -> None:
    """Raise Misconfigured where the library of the other engine is not installed."""
    if find_spec("psycopg") is None:
        raise Misconfigured("PostgreSQL needs an extra of acmx: pip install 'acmx[postgres]'")


@contextmanager
def snapshot(directory: Path, config: Config) -> Iterator[Tx]:
    """What one commit left, to be read beside a server that runs. Raises Misconfigured."""
    if config.database:
        require_postgres()
        from acmx.storage.postgres_offline import snapshot as opened  # noqa: PLC0415

        with opened(config.database) as tx:
            yield tx
        return
    path = directory / DATABASE
    sqlite_connection.require_safe_library()
    try:
        with closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)) as connection:
            connection.set_busy_timeout(sqlite_connection.BUSY_MS)
            require_known(sqlite_connection.present(connection), migrations.load())
            connection.execute("BEGIN")
            yield sqlite_connection.SqliteTx(connection)
    except apsw.Error as error:
        raise Misconfigured(f"{path} cannot be read: {error}") from error


def look(directory: Path, config: Config, ask: Callable[[Tx], T]) -> T:
    """Raises Misconfigured."""
    with snapshot(directory, config) as tx:
        return ask(tx)
