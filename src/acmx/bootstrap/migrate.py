"""`acmx migrate`: the schema of a server's database, brought up to date while the server does not run."""

from contextlib import closing
from pathlib import Path

import apsw

from acmx import config
from acmx.bootstrap.database import DATABASE, require_postgres
from acmx.bootstrap.lock import hold
from acmx.bootstrap.new_directory import CONFIG
from acmx.domain.errors import Misconfigured
from acmx.storage import migrations, sqlite_connection


def migrate(directory: Path) -> tuple[int, int]:
    """The versions of the schema before and after. Raises DirectoryInUse, UnsafeLibrary, Misconfigured."""
    url = config.read(directory / CONFIG).database
    known = migrations.load()
    with hold(directory):
        if not url:
            return _in_file(directory / DATABASE, known), len(known)
        require_postgres()
        from acmx.storage import postgres_offline  # noqa: PLC0415

        return postgres_offline.migrate(url, known), len(known)


def _in_file(path: Path, known: list[migrations.Migration]) -> int:
    sqlite_connection.require_safe_library()
    try:
        with closing(sqlite_connection.connect(path)) as connection:
            before = sqlite_connection.present(connection)
            sqlite_connection.migrate(connection, known)
            migrations.require_known(sqlite_connection.present(connection), known)
    except apsw.Error as error:
        raise Misconfigured(f"{path} cannot be migrated: {error}") from error
    return before
