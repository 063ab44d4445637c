"""What is measured of a store from outside is what it did."""

import asyncio
from pathlib import Path

import pytest

from acmx.domain.errors import NotFound, TemporarilyUnavailable
from acmx.storage.engine import Tx
from acmx.storage.engines import sqlite_writer
from acmx.storage.engines.sqlite import SqliteStore
from acmx.telemetry.watched_store import WatchedStore
from support.systems.systems import turns

pytestmark = pytest.mark.sqlite


def fail(error: BaseException) -> None:
    raise AssertionError(error)


def refuse(_tx: Tx) -> None:
    raise NotFound("nothing there")


async def test_plans_of_one_commit_are_counted_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_writer, "APPLYING_S", 60)

    plans: list[float] = []
    seconds: list[float] = []
    store = WatchedStore(
        SqliteStore.open(tmp_path / "acmx.db", on_fatal=fail, make=True, batch=16),
        seconds.append,
        plans.append,
    )
    assert await asyncio.gather(*(store.write(lambda _, n=n: n) for n in range(20))) == [*range(20)]
    with pytest.raises(NotFound):
        await store.write(refuse)
    await turns()
    assert plans == [16, 4, 1]
    assert len(seconds) == 21
    assert min(seconds) > 0
    await store.close()
    with pytest.raises(TemporarilyUnavailable):
        await store.write(lambda _: None)
    assert len(seconds) == 21
