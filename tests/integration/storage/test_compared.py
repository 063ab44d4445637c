"""What a comparison reads: the right exchanges in the right order, and no more of the others than it must."""

from typing import Any

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acmx.domain.exchange import State
from acmx.storage import migrations
from acmx.storage.engine import NO_PARAMS
from acmx.storage.engines.sqlite_connection import SqliteTx
from acmx.storage.exchange import compared, exchanges
from acmx.storage.exchange.exchanges import Exchange

pytestmark = pytest.mark.sqlite

UNTOLD = (State.AWAITING_RELEASE, State.QUEUED, State.REFUSED_HERE, State.REFUSED_BY_PARTNER)


def opened() -> apsw.Connection:
    connection = apsw.Connection(":memory:")
    for migration in migrations.load():
        connection.execute(migration.script)
    return connection


def exchange(primary: str, n: int, partner: str, state: State, ended_at: int | None) -> Exchange:
    fields: dict[str, Any] = dict.fromkeys(
        Exchange.__struct_fields__[: -len(Exchange.__struct_defaults__)], 0
    )
    texts = {
        "role": "primary",
        "kind": "k",
        "asker": "a",
        "addressee": None,
        "urgency": "normal",
        "purpose": "p",
    }
    known = {"serial": None, "primary_system": primary, "id": f"{n:03}", "partner": partner, "state": state}
    return Exchange(**fields | texts | known | {"reference": None, "ended_at": ended_at})


EXCHANGES = st.lists(
    st.builds(
        exchange,
        st.sampled_from(("a", "b")),
        st.integers(0, 40),
        st.sampled_from(("p", "q")),
        st.sampled_from((State.STORED, State.ANSWERED, *UNTOLD)),
        st.none() | st.integers(0, 9),
    ),
    unique_by=lambda one: (one.primary_system, one.id),
    max_size=25,
)
KEYS = st.tuples(st.sampled_from(("", "a", "b")), st.sampled_from(("", "010", "020")))


@given(EXCHANGES, st.integers(0, 9), KEYS, st.none() | KEYS, st.integers(1, 30), st.sampled_from((0, 2, 100)))
def test_a_page_is_what_both_have_to_know_of(
    stored: list[Exchange], since: int, after: compared.Key, upto: compared.Key | None, limit: int, few: int
) -> None:
    tx = SqliteTx(opened())
    for one in stored:
        assert exchanges.insert(tx, one)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compared, "FEW", few)
        found = compared.page(tx, "p", since=since, after=after, upto=upto, limit=limit)
    keys = sorted(
        (one.primary_system, one.id)
        for one in stored
        if one.partner == "p" and one.state not in UNTOLD and (one.ended_at is None or one.ended_at > since)
    )
    expected = [key for key in keys if key > after and (upto is None or key <= upto)][:limit]
    assert [(one.primary_system, one.id) for one in found] == expected


class Recording(SqliteTx):
    """Keeps what it was asked, but for whole exchanges by their keys."""

    def __init__(self, connection: apsw.Connection) -> None:
        super().__init__(connection)
        self.asked: list[tuple[str, Any]] = []

    def rows(self, sql: str, params: Any = NO_PARAMS) -> list[tuple[Any, ...]]:
        self.asked.append((sql, params))
        return super().rows(sql, params)


@pytest.mark.parametrize("analysed", [False, True])
@pytest.mark.parametrize(
    ("few", "indexes"),
    [
        (300, ["exchange_ended_since (partner=? AND ended_at>?)", "exchange_open_with"]),
        (
            100,
            ["exchange_ended_since (partner=? AND ended_at>?)", "exchange_ended_with", "exchange_open_with"],
        ),
    ],
)
def test_what_ended_before_is_not_looked_at(
    few: int, indexes: list[str], analysed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At a million of them each page took seconds, and nothing else was done meanwhile."""
    connection = opened()
    tx = Recording(connection)
    for n in range(2000):
        ended_at = None if n % 10 == 0 else 100 if n % 10 == 1 else 1
        exchanges.insert(tx, exchange("a", n, "p", State.ANSWERED, ended_at))
    if analysed:
        connection.execute("ANALYZE")
    monkeypatch.setattr(compared, "FEW", few)
    assert len(compared.page(tx, "p", since=50, after=("", ""), upto=None, limit=20)) == 20
    steps = [
        [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", dict(params))]
        for sql, params in tx.asked
    ]
    assert len(steps) == len(indexes)
    for (step,), index in zip(steps, indexes, strict=True):
        assert f"USING COVERING INDEX {index}" in step
