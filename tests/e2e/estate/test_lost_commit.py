"""A COMMIT is sent, its answer is lost, and whoever is asked then may have given its id to somebody else."""

import asyncio

import pytest

from acmx.domain.errors import TemporarilyUnavailable
from support.systems.estate import (
    comes,
    committed_without_the_standby,
    estate,
    hold_back,
    keep,
    kept,
    store_on,
)
from support.systems.systems import eventually

pytestmark = [pytest.mark.postgres, pytest.mark.law(1)]
either = pytest.mark.parametrize("pair", ["synchronous", "asynchronous"], indirect=True)
lagging = pytest.mark.parametrize("pair", ["asynchronous"], indirect=True)


@either
async def test_a_commit_that_the_promoted_standby_never_got_is_done_again_there_once(pair, tmp_path):
    async with store_on(pair, tmp_path) as store:
        assert await store.write(keep(1)) == 1
        way = hold_back(pair)
        writing = asyncio.create_task(store.write(keep(2)))
        await comes(way)
        await committed_without_the_standby(pair, way)
        pair.fail_over()
        assert kept(pair) == [1]
        way.cut()
        assert await writing == 2
        assert kept(pair) == [1, 2]
        assert await store.write(keep(3)) == 3
        assert kept(pair) == [1, 2, 3]


@either
async def test_a_commit_that_the_promoted_standby_has_is_not_done_twice(pair, tmp_path):
    async with store_on(pair, tmp_path) as store:
        assert await store.write(keep(1)) == 1
        way = hold_back(pair)
        writing = asyncio.create_task(store.write(keep(2)))
        await comes(way)
        way.hand_on()
        await eventually(way.answered.is_set, bool)
        pair.caught_up()
        pair.fail_over()
        assert kept(pair) == [1, 2]
        way.cut()
        assert await writing == 2
        assert kept(pair) == [1, 2]


@lagging
async def test_nothing_is_acknowledged_where_what_was_acknowledged_before_is_gone(pair, tmp_path):
    async with store_on(pair, tmp_path) as store:
        assert await store.write(keep(1)) == 1
        pair.hold()
        assert await store.write(keep(2)) == 2
        way = hold_back(pair)
        writing = asyncio.create_task(store.write(keep(3)))
        await comes(way)
        way.hand_on()
        await eventually(way.answered.is_set, bool)
        pair.fail_over()
        way.cut()
        with pytest.raises(TemporarilyUnavailable):
            await writing
        assert kept(pair) == [1]
        assert await eventually(lambda: _written(store, 4), bool)
        assert kept(pair) == [1, 4]


async def _written(store, k):
    try:
        return await store.write(keep(k))
    except TemporarilyUnavailable:
        return None


async def test_a_commit_that_a_crash_undid_is_done_again_though_its_id_is_another_s(pair, tmp_path):
    async with store_on(pair, tmp_path) as store:
        assert await store.write(keep(1)) == 1
        way = hold_back(pair)
        writing = asyncio.create_task(store.write(keep(2)))
        await comes(way)
        pair.crash_and_restart()
        way.cut()
        assert await writing == 2
        assert kept(pair) == [1, 2]


@either
async def test_a_client_is_told_of_no_exchange_that_a_failover_has_taken_back(pair, tmp_path):
    async with estate(pair, tmp_path) as (police, fire):
        way = hold_back(pair, b"this key")
        submitting = asyncio.create_task(police.submit("this key"))
        await comes(way)
        await committed_without_the_standby(pair, way)
        pair.fail_over()
        assert pair.primary.ask("SELECT 1 FROM exchange") == []
        way.cut()
        status, answer = await submitting
        assert status in (201, 503), answer
        status, again = await eventually(
            lambda: police.submit("this key"), lambda said: said[0] in (200, 201)
        )
        if "id" in answer:
            assert answer["id"] == again["id"]
        assert pair.primary.ask("SELECT id FROM exchange") == [(again["id"],)]
        await police.reaches(again["id"], "stored")
        await fire.reaches(again["id"], "pending")
