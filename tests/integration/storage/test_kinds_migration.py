"""Partners that were accepted while no terms meant every kind keep the kinds that there were, and no others get any."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from acmx.storage.engines import sqlite_connection
from acmx.storage.migrations import load
from support.systems import engines

KINDS = "server-identity server-identity-provision"
BEFORE = next(m.number for m in load() if "ADD COLUMN addressee_alias" in m.script) - 1
STATES = {
    "accepted.example": "accepted",
    "limited.example": "accepted",
    "named.example": "accepted",
    "suspended.example": "suspended",
    "offered.example": "offered",
    "removed.example": "removed",
}
ROWS = [
    *(
        "INSERT INTO partner (id, name, state_here, state_there, stated_at, metadata, metadata_digest, failures) "
        f"VALUES ('{id_}', '', '{state}', 'accepted', 0, x'00', '', 0)"
        for id_, state in STATES.items()
    ),
    "INSERT INTO terms VALUES ('limited.example', '', 'requester', 1, 2, 3, 'agreement', 1)",
    "INSERT INTO terms VALUES ('named.example', 'server-identity', '', 1, 2, 3, '', 0)",
    "INSERT INTO terms VALUES ('offered.example', '', '', 1, 2, 3, '', 0)",
]
AFTER = [
    ("accepted.example", KINDS, "", 1000, 10_000, 3600, "", 0),
    ("limited.example", KINDS, "requester", 1, 2, 3, "agreement", 1),
    ("named.example", "server-identity", "", 1, 2, 3, "", 0),
    ("offered.example", "", "", 1, 2, 3, "", 0),
    ("suspended.example", KINDS, "", 1000, 10_000, 3600, "", 0),
]


def migrated(run: Callable[[str], Any], migrate: Callable[[], Any]) -> list[Any]:
    for row in ROWS:
        run(row)
    migrate()
    return list(run("SELECT * FROM terms ORDER BY partner").fetchall())


@pytest.mark.sqlite
@pytest.mark.law(10)
def test_every_partner_keeps_what_was_exchanged_with_it_on_sqlite(tmp_path: Path) -> None:
    sqlite_connection.create(tmp_path / "acmx.db")
    connection = sqlite_connection.connect(tmp_path / "acmx.db")
    sqlite_connection.migrate(connection, [m for m in load() if m.number <= BEFORE])
    assert migrated(connection.execute, lambda: sqlite_connection.migrate(connection, load())) == AFTER
    connection.close()


@pytest.mark.postgres
@pytest.mark.law(10)
def test_every_partner_keeps_what_was_exchanged_with_it_on_postgresql() -> None:
    from acmx.storage.engines import postgres_offline, postgres_schema

    url = engines.make()
    postgres_offline.migrate(url, [m for m in load() if m.number <= BEFORE])
    with postgres_offline.connected(url) as connection:
        connection.autocommit = True

        def run(sql: str) -> Any:
            return connection.execute(sql.replace("x'00'", r"'\x00'"))  # type: ignore[arg-type]

        assert migrated(run, lambda: postgres_schema.migrate(connection, load())) == AFTER
    engines.drop(url)
