"""What the messenger and the clockwork ask every second is found by an index, however much waits."""

from contextlib import closing

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


@pytest.mark.parametrize(("query", "index"), QUERIES.items(), ids=QUERIES.values())
def test_the_index_is_used_and_nothing_is_sorted(query: str, index: str) -> None:
    with closing(apsw.Connection(":memory:")) as connection:
        for migration in migrations.load():
            connection.execute(migration.script)
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}")]
    assert len(plan) == 1, plan
    assert index in plan[0]
