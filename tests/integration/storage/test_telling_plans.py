"""What the messenger and the clockwork ask every second is found by an index, however much waits."""

import apsw
import pytest

from acmx.storage import migrations

pytestmark = pytest.mark.sqlite

QUERIES = {
    "SELECT * FROM exchange WHERE state = 'pending' AND remind_at <= 1 ORDER BY remind_at LIMIT 50": (
        "exchange_to_remind"
    ),
    "SELECT * FROM outbox WHERE gave_up_at IS NULL AND give_up_at <= 1 ORDER BY give_up_at LIMIT 50": (
        "outbox_to_give_up"
    ),
    "SELECT MIN(next_attempt_at) FROM telling WHERE channel = 'mail' AND state = 'waiting'": "telling_due",
}


def migrated(upto: int) -> apsw.Connection:
    connection = apsw.Connection(":memory:")
    for migration in migrations.load()[:upto]:
        connection.execute(migration.script)
    return connection


@pytest.mark.parametrize(("query", "index"), QUERIES.items(), ids=QUERIES.values())
def test_the_index_is_used_and_nothing_is_sorted(query: str, index: str) -> None:
    plan = [row[3] for row in migrated(2).execute(f"EXPLAIN QUERY PLAN {query}")]
    assert len(plan) == 1, plan
    assert index in plan[0]


def test_notices_from_before_the_ledger_stay() -> None:
    connection = migrated(1)
    for _ in range(2):
        connection.execute(
            "INSERT INTO notice (at, primary_system, id, event, audience) VALUES (1, 'p', 'x', 'response', 'asker')"
        )
    connection.execute(migrations.load()[1].script)
    assert connection.execute("SELECT COUNT(DISTINCT occurrence) FROM notice").fetchone() == (2,)
