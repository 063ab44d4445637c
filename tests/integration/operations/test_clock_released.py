"""What was put off by a clock that was wrong is due once that is over: confirmed, or seen to agree again."""

from datetime import timedelta
from pathlib import Path

import pytest

from acmx.config import Notices
from acmx.delivery import clockwork
from acmx.domain.errors import NotNow
from acmx.domain.moments import to_ms
from acmx.flows.evidence import purge
from acmx.flows.exchange import remind
from acmx.flows.expiry import give_up
from acmx.flows.operations import suspend_expiry
from acmx.storage.clock_holds import ClockHold
from acmx.storage.engine import Tx
from acmx.storage.exchange import outbox
from integration.operations.test_clock import clock_of, held, pending
from support.partner.sides import caller
from support.sinks.sinks import mail_sink
from support.systems.restores import compared as has_compared
from support.systems.systems import FIRE, POLICE, System, Two, eventually, two_systems
from support.systems.telling import mail_to, telling
from support.systems.twins import twin_of

DAY = 86_400_000
AHEAD = {"days": 10}


async def put_off(police: System, key: str = "key") -> str:
    """The id of a request that the partner refuses, as the clock here is ahead of its own."""
    await has_compared(police, FIRE)
    police.clock.jump(**AHEAD)
    await held(police)
    _, accepted = await police.submit(key)
    later = "SELECT MAX(next_attempt_at) FROM outbox WHERE attempts > 0"
    await eventually(lambda: police.rows(later), lambda rows: (rows[0][0] or 0) > to_ms(police.clock()))
    return str(accepted["id"])


async def sent(police: System, id_: str) -> None:
    """Though the clock stands still."""
    await eventually(
        lambda: police.exchange(id_), lambda exchange: exchange["state"] == "stored", time_passes=False
    )


async def events(system: System) -> list[str]:
    audit = await system.done("GET", "/audit?limit=1000")
    return [entry["event"] for entry in audit["items"] if entry["event"].startswith("clock-")]


async def apart(tmp: Path, police: System) -> None:
    police.goes_by(police.clock.another())
    await police.start()


async def test_what_was_tried_while_the_clock_was_ahead_is_sent_once_it_agrees_again(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, fire):
        await fire.start()
        await apart(tmp_path, police)
        id_ = await put_off(police)
        police.clock.jump(days=-10)
        await sent(police, id_)
        assert await clock_of(police) == {"now": "2026-11-23T08:00:00Z"}
        assert await events(police) == ["clock-agrees", "clock-held"]


@pytest.mark.parametrize("boot", ["the same", "another"])
async def test_it_is_sent_after_a_restart_with_the_clock_set_right(boot: str, tmp_path: Path) -> None:
    """After another start of the machine nobody knows what its clock was: a person has to look."""

    async with two_systems(tmp_path, start=False) as (police, fire):
        await fire.start()
        await apart(tmp_path, police)
        id_ = await put_off(police)
        await police.restart()
        assert "held_since" in await clock_of(police)
        await police.stop()
        police.clock.jump(days=-10)
        if boot == "another":
            police.goes_by(police.clock.another())
        await police.start()
        if boot == "another":
            assert "held_since" in await clock_of(police)
            assert (await police.exchange(id_))["state"] == "queued"
            await police.done("POST", "/clock/confirmation")
        await sent(police, id_)
        assert "held_since" not in await clock_of(police)


async def test_a_clock_that_is_not_back_where_it_was_stays_held(systems: Two) -> None:
    _, fire = systems
    fire.clock.jump(days=10)
    reason = (await held(fire))["reason"]
    assert reason == (
        "the clock jumped forward by 10 days, 0:00:00 to 2026-12-03T08:00:00.000Z; "
        "by the time since boot it would be 2026-11-23T08:00:00.000Z"
    )
    fire.clock.jump(days=-9)
    await fire.server._guard.look()
    assert (await clock_of(fire))["reason"] == reason
    fire.clock.jump(days=-1, minutes=4)
    await fire.server._guard.look()
    assert "held_since" not in await clock_of(fire)


@pytest.mark.postgres
async def test_of_two_servers_on_one_database_the_one_whose_clock_is_ahead_delays_nothing(
    tmp_path: Path,
) -> None:
    """It holds for both what time decides; once it is over, the other one sends what it had put off."""

    async with two_systems(tmp_path, start=False) as (police, fire):
        await fire.start()
        right = police.clock
        await apart(tmp_path, police)
        ahead, police.clock = police.clock, right
        async with twin_of(police) as twin:
            police.clock = ahead
            id_ = await put_off(police)
            assert "held_since" in await clock_of(twin)
            await police.stop()
            assert (await twin.exchange(id_))["state"] == "queued"
            await twin.done("POST", "/clock/confirmation")
            await sent(twin, id_)
            assert "held_since" not in await clock_of(twin)


@pytest.mark.postgres
async def test_a_server_whose_clock_agrees_again_lifts_its_own_hold_alone(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, _):
        right = police.clock
        await apart(tmp_path, police)
        one, police.clock = police.clock, right
        async with twin_of(police) as twin:
            police.clock = one
            for system in (police, twin):
                system.clock.jump(days=10)
                await system.server._guard.look()
            police.clock.jump(days=-10)
            await police.server._guard.look()
            assert "held_since" in await clock_of(police)
            twin.clock.jump(days=-10)
            await twin.server._guard.look()
            assert "held_since" not in await clock_of(police)


async def test_whatever_waits_for_a_time_that_a_wrong_clock_gave_is_due(tmp_path: Path) -> None:
    """Back-off, statements, mails, jobs, rates, sessions: nothing goes by that time any more."""

    async with two_systems(tmp_path, start=False) as (police, _):
        await police.start()
        now = to_ms(police.clock())
        false = now + 100 * DAY

        wrong = [
            f"UPDATE partner SET next_attempt_at = {false}, stated_at = {false}",
            f"UPDATE token SET logged_on_at = {false} WHERE account = 'reviewer'",
            f"INSERT INTO spent VALUES ('{FIRE}', {false})",
            f"INSERT INTO telling (notice, channel, recipient, next_attempt_at) VALUES (1, 'mail', '', {false})",
            f"INSERT INTO provisioning_row (job, n, xui, service, next_attempt_at) VALUES ('', 1, '', '', {false})",
        ]

        def doubted(tx: Tx) -> None:
            suspend_expiry.hold(tx, ClockHold("a clock", false, "tests"))
            for statement in wrong:
                tx.execute(statement)

        await police.store.write(doubted)
        await police.done("POST", "/clock/confirmation")
        for column, table in (
            ("next_attempt_at", "telling"),
            ("next_attempt_at", "provisioning_row"),
            ("COALESCE(next_attempt_at, 0)", "partner"),
            ("stated_at", "partner"),
            ("until", "spent"),
            ("logged_on_at", "token"),
        ):
            rows = await police.rows(f"SELECT {column} FROM {table}")
            assert all(value < false - 50 * DAY for (value,) in rows), (column, table)
        assert (await police.call("GET", "/pending", account="reviewer"))[0] == 401


async def test_what_ended_by_a_wrong_clock_is_compared_as_if_it_ended_now(systems: Two) -> None:
    """And what ended before the doubt keeps its time."""

    police, fire = systems
    before = await pending(police, fire)
    await fire.review(before, {"approved": False})
    await fire.reaches(before, "delivered")
    ended = "SELECT id, ended_at FROM exchange ORDER BY serial"
    [(_, first)] = await fire.rows(ended)
    _, other = await police.submit("other")
    await police.reaches(other["id"], "stored")
    fire.clock.jump(days=-365)
    await fire.server._guard.look()
    await fire.review(other["id"], {"approved": False})
    await fire.reaches(other["id"], "delivered")
    fire.clock.jump(days=366)
    await fire.done("POST", "/clock/confirmation")
    assert await fire.rows(ended) == [(before, first), (other["id"], to_ms(fire.clock()))]


async def test_a_comparison_dated_in_the_future_says_nothing(systems: Two) -> None:
    police, fire = systems
    await has_compared(police, FIRE)
    id_ = await pending(police, fire)
    await fire.review(id_, {"approved": False})
    await police.reaches(id_, "answered")
    future = to_ms(police.clock()) + 40 * DAY
    for table in ("exchange", "message", "outbox"):
        await police.store.write(lambda tx, table=table: tx.execute(f"DELETE FROM {table}"))
    await police.store.write(lambda tx: tx.execute(f"UPDATE partner SET compared_at = {future}"))
    await police.nudge(FIRE)
    await eventually(lambda: police.counts("exchange"), lambda counts: counts["exchange"] == 1)
    await police.reaches(id_, "answered")


async def test_a_lease_taken_by_a_clock_that_was_ahead_is_not_relied_on(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, fire):
        await fire.start()
        await apart(tmp_path, police)
        await put_off(police)
        police.clock.jump(days=-10)
        await police.nudge(FIRE)
        until = "SELECT lease_until FROM partner"
        soon = to_ms(police.clock() + timedelta(minutes=1))
        await eventually(lambda: police.rows(until), lambda rows: rows[0][0] <= soon, time_passes=False)


# While the clock is in doubt.


async def test_nothing_is_given_up_called_to_mind_or_purged(tmp_path: Path) -> None:
    async with telling(tmp_path) as here:
        ends = to_ms(here.clock()) + DAY
        asked = await here.request(expires_at=ends, due_at=ends, remind_at=ends - DAY // 2)
        await here.store.write(
            lambda tx: outbox.put(
                tx,
                outbox.Queued(None, POLICE, asked.primary_system, asked.id, 1, "response", 0, 0, ends),
            )
        )
        await here.store.write(lambda tx: suspend_expiry.hold(tx, ClockHold("a clock", 0, "tests")))
        here.clock.advance(days=2000)
        for due in (give_up.due, remind.due):
            assert await here.store.read(lambda tx, due=due: due(here.house, tx)) == []
        with pytest.raises(NotNow, match="the clock is in doubt"):
            await here.store.write(lambda tx: purge.apply(here.house, tx, caller(FIRE, "operator")))
        await here.store.write(lambda tx: suspend_expiry.confirm(here.house, tx, caller(FIRE, "operator")))
        for due in (give_up.due, remind.due):
            assert await here.store.read(lambda tx, due=due: due(here.house, tx)) != []


async def test_a_mail_does_not_fail_for_good(tmp_path: Path) -> None:
    async with mail_sink() as sink:
        pass
    async with telling(
        tmp_path, mail_to(sink.port), notices=Notices(bundle_minutes=0, link="https://acm.fire.example")
    ) as fire:
        await fire.request()
        await fire.attempts(1)
        await fire.store.write(lambda tx: suspend_expiry.hold(tx, ClockHold("a clock", 0, "tests")))
        await fire.later(days=40)
        await fire.attempts(2)
        await fire.becomes("waiting")


async def test_nothing_is_decided_between_a_jump_and_the_next_look_at_the_clock(systems: Two) -> None:
    police, fire = systems
    id_ = await pending(police, fire)
    house = fire.server._house
    await eventually(house.sure_of_clock, bool)
    fire.clock.jump(days=40)
    assert await clockwork.tick(house, fire.store) == 0
    assert (await fire.exchange(id_))["state"] == "pending"
