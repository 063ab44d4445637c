"""As many stored exchanges as one likes: copies of one that went the whole way, with its messages and journal."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from bench.systems import give_up

from acmx import config
from acmx.bootstrap.own import own
from acmx.flows.evidence import seal
from acmx.flows.house import House
from acmx.storage.engines.sqlite import SqliteStore
from acmx.storage.engines.sqlite_connection import connect

OF_EXCHANGE = ("message", "journal", "noted", "notice")
GENERATED = ("serial", "number", "hash")
AT_ONCE = 20_000


def fill(directory: Path, exchange: str, count: int) -> None:
    """Store `count` exchanges more in the database of a system that does not run. Their grants have ended."""
    with closing(connect(directory / "acmx.db")) as connection:
        for begin in range(0, count, AT_ONCE):
            connection.execute("BEGIN")
            for table in ("exchange", *OF_EXCHANGE):
                named = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
                columns = [name for name in named if name not in GENERATED]
                values = ", ".join(
                    _VALUES.get((table, column), _VALUES.get(column, column)) for column in columns
                )
                connection.execute(
                    "WITH RECURSIVE more(copy) AS "
                    "(SELECT :begin UNION ALL SELECT copy + 1 FROM more WHERE copy < :end) "
                    f"INSERT INTO {table} ({', '.join(columns)}) "
                    f"SELECT {values} FROM more, (SELECT * FROM {table} WHERE id = :exchange)",
                    {"begin": begin, "end": min(begin + AT_ONCE, count) - 1, "exchange": exchange},
                )
            connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("ANALYZE")


async def seal_all(directory: Path) -> None:
    """The copied rows of the journal too."""
    given = config.read(directory / "config.toml")
    house = House(given.system, given.realms, lambda: datetime.now(UTC))
    store = SqliteStore.open(directory / "acmx.db", on_fatal=give_up)
    await seal.seal(house, store, own(directory, given))
    await store.close()


_VALUES: dict[str | tuple[str, str], str] = {
    "id": "printf('01900000-0000-7000-8000-%012x', copy)",
    ("exchange", "grant_state"): "'ended'",
    ("exchange", "due_at"): "NULL",
    ("exchange", "ended_at"): "created_at - 86400000 * 400",
}
