"""A COMMIT is sent, its answer is lost, and whoever is asked then may have given its id to somebody else."""

import asyncio

import pytest
from bench.postgres_proxy import Fault

from acmx.domain.errors import TemporarilyUnavailable
from estate import estate, keep, kept, store_on, struck, waits_for_the_standby
from systems import FIRE, eventually

pytestmark = [pytest.mark.postgres, pytest.mark.law(1)]
either = pytest.mark.parametrize("pair", ["synchronous", "asynchronous"], indirect=True)


async def _committed_here(pair, k):
    """The answer is held, so the primary is asked itself, or seen to wait for its standby."""
    if pair.synchronous:
        await waits_for_the_standby(pair)
    else:
        await eventually(lambda: k in kept(pair), bool)


@either
def test_a_commit_that_the_promoted_standby_never_got_is_done_again_there_once(pair, tmp_path):
    async def scenario():
        async with store_on(pair, tmp_path) as store:
            assert await store.write(keep(1)) == 1
            pair.hold()
            pair.way.inject(Fault.ANSWER_HELD)
            writing = asyncio.create_task(store.write(keep(2)))
            await struck(pair)
            await _committed_here(pair, 2)
            lost = pair.way
            pair.fail_over()
            assert kept(pair) == [1]
            lost.cut()
            assert await writing == 2
            assert kept(pair) == [1, 2]
            assert await store.write(keep(3)) == 3
            assert kept(pair) == [1, 2, 3]

    asyncio.run(scenario())


@either
def test_a_commit_that_the_promoted_standby_has_is_not_done_twice(pair, tmp_path):
    async def scenario():
        async with store_on(pair, tmp_path) as store:
            assert await store.write(keep(1)) == 1
            pair.way.inject(Fault.ANSWER_HELD)
            writing = asyncio.create_task(store.write(keep(2)))
            await struck(pair)
            await eventually(lambda: 2 in kept(pair), bool)
            pair.caught_up()
            lost = pair.way
            pair.fail_over()
            lost.cut()
            assert await writing == 2
            assert kept(pair) == [1, 2]

    asyncio.run(scenario())


@pytest.mark.parametrize("pair", ["asynchronous"], indirect=True)
def test_nothing_is_acknowledged_where_what_was_acknowledged_before_is_gone(pair, tmp_path):
    async def scenario():
        async with store_on(pair, tmp_path) as store:
            assert await store.write(keep(1)) == 1
            pair.hold()
            assert await store.write(keep(2)) == 2
            pair.way.inject(Fault.ANSWER_HELD)
            writing = asyncio.create_task(store.write(keep(3)))
            await struck(pair)
            await _committed_here(pair, 3)
            lost = pair.way
            pair.fail_over()
            lost.cut()
            with pytest.raises(TemporarilyUnavailable):
                await writing
            assert kept(pair) == [1]
            assert await store.write(keep(4)) == 4
            assert kept(pair) == [1, 4]

    asyncio.run(scenario())


def test_a_commit_that_a_crash_undid_is_done_again_though_its_id_is_another_s(pair, tmp_path):
    async def scenario():
        async with store_on(pair, tmp_path) as store:
            assert await store.write(keep(1)) == 1
            pair.way.inject(Fault.COMMIT_HELD)
            writing = asyncio.create_task(store.write(keep(2)))
            await struck(pair)
            pair.crash_and_restart()
            pair.way.cut()
            assert await writing == 2
            assert kept(pair) == [1, 2]

    asyncio.run(scenario())


@either
def test_a_client_is_told_of_no_exchange_that_a_failover_has_taken_back(pair, tmp_path):
    async def scenario():
        async with estate(pair, tmp_path) as (police, fire):
            pair.hold()
            pair.way.inject(Fault.ANSWER_HELD, about=b"this key")
            submitting = asyncio.create_task(police.submit("this key"))
            await struck(pair)
            await eventually(
                lambda: (
                    pair.primary.writer_waits()
                    or pair.primary.ask("SELECT 1 FROM idempotency WHERE idempotency_key = 'this key'")
                ),
                bool,
            )
            lost = pair.way
            pair.fail_over()
            lost.cut()
            status, answer = await submitting
            assert status in (201, 503), answer
            status, again = await police.submit("this key")
            assert status in (200, 201), again
            if "id" in answer:
                assert answer["id"] == again["id"]
            assert (await police.done("GET", f"/requests/{again['id']}"))["partner"] == FIRE
            assert pair.primary.ask("SELECT count(*) FROM exchange") == [(1,)]
            await police.reaches(again["id"], "stored")
            await fire.reaches(again["id"], "pending")

    asyncio.run(scenario())
