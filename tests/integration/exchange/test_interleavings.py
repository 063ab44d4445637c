"""Whatever happens in whatever order: no outcome is lost, doubled or contradicted.

A state machine drives both MC systems; between them the wire loses, repeats, delays and reorders, servers
crash, clocks differ, people and policy decide. ACMX_INTERLEAVINGS=N runs N examples of twice the length.
"""

import asyncio
import os
import shutil
import sys
from contextlib import suppress

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from acmx.domain.errors import NotFound, NotNow, OutcomeStands, VersionsDiffer
from acmx.domain.exchange import UNANSWERED, State
from acmx.domain.messages import Receipt
from support.faults.interleavings import SIDES, VERDICTS, People, names, pick, some
from support.partner.invariants import (
    NO_WAY_BACK,
    TOGETHER,
    changed_along_the_table,
    ends_of,
    no_final_state_is_left,
    nothing_is_lost,
    nothing_unreleased_has_left,
    there_is_one_outcome,
    what_falls_due_can_happen,
    what_was_said_is_heard,
)
from support.partner.sides import Held, Letter, Side, Word, meaning
from support.systems.systems import FIRE, POLICE

MORE = int(os.environ.get("ACMX_INTERLEAVINGS", "0"))
FATES = (
    "is heard",
    "is heard",
    "reply waits",
    "reply waits",
    "reply is lost",
    "comes again",
    "is lost",
    "receiver crashes",
    "sender crashes",
)


class Interleavings(People):
    """What the wire, the clocks and the servers do; what must therefore stand for ever."""

    # Time, and the servers.

    @rule(
        minutes=st.sampled_from([1, 90, 25 * 24 * 60]),
        seen_by=st.sampled_from([(), SIDES[:1], SIDES[1:], SIDES]),
    )
    def time_passes(self, minutes: int, seen_by: tuple[str, ...]) -> None:
        self.long_waits += minutes > 90
        if minutes <= 90 or self.long_waits <= 2:
            self.clock.advance(minutes=minutes)
        for name in seen_by:
            self.run(self.sides[name].tick())

    @rule(name=names)
    def crash(self, name: str) -> None:
        self.run(self._crash(self.sides[name]))

    async def _crash(self, side: Side) -> None:
        """What was on its way to it over its own connections is gone."""
        self.words = [word for word in self.words if word.letter.sender != side.id]
        await side.crash()

    # The wire.

    async def _send(self, side: Side) -> None:
        """One message of an exchange at a time; the sender waits for the reply until letter or reply is lost."""
        under_way = {letter.place[:3] for letter in (*self.letters, *(word.letter for word in self.words))}
        looked = [q for q in await side.look() if (q.primary_system, q.id, side.id) not in under_way]
        self._posted(await side.post(looked))

    @rule(hops=st.lists(st.tuples(some, st.sampled_from(FATES)), max_size=4))
    def the_wire_carries_some(self, hops: list[tuple[int, str]]) -> None:
        for side in self.sides.values():
            self.run(self._send(side))
        for which, fate in hops:
            if self.letters:
                letter = pick(self.letters, which)
                if fate != "comes again":
                    self.letters.remove(letter)
                if fate != "is lost":
                    self.run(self._deliver(letter, fate))

    @precondition(lambda self: self.sent)
    @rule(which=some)
    def deliver_an_old_duplicate(self, which: int) -> None:
        self.run(self._deliver(pick(self.sent, which), "reply is lost"))

    @precondition(lambda self: self.words)
    @rule(which=some)
    def hear_late(self, which: int) -> None:
        word = pick(self.words, which)
        self.words.remove(word)
        self.run(self.sides[word.letter.sender].hear(word))

    @rule(which=some, order=st.permutations(["delivery", "withdrawal", "review", "clock", "partner's clock"]))
    def everybody_acts_at_once(self, which: int, order: list[str]) -> None:
        for side in self.sides.values():
            self.run(self._send(side))
        if not self.letters:
            return
        letter = pick(self.letters, which)
        self.letters.remove(letter)
        id_ = letter.queued.id
        acts = {
            "delivery": self._deliver(letter, "reply waits"),
            "withdrawal": self._withdraw(id_),
            "review": self._review_or_be_late(id_),
            "clock": self.police.tick(),
            "partner's clock": self.fire.tick(),
        }

        async def race() -> None:
            await asyncio.gather(*(acts[act] for act in order))

        self.run(race())

    async def _review_or_be_late(self, id_: str) -> None:
        with suppress(NotFound, NotNow, OutcomeStands, VersionsDiffer):
            await self.fire.review(id_, *VERDICTS["approve"])
            self.decided[id_] = ("reviewer", "approve")

    @rule()
    def everything_arrives(self) -> None:
        self.run(self._carry())

    async def _carry(self) -> None:
        for side in self.sides.values():
            await self._send(side)
        for letter in self.letters:
            await self._deliver(letter, "is heard")
        for word in self.words:
            await self.sides[word.letter.sender].hear(word)
        self.letters.clear()
        self.words.clear()

    async def _deliver(self, letter: Letter, fate: str) -> None:
        sender = self.sides[letter.sender]
        receiver = self.police if sender is self.fire else self.fire
        word = await receiver.take(letter)
        self._same_final_reply(word)
        if fate == "receiver crashes":
            await self._crash(receiver)
        elif fate == "sender crashes":
            await self._crash(sender)
        elif fate == "is heard":
            await sender.hear(word)
        elif fate == "reply waits":
            self.words.append(word)

    def _same_final_reply(self, word: Word) -> None:
        """Law 3."""
        said = meaning(word)
        first = self.replies.get(word.letter.place)
        assert first in (None, word.reply.body)
        if isinstance(said, Receipt) or said.final:
            self.replies[word.letter.place] = word.reply.body

    # What must hold at every moment.

    @invariant()
    def all_is_well(self) -> None:
        held = {name: self.run(side.held()) for name, side in self.sides.items()}
        for name in SIDES:
            changed_along_the_table(held[name])
            what_falls_due_can_happen(held[name])
            if name in self.before:
                nothing_is_lost(self.before[name], held[name])
                no_final_state_is_left(self.before[name], held[name])
        nothing_unreleased_has_left(held[POLICE], (sent for sent in self.sent if sent.sender == POLICE))
        self._acknowledged_things_stand(held[POLICE], held[FIRE])
        there_is_one_outcome(held[POLICE], held[FIRE])
        what_was_said_is_heard(held[POLICE], held[FIRE])
        self.before = held

    def _acknowledged_things_stand(self, police: Held, fire: Held) -> None:
        for id_, changes in self.keys.values():
            assert police.exchanges[id_].user_count == len(changes["users"])
        for id_, (by, _) in self.decided.items():
            assert fire.exchanges[id_].decided_by == f"sip:{by}@{FIRE}"
        for id_ in self.withdrawals:
            assert police.exchanges[id_].state not in UNANSWERED
        for id_ in self.retrieved:
            assert police.exchanges[id_].state is State.RETRIEVED

    def teardown(self) -> None:
        try:
            if sys.exc_info() == (None, None, None):
                self.run(self._settle())
        finally:
            self.run(self._end())
            self.runner.close()
            shutil.rmtree(self.tmp)

    async def _settle(self) -> None:
        """The wire is good again: both sides come to agree; and when time is up, every exchange comes to an end."""
        await self._carry_all()
        both = {name: await side.held() for name, side in self.sides.items()}
        assert ends_of(both[POLICE], both[FIRE]) <= TOGETHER
        self.clock.advance(days=32)
        for side in self.sides.values():
            await side.tick()
        await self._carry_all()
        both = {name: await side.held() for name, side in self.sides.items()}
        assert {mine for mine, _ in ends_of(both[POLICE], both[FIRE])} <= NO_WAY_BACK.keys()
        assert ends_of(both[POLICE], both[FIRE]) <= TOGETHER
        there_is_one_outcome(both[POLICE], both[FIRE])

    async def _carry_all(self) -> None:
        for _ in range(20):
            await self._carry()
            waiting = [queued for side in self.sides.values() for queued in (await side.held()).outbox]
            if not waiting:
                return
            self.clock.advance(minutes=15)
        raise AssertionError(waiting)

    async def _end(self) -> None:
        for side in self.sides.values():
            await side.store.close()
        await self.stack.aclose()


Interleavings.TestCase.settings = settings(max_examples=MORE or 80, stateful_step_count=80 if MORE else 40)
TestInterleavings = pytest.mark.slow(pytest.mark.law(2)(pytest.mark.law(3)(Interleavings.TestCase)))
