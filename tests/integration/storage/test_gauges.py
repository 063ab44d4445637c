"""What Prometheus asks every few seconds is found by an index, and stops counting, however much there is."""

from collections.abc import Mapping
from typing import Any

import apsw
import pytest

from acmx.storage import gauges, migrations
from acmx.storage.engine import NO_PARAMS
from acmx.storage.engines.sqlite_connection import SqliteTx

pytestmark = pytest.mark.sqlite

BIG = ("outbox", "exchange", "journal")


class Recording(SqliteTx):
    """Keeps what it was asked."""

    asked: list[tuple[str, Mapping[str, object]]]

    def row(self, sql: str, params: Mapping[str, object] = NO_PARAMS) -> tuple[Any, ...] | None:
        self.asked.append((sql, params))
        return super().row(sql, params)


@pytest.fixture
def connection() -> apsw.Connection:
    found = apsw.Connection(":memory:")
    for migration in migrations.load():
        found.execute(migration.script)
    return found


def put(connection: apsw.Connection, n: int, **changes: object) -> None:
    values = {"partner": "p", "primary_system": "s", "id": str(n), "n": 1, "type": "request", "queued_at": n}
    values |= {"next_attempt_at": n, "give_up_at": 9_999_999} | changes
    names = ", ".join(values)
    connection.execute(
        f"INSERT INTO outbox ({names}) VALUES ({', '.join('?' * len(values))})", tuple(values.values())
    )


def test_every_query_goes_by_an_index_and_sorts_nothing(connection: apsw.Connection) -> None:
    tx = Recording(connection)
    tx.asked = []
    gauges.waiting(tx, "p")
    gauges.pending(tx)
    gauges.journal(tx)
    assert len(tx.asked) == 6
    for sql, params in tx.asked:
        steps = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", dict(params))]
        for step in steps:
            assert step.split()[:2] not in [["SCAN", table] for table in BIG], (sql, steps)
            assert "TEMP B-TREE" not in step, (sql, steps)


def test_the_oldest_that_is_still_sent(connection: apsw.Connection) -> None:
    put(connection, 5, gave_up_at=7)
    put(connection, 6, next_attempt_at=100)
    put(connection, 8)
    put(connection, 9, partner="q")
    assert gauges.waiting(SqliteTx(connection), "p") == gauges.Waiting(3, 1, 6)
    assert gauges.waiting(SqliteTx(connection), "r") == gauges.Waiting(0, 0, None)


def test_counting_ends(connection: apsw.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gauges, "MOST", 3)
    for n in range(5):
        put(connection, n)
        connection.execute("INSERT INTO journal (at, event, actor, detail) VALUES (1, 'e', 'a', '{}')")
    assert gauges.waiting(SqliteTx(connection), "p") == gauges.Waiting(3, 0, 0)
    assert gauges.journal(SqliteTx(connection)) == gauges.Journal(3, 3, 1)
