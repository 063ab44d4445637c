"""A request that waits calls people to mind before it expires, and somebody else if nobody looks; each once."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from acmx.config import Notices
from acmx.delivery import clockwork
from acmx.domain.exchange import Event
from acmx.domain.moments import to_ms
from acmx.flows.exchange import remind
from acmx.storage.exchange import exchanges
from acmx.storage.exchange.exchanges import Exchange
from support.sinks.sinks import mail_sink
from support.systems.systems import FIRE, System, Two
from support.systems.telling import DESK, Telling, mail_to, telling

CHIEF = "chief@fire.example"


async def tick(here: Telling) -> None:
    while await clockwork.tick(here.house, here.store):
        pass


async def waits(here: Telling, hours: float) -> Exchange:
    """A request with so much time left."""
    ends = to_ms(here.clock() + timedelta(hours=hours))
    here_now = await here.request(expires_at=ends, due_at=ends)
    first = remind.next_moment(here.house, here_now, here_now.created_at)
    await here.store.write(
        lambda tx: tx.execute(
            "UPDATE exchange SET remind_at = :at WHERE id = :id", {"at": first, "id": here_now.id}
        )
    )
    return here_now


async def reminded(here: Telling) -> list[str]:
    await tick(here)
    return [n.event for n in (await here.notices())[::-1] if n.event in ("reminder", "escalation")]


async def test_a_pending_request_is_called_to_mind_twice_before_it_expires(tmp_path: Path) -> None:
    async with telling(tmp_path) as here:
        await waits(here, 100)
        counts = []
        for hours in (27.9, 0.2, 40, 7.8, 0.2, 20):
            here.clock.advance(hours=hours)
            counts.append(len(await reminded(here)))
        assert counts == [0, 1, 1, 1, 2, 2]


async def test_nobody_is_reminded_of_what_came_too_late_for_it_or_was_decided(tmp_path: Path) -> None:
    async with telling(tmp_path) as here:
        await waits(here, 24)
        decided = await waits(here, 100)
        exchange = await here.store.read(lambda tx: exchanges.find(tx, decided.primary_system, decided.id))
        assert exchange is not None
        await here.happens(exchange, Event.WITHDRAWAL)
        for _ in range(20):
            here.clock.advance(hours=1)
            assert await reminded(here) == []


async def test_after_a_long_night_only_the_last_reminder_is_given(tmp_path: Path) -> None:
    async with telling(tmp_path) as here:
        await waits(here, 100)
        here.clock.advance(hours=90)
        assert await reminded(here) == ["reminder"]
        (notice, *_) = await here.notices()
        rows = await here.store.read(
            lambda tx: tx.rows("SELECT occurrence FROM notice WHERE event = 'reminder'")
        )
        assert rows == [(24,)]
        assert notice.audience == "reviewers"


@pytest.mark.law(4)
async def test_a_reminder_makes_no_review_stale(tmp_path: Path) -> None:
    async with telling(tmp_path) as here:
        request = await waits(here, 100)
        here.clock.advance(hours=30)
        assert await reminded(here) == ["reminder"]
        after = await here.store.read(lambda tx: exchanges.find(tx, request.primary_system, request.id))
        assert after is not None
        assert after.version == request.version
        await here.happens(request, Event.REVIEWED)


async def test_the_same_plan_twice_or_late_tells_nothing_more(tmp_path: Path) -> None:
    async with telling(tmp_path) as here:
        await waits(here, 100)
        here.clock.advance(hours=30)
        (due,) = await here.store.read(lambda tx: remind.due(here.house, tx))
        plan = await here.store.read(lambda tx: remind.prepare(here.house, tx, due))
        for _ in range(2):
            await here.store.write(lambda tx: remind.apply(tx, plan))
        await here.store.write(lambda tx: tx.execute("UPDATE exchange SET remind_at = 0"))
        assert await reminded(here) == ["reminder"]


async def test_without_a_review_a_second_address_is_written_to_once(tmp_path: Path) -> None:
    async with mail_sink() as sink:
        mail = mail_to(sink.port, escalation=(CHIEF,))
        async with telling(tmp_path, mail, notices=Notices(escalation_hours=4)) as here:
            here.house = replace(here.house, escalate_after=timedelta(hours=4))
            await waits(here, 100)
            for _ in range(12):
                await here.later(minutes=30)
                await tick(here)
            await here.becomes("sent", "sent")
            assert sink.recipients == [DESK, CHIEF]
            assert sink.mails[1]["Subject"] == f"ACM {FIRE}: request waits without a review"
            assert await reminded(here) == ["escalation"]


async def test_a_request_that_arrives_is_called_to_mind_by_the_server(systems: Two) -> None:
    police, fire = systems
    _, accepted = await police.submit()
    await police.reaches(accepted["id"], "stored")
    fire.clock.advance(days=27)
    await fire.tick()
    page = await fire.done("GET", "/notices?limit=1", account="auditor")
    assert [(n["event"], n["exchange"]) for n in page["items"]] == [("reminder", accepted["id"])]
    journal = (await fire.exchange(accepted["id"]))["journal"]
    assert [(e["event"], e["actor"]) for e in journal][-1] == ("reminder", "clock")


async def test_a_question_that_waits_is_called_to_mind_on_both_sides(systems: Two) -> None:
    """Also a question that comes after the first of the two reminders would have been due."""

    police, fire = systems
    _, accepted = await police.submit()
    id_ = accepted["id"]
    await police.reaches(id_, "stored")
    fire.clock.advance(days=27, hours=1)
    await police.tick()
    await fire.tick()
    assert await _reminders(police, id_) == []
    assert await _reminders(fire, id_) == ["reminder"]
    await fire.done("POST", f"/requests/{id_}/questions", {"text": "Which unit?"}, account="reviewer")
    await police.reaches(id_, "more_information")
    fire.clock.advance(days=2)
    await police.tick()
    await fire.tick()
    assert await _reminders(police, id_) == ["reminder"]
    assert await _reminders(fire, id_) == ["reminder", "reminder"]


async def _reminders(system: System, id_: str) -> list[str]:
    page = await system.done("GET", "/notices?limit=50", account="auditor")
    return [n["event"] for n in page["items"] if n["exchange"] == id_ and n["event"] == "reminder"]
