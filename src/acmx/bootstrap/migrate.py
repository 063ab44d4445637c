"""`acmx migrate`: the schema of a server's database, brought up to date while the server does not run."""

from contextlib import closing
from pathlib import Path

import apsw

from acmx import config
from acmx.bootstrap.database import DATABASE, read_only, require_postgres
from acmx.bootstrap.lock import hold
from acmx.bootstrap.new_directory import CONFIG
from acmx.domain.errors import Misconfigured
from acmx.storage import migrations, own_system, schema
from acmx.storage.engines import sqlite_connection
from acmx.storage.engines.sqlite_connection import SqliteTx


def migrate(directory: Path) -> tuple[int, int]:
    """The versions of the schema before and after. A database that does not say whose it is becomes this system's.

    Raises DirectoryInUse, UnsafeLibrary; Misconfigured where it is missing, empty, another system's or application's,
    or has a schema that cannot be brought up: nothing of it is changed then;
    TemporarilyUnavailable where it is done, and the synchronous standby has not confirmed it.
    """
    chosen = config.read(directory / CONFIG)
    known = migrations.load()
    with hold(directory):
        if not chosen.database:
            return _in_file(directory / DATABASE, known, chosen.system), known[-1].number
        return _in_postgres(chosen.database, known, chosen.system), known[-1].number


def _in_file(path: Path, known: list[migrations.Migration], system: str) -> int:
    with read_only(path) as connection:
        before, there = sqlite_connection.present(connection), schema.parts(connection)
        schema.require_whole(before, there, known)
        schema.require_any(before)
        own_system.require_no_other(SqliteTx(connection), there, system)
    try:
        with closing(sqlite_connection.connect(path)) as connection:
            sqlite_connection.migrate(connection, known)
            schema.require(sqlite_connection.present(connection), schema.parts(connection), known)
            with connection:
                own_system.keep(SqliteTx(connection), system)
    except apsw.Error as error:
        raise Misconfigured(f"{path} cannot be migrated: {error}") from error
    return before


def _in_postgres(url: str, known: list[migrations.Migration], system: str) -> int:
    require_postgres()
    from acmx.storage.engines import postgres_offline, postgres_schema  # noqa: PLC0415
    from acmx.storage.engines.postgres_connection import PostgresTx  # noqa: PLC0415

    with postgres_offline.writing(url) as connection:
        before = postgres_schema.present(connection)
        schema.require_whole(before, postgres_schema.made(connection), known)
        schema.require_any(before)
        own_system.require_no_other(PostgresTx(connection), postgres_schema.parts(connection), system)
        postgres_offline.migrate(url, known)
        own_system.keep(PostgresTx(connection), system)
    return before
