"""The writer on a real file: who is told what, and when."""

import asyncio
import tempfile
from itertools import chain, islice

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acmx.domain.errors import OutcomeStands, TemporarilyUnavailable
from acmx.storage.engines import group_commit
from support.systems.plans import insert, keys, together
from support.systems.systems import turns

pytestmark = pytest.mark.sqlite

ORPHAN = 404


def insert_and_refuse(k):
    def act(tx):
        insert(k)(tx)
        raise OutcomeStands(str(k))

    return act


def insert_and_rollback(k):
    def act(tx):
        insert(k)(tx)
        tx.execute("ROLLBACK")

    return act


def insert_orphan(k):
    return insert(k, parent=ORPHAN)


@pytest.mark.law(1)
async def test_a_plan_is_acknowledged_and_seen_only_after_its_fsync_while_the_loop_goes_on(
    tmp_path, disk, opened
):
    async with opened(tmp_path) as store:
        disk.hold()
        writing = asyncio.create_task(store.write(insert(1)))
        await disk.is_reached()
        assert await store.read(keys) == set()
        assert not writing.done()
        disk.free.set()
        assert await writing == 1
        assert await store.read(keys) == {1}


@pytest.mark.law(1)
async def test_a_refusal_waits_for_the_commit_of_what_it_rests_on(tmp_path, disk, opened):
    def refuse_if_taken(tx):
        if tx.row("SELECT 1 FROM entry WHERE k = 1"):
            raise OutcomeStands

    async with opened(tmp_path) as store:
        disk.hold()
        writing = together(store, insert(1), refuse_if_taken)
        await disk.is_reached()
        assert not writing.done()
        disk.failing_write = apsw.SQLITE_FULL
        disk.failing_sync = apsw.SQLITE_FULL
        disk.free.set()
        first, second = await writing
        assert isinstance(first, TemporarilyUnavailable)
        assert second is None, "what the refusal rested on has never happened"
        disk.failing_write = None


async def test_what_arrives_during_a_commit_is_the_next_batch(tmp_path, disk, commits, opened):
    async with opened(tmp_path) as store:
        commits.clear()
        disk.hold()
        first = asyncio.create_task(store.write(insert(0)))
        await disk.is_reached()
        rest = together(store, *map(insert, range(1, 41)))
        await turns()
        disk.free.set()
        assert await first == 0
        assert await rest == list(range(1, 41))
        assert len(commits) == 2


async def test_a_batch_has_at_most_64_plans(tmp_path, commits, opened):
    async with opened(tmp_path) as store:
        commits.clear()
        await together(store, *map(insert, range(129)))
        assert len(commits) == 3


async def test_a_batch_ends_after_five_milliseconds_of_applying(tmp_path, commits, monkeypatch, opened):
    now = 0.0
    monkeypatch.setattr(group_commit, "perf_counter", lambda: now)

    def slow(k):
        def act(tx):
            nonlocal now
            now += 0.003
            return insert(k)(tx)

        return act

    async with opened(tmp_path) as store:
        commits.clear()
        assert await together(store, *map(slow, range(6))) == list(range(6))
        assert len(commits) == 3


async def test_one_plan_a_commit_when_so_opened(tmp_path, commits, opened):
    async with opened(tmp_path, batch=1) as store:
        commits.clear()
        assert await together(store, *map(insert, range(5))) == list(range(5))
        assert len(commits) == 5


@pytest.mark.law(11)
async def test_a_plan_that_raises_loses_all_its_rows_and_disturbs_no_neighbour(tmp_path, commits, opened):
    def three_rows_then_refuse(tx):
        for k in (10, 11, 12):
            insert(k)(tx)
        raise OutcomeStands("too late")

    async with opened(tmp_path) as store:
        commits.clear()
        before, failed, after = await together(store, insert(1), three_rows_then_refuse, insert(2))
        assert (before, after) == (1, 2)
        assert isinstance(failed, OutcomeStands)
        assert await store.read(keys) == {1, 2}
        assert len(commits) == 1


async def test_a_plan_sees_what_its_neighbours_before_it_have_written(tmp_path, opened):
    async with opened(tmp_path) as store:
        assert await together(store, insert(1), keys, insert(2), keys) == [1, {1}, 2, {1, 2}]


async def test_any_exception_of_a_plan_is_its_callers_alone(tmp_path, opened):
    async with opened(tmp_path) as store:
        stopped, neighbour = await together(store, lambda tx: next(iter(())), insert(1))
        assert isinstance(stopped, RuntimeError)
        assert neighbour == 1


@pytest.mark.law(1)
async def test_signals_are_told_once_a_commit_is_durable_and_never_for_plans_that_failed(
    tmp_path, disk, opened
):
    told = []

    async with opened(tmp_path) as store:
        store.on_commit(told.append)
        disk.hold()
        writing = together(store, insert(1), insert_and_refuse(2), insert(3))
        await disk.is_reached()
        assert told == []
        disk.free.set()
        await writing
        assert told == [frozenset({1, 3})]
        await together(store, insert_and_refuse(4), lambda tx: None)
        assert told == [frozenset({1, 3})]
        await together(store, insert(5), insert_orphan(6))
        assert told == [frozenset({1, 3}), frozenset({5})]


def test_a_listener_that_raises_is_reported_and_disturbs_nobody(tmp_path, opened):
    told, reported = [], []

    def faulty(signals):
        raise LookupError

    async def scenario():
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: reported.append(context))
        async with opened(tmp_path) as store:
            store.on_commit(faulty)
            store.on_commit(told.append)
            assert await store.write(insert(1)) == 1
            assert await store.write(insert(2)) == 2

    asyncio.run(scenario())
    assert told == [frozenset({1}), frozenset({2})]
    assert [type(context["exception"]) for context in reported] == [LookupError, LookupError]


async def test_a_cancelled_caller_does_not_disturb_the_batch(tmp_path, disk, opened):
    async with opened(tmp_path) as store:
        disk.hold()
        writing = [asyncio.create_task(store.write(insert(k))) for k in range(3)]
        await disk.is_reached()
        late = [asyncio.create_task(store.write(insert(k))) for k in (3, 4)]
        await turns()
        writing[1].cancel()
        late[0].cancel()
        disk.free.set()
        results = await asyncio.gather(*writing, *late, return_exceptions=True)
        assert [type(result) for result in results] == [
            int, asyncio.CancelledError, int, asyncio.CancelledError, int,
        ]  # fmt: skip
        assert await store.read(keys) == {0, 1, 2, 4}


async def test_close_finishes_what_waits_and_refuses_what_comes_later(tmp_path, disk, opened):
    async with opened(tmp_path) as store:
        disk.hold()
        writing = together(store, *map(insert, range(100)))
        await disk.is_reached()
        closing = asyncio.create_task(store.close())
        await turns()
        assert not store.alive
        with pytest.raises(TemporarilyUnavailable):
            await store.write(insert(100))
        disk.free.set()
        await closing
        assert await writing == list(range(100))
        with pytest.raises(TemporarilyUnavailable):
            await store.read(keys)
    async with opened(tmp_path) as store:
        assert await store.read(keys) == set(range(100))


def test_a_stopped_writer_refuses_those_who_wait_and_the_next_plan_starts_it_again(tmp_path, disk, opened):
    reported = []

    async def scenario():
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: reported.append(context))
        async with opened(tmp_path) as store:
            disk.hold()
            writing = together(store, insert(1), insert(2))
            await disk.is_reached()
            (writer,) = (task for task in asyncio.all_tasks() if task.get_name() == "acmx-writer")
            writer.cancel()
            assert [type(result) for result in await writing] == [TemporarilyUnavailable] * 2
            assert store.alive
            disk.free.set()
            assert await store.write(insert(3)) == 3

    asyncio.run(scenario())
    assert [type(context["exception"]) for context in reported] == [asyncio.CancelledError]


async def test_a_plan_that_breaks_the_transaction_and_raises_is_told_its_own_exception(tmp_path, opened):
    def rollback_and_refuse(tx):
        tx.execute("ROLLBACK")
        raise OutcomeStands

    async with opened(tmp_path) as store:
        neighbour, refused = await together(store, insert(1), rollback_and_refuse)
        assert neighbour == 1
        assert isinstance(refused, OutcomeStands)


@pytest.mark.parametrize("breaking", [insert_and_rollback, insert_orphan])
async def test_a_plan_that_breaks_the_transaction_fails_alone(tmp_path, breaking, commits, opened):
    async with opened(tmp_path) as store:
        first, broken, last = await together(store, insert(1), breaking(2), insert(3))
        assert (first, last) == (1, 3)
        assert isinstance(broken, apsw.Error)
        assert await store.read(keys) == {1, 3}
        commits.clear()
        assert await together(store, insert(4), insert(5)) == [4, 5]
        assert len(commits) == 1, "the next batch is committed together again"


PLANS = st.sampled_from([insert, insert_and_refuse, insert_and_rollback, insert_orphan])


@pytest.mark.law(1)
@settings(max_examples=60)
@given(
    bursts=st.lists(st.lists(PLANS, min_size=1, max_size=12), min_size=1, max_size=6), batch=st.integers(1, 8)
)
def test_the_table_holds_exactly_what_was_acknowledged(opened, bursts, batch):
    told = set()
    plans = list(enumerate(chain.from_iterable(bursts)))

    async def scenario(folder):
        async with opened(folder, batch=batch) as store:
            store.on_commit(told.update)
            writing, rest = [], iter(plans)
            for burst in bursts:
                writing += [asyncio.create_task(store.write(plan(k))) for k, plan in islice(rest, len(burst))]
                await turns()
            results = await asyncio.gather(*writing, return_exceptions=True)
        acknowledged = {k for k, result in enumerate(results) if not isinstance(result, Exception)}
        assert acknowledged == {k for k, plan in plans if plan is insert}
        assert told == acknowledged
        async with opened(folder) as store:
            assert await store.read(keys) == acknowledged

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(scenario(folder))
