"""Connections to PostgreSQL: how they are opened and spoken to.

The statements are those of SQLite, with `:name` for a parameter and x'00' for bytes; they are translated here.
"""

import re
from collections.abc import Callable, Hashable, Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any, Final, cast

import psycopg
from psycopg import RawCursor
from psycopg.adapt import AdaptersMap
from psycopg.conninfo import conninfo_attempts, conninfo_to_dict, make_conninfo
from psycopg.types.numeric import Int8Dumper
from psycopg.types.string import StrDumper

from acmx.domain.errors import Misconfigured
from acmx.storage.engine import NO_PARAMS
from acmx.storage.engines.postgres_troubles import FormerPrimary

OLDEST: Final = 150_000
SNAPSHOT: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
Connection = psycopg.Connection[tuple[Any, ...]]

_USUAL: Final = {
    "application_name": "acmx",
    "connect_timeout": "3",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "15000",
    "target_session_attrs": "read-write",
}
LOCK_MS: Final = 5_000
_SETTINGS: Final = (
    "SET statement_timeout = '30s'; SET idle_in_transaction_session_timeout = '30s'; "
    "SET client_min_messages = warning; "
    "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
)
_TOKEN: Final = re.compile(r"--[^\n]*|\bx'([0-9a-fA-F]*)'|'(?:[^']|'')*'|::|:([a-z_][a-z_0-9]*)")


class _Bit(Int8Dumper):
    """True and False are 1 and 0, as in SQLite."""

    def dump(self, obj: Any) -> Any:
        return super().dump(int(obj))


_ADAPTERS: Final = AdaptersMap(psycopg.adapters)
for _type, _dumper in ((str, StrDumper), (int, Int8Dumper), (bool, _Bit)):
    _ADAPTERS.register_dumper(_type, _dumper)


class PostgresTx:
    """`Tx` on one PostgreSQL connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.signals: set[Hashable] = set()

    def execute(self, sql: str, params: Mapping[str, object] = NO_PARAMS) -> int:
        return self._query(sql, params).rowcount

    def row(self, sql: str, params: Mapping[str, object] = NO_PARAMS) -> tuple[Any, ...] | None:
        return self._query(sql, params).fetchone()

    def rows(self, sql: str, params: Mapping[str, object] = NO_PARAMS) -> list[tuple[Any, ...]]:
        return self._query(sql, params).fetchall()

    def signal(self, signal: Hashable) -> None:
        self.signals.add(signal)

    def _query(self, sql: str, params: Mapping[str, object]) -> psycopg.Cursor[tuple[Any, ...]]:
        text, names = translated(sql)
        return self._connection.execute(cast("Any", text), [params[name] for name in names])


@lru_cache(1024)
def translated(sql: str) -> tuple[bytes, tuple[str, ...]]:
    """The statement with $1, $2 ... for its parameters, and their names in that order."""
    names: dict[str, int] = {}

    def replace(token: re.Match[str]) -> str:
        if (blob := token[1]) is not None:
            return f"'\\x{blob}'::bytea"
        if (name := token[2]) is None:
            return token[0]
        return f"${names.setdefault(name, len(names) + 1)}"

    text = _TOKEN.sub(replace, sql)
    return text.encode(), tuple(names)


def places(url: str, **given: str) -> list[str]:
    """Each host of the URL with what is given, and what is usual here where nothing else was chosen.

    Raises psycopg.Error where no name is known.
    """
    chosen = conninfo_to_dict(url)
    return [make_conninfo("", **place) for place in conninfo_attempts(_USUAL | chosen | given)]


def connect(url: str, accept: Callable[[Connection], None] = lambda _: None, **given: str) -> Connection:
    """A connection that is durable when it says so, to the first host of the URL whose server is accepted.

    Raises psycopg.Error, that of a server that was not accepted (FormerPrimary) rather than of one that is away;
    Misconfigured where it cannot be durable.
    """
    refusals: list[psycopg.OperationalError] = []
    for place in places(url, **given):
        try:
            return _connect(place, accept)
        except psycopg.OperationalError as error:
            refusals.append(error)
    raise most_telling(refusals)


def most_telling(refusals: list[psycopg.OperationalError]) -> psycopg.OperationalError:
    """Of several hosts."""
    former = [error for error in refusals if isinstance(error, FormerPrimary)]
    if len(found := former or refusals) == 1:
        return found[0]
    return type(found[0])("; ".join(map(str, found)))


def host_of(connection: psycopg.BaseConnection[Any]) -> str:
    """With its port, for people."""
    return f"{connection.info.host}:{connection.info.port}"


def _connect(place: str, accept: Callable[[Connection], None]) -> Connection:
    connection = psycopg.connect(place, autocommit=True, context=_ADAPTERS, cursor_factory=RawCursor)
    try:
        if connection.info.server_version < OLDEST:
            raise Misconfigured(
                f"PostgreSQL 15 or later is needed, this is {connection.info.server_version // 10_000}."
            )
        if connection.info.parameter_status("server_encoding") != "UTF8":
            raise Misconfigured("The database must have the encoding UTF8.")
        connection.execute(f"{_SETTINGS}; SET lock_timeout = {LOCK_MS}")
        accept(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def close(connection: Connection) -> None:
    """Whatever state it is in."""
    with suppress(psycopg.Error):
        connection.close()
