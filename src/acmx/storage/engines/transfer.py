"""Every row from one engine to the other: the tables are the same."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import apsw
from psycopg import sql

from acmx.domain.errors import AlreadyThere
from acmx.storage import migrations as shipped
from acmx.storage import schema
from acmx.storage.engines import postgres_schema, sqlite_connection
from acmx.storage.engines.postgres_connection import SNAPSHOT, Connection
from acmx.storage.engines.postgres_offline import connected, writing

_AT_ONCE = 1_000


def to_file(url: str, path: Path) -> None:
    """A new SQLite file with what one commit left in a PostgreSQL database. Raises Misconfigured, apsw.Error."""
    known = shipped.load()
    sqlite_connection.create(path)
    with closing(sqlite_connection.connect(path)) as file, connected(url) as connection:
        version = postgres_schema.present(connection)
        schema.require_own(version, postgres_schema.made(connection), known)
        schema.require_any(version)
        sqlite_connection.migrate(file, shipped.done(version, known))
        file.pragma("foreign_keys", False)
        connection.execute(SNAPSHOT)
        with file:
            for table, columns in _tables(file):
                file.execute(f'DELETE FROM "{table}"')  # noqa: S608
                marks = ", ".join("?" * len(columns))
                file.executemany(f'INSERT INTO "{table}" VALUES ({marks})', _rows(connection, table, columns))  # noqa: S608


def to_postgres(path: Path, url: str) -> None:
    """Fill a PostgreSQL database that has no schema yet from a SQLite file, whole or not at all.

    Raises AlreadyThere, Misconfigured, apsw.Error; TemporarilyUnavailable where it is filled, and the synchronous
    standby has not confirmed it.
    """
    known = shipped.load()
    with (
        closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)) as file,
        writing(url) as connection,
    ):
        if postgres_schema.present(connection):
            raise AlreadyThere("The database holds an ACM server.")
        with connection.transaction():
            postgres_schema.migrate(connection, shipped.done(sqlite_connection.present(file), known))
            for table, columns in _tables(file):
                connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
                _copy(file, connection, table, columns)


def _tables(file: apsw.Connection) -> list[tuple[str, list[str]]]:
    """The tables with their columns; those that others refer to come first."""
    names = [
        str(name)
        for (name,) in file.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY rootpage")
    ]
    return [
        (name, [str(column) for (column,) in file.execute("SELECT name FROM pragma_table_info(?)", (name,))])
        for name in sorted(names, key=lambda name: _depth(file, name))
    ]


def _depth(file: apsw.Connection, table: str) -> int:
    found = file.execute('SELECT DISTINCT "table" FROM pragma_foreign_key_list(?)', (table,))
    return max((1 + _depth(file, str(other)) for (other,) in found.fetchall()), default=0)


def _rows(connection: Connection, table: str, columns: list[str]) -> Iterator[tuple[Any, ...]]:
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    with connection.cursor("rows") as cursor:
        cursor.itersize = _AT_ONCE
        yield from cursor.execute(sql.SQL("SELECT {} FROM {}").format(names, sql.Identifier(table)))


def _copy(file: apsw.Connection, connection: Connection, table: str, columns: list[str]) -> None:
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    into = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), names)
    with connection.cursor() as cursor, cursor.copy(into) as copy:
        for row in file.execute(f'SELECT * FROM "{table}"'):  # noqa: S608
            copy.write_row(row)
    if columns[0] == "serial":
        connection.execute(
            sql.SQL("SELECT setval(pg_get_serial_sequence({}, 'serial'), MAX(serial)) FROM {}").format(
                sql.Literal(table), sql.Identifier(table)
            )
        )
