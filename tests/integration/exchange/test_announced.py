"""Law 7: every end is announced to both sides; rows of the table that end something are asked one by one."""

from pathlib import Path
from typing import Any

import pytest

from acmx.delivery import clockwork
from acmx.domain.exchange import TABLE, UNDECIDED, Audience, Event, State, Transition
from acmx.domain.moments import to_ms
from acmx.domain.telling import IN_WORDS, TOLD
from acmx.flows.expiry import give_up
from acmx.storage.exchange import exchanges, outbox
from acmx.storage.exchange.outbox import Queued
from support.sinks.sinks import receiver
from support.systems.systems import POLICE
from support.systems.telling import Telling, stored_in, telling, webhook_to

pytestmark = pytest.mark.law(7)

OUTCOME = {State.ANSWERED, State.DECIDED}
"""The outcome stands, though something may still follow."""

OF_ITSELF = {
    Event.EXPIRED,
    Event.GRANT_ENDED,
    Event.UNDELIVERABLE,
    Event.RESPONSE_DELIVERED,
    Event.RESPONSE_REFUSED,
    Event.REVOCATION,
    Event.REVOKED,
    Event.UPDATE_REFUSED,
}
"""Ends that no new state shows, or that come after one."""

OWN_ACT = {Event.RETRIEVED}


def ended(role: str) -> set[State]:
    """The states of this side that no row leaves for another, and those in which the outcome stands."""
    states = {row.target for row in TABLE if row.role == role}
    left = {
        row.source
        for row in TABLE
        if row.role == role
        and row.source is not row.target
        and row.event not in (Event.RECONCILED, Event.RESTORED)
    }
    return (states - left) | (OUTCOME & states)


def ends(row: Transition) -> bool:
    if row.event in OWN_ACT:
        return False
    if row.source is not row.target and row.target in ended(row.role):
        return True
    acknowledged_again = row.event is Event.RESPONSE_DELIVERED and row.source is row.target
    return row.event in OF_ITSELF and not acknowledged_again


ENDING = [pytest.param(row, id=f"{row.role}-{row.source}-{row.event}") for row in TABLE if ends(row)]


def test_the_ends_of_both_sides_are_among_them() -> None:
    found = {(param.values[0].role, str(param.values[0].event)) for param in ENDING}
    assert found >= {
        ("primary", "not-authorised"),
        ("primary", "not-released"),
        ("primary", "refused-by-partner"),
        ("primary", "withdrawn-unsent"),
        ("primary", "withdrawal-confirmed"),
        ("primary", "response"),
        ("primary", "expired"),
        ("primary", "revocation"),
        ("primary", "grant-ended"),
        ("primary", "undeliverable"),
        ("partner", "reviewed"),
        ("partner", "decided-by-rule"),
        ("partner", "expired"),
        ("partner", "withdrawal"),
        ("partner", "response-delivered"),
        ("partner", "response-refused"),
        ("partner", "revoked"),
        ("partner", "update-refused"),
        ("partner", "grant-ended"),
        ("partner", "undeliverable"),
    }


@pytest.mark.law(11)
@pytest.mark.parametrize("row", ENDING)
async def test_whoever_it_concerns_is_told_of_an_end_in_the_same_transaction(
    row: Transition, tmp_path: Path
) -> None:
    everything = {"asker_events": TOLD["asker"], "reviewer_events": TOLD["reviewers"]}
    async with (
        receiver() as hook,
        telling(tmp_path, webhooks=[webhook_to(hook.url, **everything)]) as here,
    ):
        exchange = await stored_in(here, row.role, row.source, row.event)
        notices = await here.notices()
        assert {(notice.event, notice.exchange) for notice in notices} == {(row.event, exchange.id)}
        persons: dict[Audience, str | None] = {"asker": exchange.asker, "reviewers": None}
        told = {notice.audience: notice.person for notice in notices}
        assert told == {audience: persons[audience] for audience in row.tells}
        assert ("asker" if row.role == "primary" else "reviewers") in told
        await here.becomes(*["sent"] * len(row.tells))
        assert [told["event"] for told in hook.told] == [row.event] * len(row.tells)


def test_every_event_that_people_are_told_of_has_words() -> None:
    assert set(IN_WORDS) == {event for events in TOLD.values() for event in events}


def test_reviewers_are_told_what_they_no_longer_have_to_decide() -> None:
    for row in TABLE:
        if row.role == "partner" and row.source in UNDECIDED and row.target not in UNDECIDED:
            assert row.tells == ("reviewers",), row
        if row.source is State.AWAITING_RELEASE and ends(row):
            assert "reviewers" in row.tells, row


async def events(here: Telling) -> list[str]:
    return [notice.event for notice in (await here.notices())[::-1]]


async def given_up(here: Telling, state: State, role: Any, type_: str) -> None:
    """A message waits in vain, 90 days after the end of its exchange."""
    exchange = await stored_in(here, role, None, Event.REQUEST if role == "partner" else Event.SUBMITTED)
    now = to_ms(here.clock())
    await here.store.write(
        lambda tx: tx.execute(f"UPDATE exchange SET state = '{state}', due_at = NULL") and None
    )
    queued = Queued(None, POLICE, exchange.primary_system, exchange.id, 1, type_, now, now, now + 1000)
    await here.store.write(lambda tx: outbox.put(tx, queued))


@pytest.mark.parametrize(
    ("role", "state", "type_"),
    [
        ("primary", State.OVERDUE, "request"),
        ("primary", State.WITHDRAWING, "withdrawal"),
        ("partner", State.DECIDED, "response"),
        ("partner", State.DELIVERED, "revocation"),
    ],
)
async def test_what_could_never_be_delivered_is_told_once_and_still_seen(
    role: Any, state: State, type_: str, tmp_path: Path
) -> None:
    async with telling(tmp_path) as here:
        await given_up(here, state, role, type_)
        assert await clockwork.tick(here.house, here.store) == 0
        here.clock.advance(seconds=1)
        (waiting,) = await here.store.read(lambda tx: give_up.due(here.house, tx))
        while await clockwork.tick(here.house, here.store):
            pass
        late = give_up.Plan(waiting, to_ms(here.clock()))
        await here.store.write(lambda tx: give_up.apply(tx, late))
        assert (await events(here)).count("undeliverable") == 1
        (exchange,) = await here.store.read(lambda tx: exchanges.page(tx, asker=None, before=None, limit=9))
        assert exchange.state is state
        assert await here.store.read(lambda tx: outbox.count(tx, POLICE)) == 1
