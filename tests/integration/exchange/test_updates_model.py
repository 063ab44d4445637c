"""Whatever is published, revoked, delivered, lost or over in whatever order: both sides hold the same in the end.

Two real stores without a wire. ACMX_INTERLEAVINGS=N runs N examples of twice the length.
"""

import asyncio
import os
import tempfile
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from acmx.domain.errors import FaultyInput, NotNow
from acmx.flows.exchange.grant import Standing, standing
from acmx.storage import holdings
from support.partner.sides import Held, Letter, Side, Word
from support.systems.systems import FIRE, POLICE, Clock, two_systems
from support.systems.updates import CATALOGUE

MORE = int(os.environ.get("ACMX_INTERLEAVINGS", "0"))
USERS = [f"sip:officer.{n}@{POLICE}" for n in (1, 2, 3)]
FATES = ("is heard", "is heard", "is lost", "reply is lost", "comes later", "comes twice")
some = st.integers(0, 3)
acts = st.one_of(
    st.tuples(st.just("publish"), some),
    st.tuples(st.just("publish and tick"), some),
    st.tuples(st.just("publish and tick"), some),
    st.tuples(st.just("revoke"), st.lists(st.sampled_from(USERS), max_size=2, unique=True)),
    st.tuples(st.just("tick"), st.sampled_from([POLICE, FIRE])),
    st.tuples(st.just("tick"), st.just(FIRE)),
    st.tuples(st.just("send"), st.sampled_from(FATES)),
    st.tuples(st.just("send"), st.sampled_from(FATES)),
    st.tuples(st.just("arrive"), some),
    st.tuples(st.just("wait"), st.sampled_from([1, 30, 60 * 24 * 9])),
    st.tuples(st.just("crash"), st.sampled_from([POLICE, FIRE])),
)


class Story:
    """One exchange, approved for 20 days, and the letters of the partner that come later."""

    def __init__(self, police: Side, fire: Side, clock: Clock) -> None:
        self.sides = {POLICE: police, FIRE: fire}
        self.police, self.fire, self.clock = police, fire, clock
        self.late: list[Letter] = []

    async def begin(self, *, delivered: bool) -> None:
        ends = self.clock() + timedelta(days=20)
        self.id = (await self.police.submit("key", users=USERS, valid_until=ends)).id
        await self.carry(self.police)
        await self.fire.review(self.id)
        if delivered:
            await self.carry(self.fire)

    async def carry(self, side: Side, fate: str = "is heard") -> int:
        """What waits first in each exchange meets its fate; how much that was."""
        letters = await side.post(await side.look())
        for letter in letters:
            if fate == "comes later":
                self.late.append(letter)
            elif fate != "is lost":
                word = await self.taken(letter)
                if fate == "comes twice":
                    assert (await self.taken(letter)).reply == word.reply
                if fate != "reply is lost":
                    await side.hear(word)
        return len(letters)

    async def taken(self, letter: Letter) -> Word:
        return await self.sides[POLICE if letter.sender == FIRE else FIRE].take(letter)

    async def do(self, act: str, what: Any) -> None:
        match act:
            case "publish":
                await self.fire.publish(CATALOGUE | {"kms": f"https://kms-{what}.{FIRE}"})
            case "publish and tick":
                await self.do("publish", what)
                await self.fire.tick()
            case "revoke":
                with suppress(NotNow, FaultyInput):
                    await self.fire.revoke(self.id, *what)
            case "tick":
                await self.sides[what].tick()
            case "send":
                await self.carry(self.fire, what)
            case "arrive":
                if self.late:
                    letter = self.late.pop(what % len(self.late))
                    await self.fire.hear(await self.taken(letter))
            case "wait":
                self.clock.advance(minutes=what)
            case "crash":
                await self.sides[what].crash()

    async def rest(self) -> None:
        """Time goes on a little, and everything that waits arrives."""
        while self.late:
            await self.do("arrive", 0)
        for side in self.sides.values():
            await side.tick()
        for _ in range(3):
            self.clock.advance(minutes=16)
            while await self.carry(self.fire):
                pass
        for side in self.sides.values():
            await side.tick()

    async def check(self) -> None:
        at_police, at_fire = [await side.held() for side in (self.police, self.fire)]
        assert not at_fire.outbox
        here, there = self.stands(at_police), self.stands(at_fire)
        assert (here.content, here.revoked, here.said) == (there.content, there.revoked, there.said)
        a, b = at_police.exchanges[self.id], at_fire.exchanges[self.id]
        assert a.grant_state == b.grant_state
        assert (b.grant_state == "revoked") is (not there.users)
        if b.grant_state == "live":
            held = await self.fire.store.read(holdings.current)
            assert held is not None
            assert there.content["server_identity"]["kms"].encode() in held.body

    def stands(self, held: Held) -> Standing:
        found = standing(held.messages[self.id])
        assert found is not None
        return found


@pytest.mark.law(1, 2, 3, 11)
@example(done=[("publish and tick", 1), ("send", "reply is lost"), ("publish and tick", 2)], delivered=True)
@example(
    done=[("publish and tick", 1), ("send", "comes later"), ("revoke", []), ("arrive", 0)], delivered=True
)
@given(done=st.lists(acts, max_size=24 if MORE else 12), delivered=st.booleans())
@settings(max_examples=MORE or 40, deadline=None, database=None)
def test_both_sides_hold_the_same_in_the_end(done: list[tuple[str, Any]], delivered: bool) -> None:
    async def scenario() -> None:
        clock = Clock()
        with tempfile.TemporaryDirectory() as folder:
            async with two_systems(Path(folder), start=False) as (police, fire):
                story = Story(Side(police, fire, clock), Side(fire, police, clock), clock)
                try:
                    await story.begin(delivered=delivered)
                    for act, what in done:
                        await story.do(act, what)
                    await story.rest()
                    await story.check()
                finally:
                    for side in story.sides.values():
                        await side.store.close()

    asyncio.run(scenario())
