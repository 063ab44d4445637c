"""A PostgreSQL database as the commands on a server's directory use it, whether servers run on it or not."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

import psycopg
from psycopg.errors import Diagnostic

from acmx.domain.errors import Misconfigured, TemporarilyUnavailable
from acmx.storage import migrations as shipped
from acmx.storage.engines import postgres_schema as schema
from acmx.storage.engines.postgres_connection import SNAPSHOT, Connection, PostgresTx, close, connect
from acmx.storage.engines.troubles import NOT_CONFIRMED
from acmx.storage.migrations import Migration


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """Raises Misconfigured, also for whatever goes wrong with the connection inside."""
    try:
        connection = connect(url)
        try:
            yield connection
        finally:
            close(connection)
    except psycopg.Error as error:
        raise Misconfigured(f"the database: {error}") from error


@contextmanager
def writing(url: str) -> Iterator[Connection]:
    """As `connected`.

    Raises TemporarilyUnavailable where the wait for the synchronous standby was broken off: PostgreSQL says that in a
    mere warning.
    """
    warnings: list[str] = []
    try:
        with connected(url) as connection:
            connection.add_notice_handler(partial(_keep_warning, warnings))
            yield connection
    except Misconfigured:
        if not warnings:
            raise
    if warnings:
        raise TemporarilyUnavailable(f"{NOT_CONFIRMED} PostgreSQL says: {warnings[-1]}.")


def _keep_warning(warnings: list[str], notice: Diagnostic) -> None:
    if notice.severity_nonlocalized == "WARNING":
        warnings.append(notice.message_primary or "WARNING")


@contextmanager
def snapshot(url: str) -> Iterator[PostgresTx]:
    """What one commit left. Raises Misconfigured."""
    with connected(url) as connection:
        schema.require(connection, shipped.load())
        connection.execute(SNAPSHOT)
        yield PostgresTx(connection)


def migrate(url: str, migrations: Sequence[Migration]) -> int:
    """Bring the schema up to date; its version before. Raises Misconfigured."""
    with writing(url) as connection:
        before = schema.present(connection)
        schema.migrate(connection, migrations)
        schema.require(connection, migrations)
    return before


def make_schema(url: str, migrations: Sequence[Migration]) -> None:
    """Unless there is one. Raises Misconfigured, TemporarilyUnavailable."""
    with writing(url) as connection:
        if schema.present(connection) == 0:
            schema.migrate(connection, migrations)


class Facts(NamedTuple):
    """What an operator should know. `risky`: settings of the server with which a commit may be lost.

    `standbys`: those that a COMMIT waits for, as PostgreSQL names them; "" for none.
    """

    version: str
    risky: list[str]
    standbys: str


def facts(connection: Connection) -> Facts:
    risky = connection.execute(
        "SELECT name || ' = ' || setting FROM pg_settings "
        "WHERE name IN ('fsync', 'full_page_writes') AND setting = 'off' ORDER BY name"
    ).fetchall()
    row = connection.execute(
        "SELECT CASE WHEN current_setting('synchronous_commit') IN ('off', 'local') THEN '' "
        "ELSE current_setting('synchronous_standby_names') END"
    ).fetchone()
    version = connection.info.parameter_status("server_version") or ""
    return Facts(version, [setting for (setting,) in risky], row[0] if row else "")
