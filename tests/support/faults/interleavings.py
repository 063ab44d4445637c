"""Two real MC systems without a network, what their people and policies do, and what was acknowledged to whom."""

import asyncio
import tempfile
from collections.abc import Coroutine
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, precondition, rule

from acmx.domain.acm1 import VerdictInput
from acmx.domain.errors import (
    AcmxError,
    NotAllowed,
    NotFound,
    NotNow,
    NotYet,
    OutcomeStands,
    ReviewStands,
    VersionsDiffer,
)
from acmx.domain.exchange import UNDECIDED, Event, State, transition
from acmx.domain.identities import Realms
from acmx.domain.moments import to_ms
from acmx.flows.exchange.retrieve import WAITING
from support.partner.invariants import ENDED_WITHOUT_ANSWER, NO_WAY_BACK
from support.partner.sides import Held, Letter, Side, Word, caller
from support.systems.systems import FIRE, POLICE, Clock, turns, two_systems

SIDES = (POLICE, FIRE)
USERS = [f"sip:officer.{n}@{POLICE}" for n in (1, 2, 3)]
STRANGER = "sip:guest@guests.example"
POLICIES = {
    "nothing": "",
    "approves": '@id("small") permit (principal, action == Action::"approve", resource == Kind::"server-identity") '
    "when { context.users <= 2 };",
    "declines": '@id("no-hurry") permit (principal, action == Action::"decline", resource) '
    'when { context.urgency == "urgent" };',
}
VERDICTS = {
    "approve": (VerdictInput(approved=True),),
    "decline": (VerdictInput(approved=False),),
    "one": (VerdictInput(approved=True, users=(USERS[0],)), VerdictInput(approved=False)),
}
some = st.integers(0, 9)
requests = st.fixed_dictionaries(
    {
        "users": st.sampled_from([USERS[:2], USERS, USERS[:2], [*USERS[:1], STRANGER]]),
        "urgency": st.sampled_from(["normal", "urgent"]),
        "lasts": st.sampled_from([None, timedelta(hours=1)]),
        "ends": st.sampled_from([None, timedelta(days=20)]),
        "may": st.sampled_from([True, True, True, True, False]),
        "then": st.sampled_from(["waits", "is sent", "is lost", "arrives", "is withdrawn"]),
    }
)
names = st.sampled_from(SIDES)


class People(RuleBasedStateMachine):
    """The model: what was acknowledged to whom."""

    exchanges = Bundle("exchanges")

    def __init__(self) -> None:
        super().__init__()
        self.tmp = Path(tempfile.mkdtemp(prefix="acmx-interleavings-"))
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.clock = Clock()
        self.letters: list[Letter] = []
        self.sent: list[Letter] = []
        self.words: list[Word] = []
        self.sides: dict[str, Side] = {}
        self.keys: dict[str, tuple[str, dict[str, Any]]] = {}
        self.replies: dict[tuple[object, ...], bytes] = {}
        self.decided: dict[str, tuple[str, str]] = {}
        self.withdrawals: set[str] = set()
        self.retrieved: set[str] = set()
        self.before: dict[str, Held] = {}
        self.long_waits = 0

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(work)

    @initialize(
        target=exchanges,
        skew=st.sampled_from([-200, 0, 200]),
        policy=st.sampled_from(list(POLICIES)),
        release=st.sampled_from([0, 0, 1, 2]),
        request=requests,
    )
    def two_onboarded_systems(self, skew: int, policy: str, release: int, request: dict[str, Any]) -> str:
        """The partner's clock differs by `skew` seconds; the primary has users of whom the partner knows nothing.

        So many people have to release a request.
        """

        async def begin() -> None:
            police, fire = await self.stack.enter_async_context(two_systems(self.tmp, start=False))
            wider = replace_hosts(police.config.realms, "guests.example")
            self.police = Side(police, fire, self.clock, realms=wider)
            self.fire = Side(fire, police, lambda: self.clock() + timedelta(seconds=skew))
            self.sides = {POLICE: self.police, FIRE: self.fire}
            await self.fire.set_policy(POLICIES[policy])
            await self.police.needs(release=release)

        self.run(begin())
        return self._submit(**request)

    # The primary system's people.

    @precondition(lambda self: len(self.keys) < 3)
    @rule(target=exchanges, request=requests)
    def submit(self, request: dict[str, Any]) -> str:
        return self._submit(**request)

    def _submit(
        self,
        users: list[str],
        urgency: str,
        lasts: timedelta | None,
        ends: timedelta | None,
        may: bool,
        then: str,
    ) -> str:
        now = self.clock()
        changes = {
            "users": users,
            "urgency": urgency,
            "expires_at": lasts and now + lasts,
            "valid_until": ends and now + ends,
            "by": None if may else caller(POLICE, "requester", "auditor"),
        }
        key = f"key-{len(self.keys)}"
        id_ = self.run(self._submitted(key, changes))
        self.keys[key] = (id_, changes)
        if then in ("is sent", "is lost"):
            self.run(self._send(self.police))
        if then == "is lost":
            self.letters = [letter for letter in self.letters if letter.place[1] != id_]
        elif then == "is withdrawn":
            self.run(self._withdraw_as_it_is_sent(id_))
        elif then == "arrives":
            self.run(self._carry())
        return id_

    @precondition(lambda self: self.keys)
    @rule(which=some)
    def submit_again_with_the_same_key(self, which: int) -> None:
        key, (id_, changes) = pick(list(self.keys.items()), which)
        assert self.run(self._submitted(key, changes)) == id_

    async def _submitted(self, key: str, changes: dict[str, Any]) -> str:
        try:
            return (await self.police.submit(key, **changes)).id
        except NotAllowed as refused:
            return str(refused.members["exchange"])

    @rule(id_=exchanges, just_as_it_is_sent=st.booleans())
    def withdraw(self, id_: str, just_as_it_is_sent: bool) -> None:
        self.run(self._withdraw_as_it_is_sent(id_) if just_as_it_is_sent else self._withdraw(id_))

    async def _withdraw_as_it_is_sent(self, id_: str) -> None:
        """The link has looked for what waits; before it posts, the withdrawal is written."""
        looked = await self.police.look()
        withdrawing = asyncio.create_task(self._withdraw(id_))
        await turns()
        self._posted(await self.police.post(looked))
        await withdrawing

    async def _withdraw(self, id_: str) -> None:
        try:
            await self.police.withdraw(id_)
        except NotNow:
            exchange = await self.police.exchange(id_)
            assert exchange is not None
            assert exchange.state in NO_WAY_BACK
            return
        self.withdrawals.add(id_)

    @rule(id_=exchanges, by=st.sampled_from(["reviewer", "second", "requester"]), approved=st.booleans())
    def release(self, id_: str, by: str, approved: bool) -> None:
        async def release() -> None:
            before = await self.police.exchange(id_)
            assert before is not None
            with suppress(NotNow, OutcomeStands, ReviewStands, NotAllowed):
                await self.police.review(id_, VerdictInput(approved), by=by)
                assert by != "requester"
            after = await self.police.exchange(id_)
            assert after is not None
            assert before.state in (State.AWAITING_RELEASE, after.state)

        self.run(release())

    @rule(id_=exchanges)
    def retrieve(self, id_: str) -> None:
        async def retrieve() -> None:
            exchange = await self.police.exchange(id_)
            assert exchange is not None
            try:
                answer = await self.police.retrieve(id_)
            except NotYet:
                assert exchange.state in WAITING
            except NotNow:
                assert exchange.state in ENDED_WITHOUT_ANSWER
            else:
                at_fire = await self.fire.exchange(id_)
                assert at_fire is not None
                assert answer.outcome == at_fire.outcome
                self.retrieved.add(id_)

        self.run(retrieve())

    @rule(id_=exchanges, text=st.sampled_from(["two boats", "three boats"]))
    def answer(self, id_: str, text: str) -> None:
        async def answer() -> None:
            before = await self.police.exchange(id_)
            assert before is not None
            waiting = transition("primary", before.state, Event.ANSWER_SENT)
            with suppress(NotNow):
                after = await self.police.answer(id_, text)
                assert after.state == (waiting.target if waiting else before.state)
                return
            assert waiting is None

        self.run(answer())

    # The partner system's people and policy.

    @rule(
        id_=exchanges,
        by=st.sampled_from(["reviewer", "second"]),
        text=st.sampled_from(["which boats?", "how many?"]),
    )
    def ask(self, id_: str, by: str, text: str) -> None:
        async def ask() -> None:
            before = await self.fire.exchange(id_)
            with suppress(NotFound, NotNow):
                after = await self.fire.ask(id_, text, by=by)
                assert before is not None
                assert after.state == (State.MORE_INFORMATION if before.state in UNDECIDED else before.state)
                return
            assert before is None or before.state not in UNDECIDED

        self.run(ask())

    @rule(
        id_=exchanges,
        by=st.sampled_from(["reviewer", "second"]),
        verdict=st.sampled_from(list(VERDICTS)),
        stale=st.sampled_from([False, False, True]),
    )
    def review(self, id_: str, by: str, verdict: str, stale: bool) -> None:
        async def review() -> None:
            before = await self.fire.exchange(id_)
            seen = "0.0" if stale else None
            try:
                reviewed = await self.fire.review(id_, *VERDICTS[verdict], by=by, seen=seen)
            except AcmxError as error:
                assert type(error) is self._expected(before, id_, by, verdict, stale)  # noqa: PT017
                return
            assert self._expected(before, id_, by, verdict, stale) is None
            self.decided[id_] = (by, verdict)
            after = await self.fire.exchange(id_)
            assert after is not None
            assert (after.outcome, after.decided_by) == (reviewed.outcome, f"sip:{by}@{FIRE}")

        self.run(review())

    def _expected(self, before: Any, id_: str, by: str, verdict: str, stale: bool) -> type[AcmxError] | None:
        """The guards in order: the same review again, the outcome stands, too late, either version differs (law 4)."""
        if before is None:
            return NotFound
        if before.kind is None:
            return NotNow
        if self.decided.get(id_) == (by, verdict):
            return None
        if before.state not in UNDECIDED:
            return OutcomeStands
        if before.expires_at is not None and before.expires_at <= to_ms(self.fire.house.clock()):
            return NotNow
        return VersionsDiffer if stale else None

    @rule(id_=exchanges, verdicts=st.lists(st.sampled_from(list(VERDICTS)), min_size=2, max_size=2))
    def two_reviewers_and_the_clock_at_once(self, id_: str, verdicts: list[str]) -> None:
        async def race() -> None:
            before = await self.fire.exchange(id_)
            done = await asyncio.gather(
                self.fire.review(id_, *VERDICTS[verdicts[0]], by="reviewer"),
                self.fire.review(id_, *VERDICTS[verdicts[1]], by="second"),
                self.fire.tick(),
                return_exceptions=True,
            )
            refused = [error for error in done[:2] if isinstance(error, BaseException)]
            assert all(isinstance(error, NotFound | NotNow | OutcomeStands) for error in refused)
            assert done[2] is None
            if before is not None and before.state in UNDECIDED:
                after = await self.fire.exchange(id_)
                assert after is not None
                winner = [n for n, reviewed in enumerate(done[:2]) if not isinstance(reviewed, BaseException)]
                assert len(winner) <= 1
                assert bool(winner) is (after.decided_by is not None)
                for n in winner:
                    self.decided[id_] = (("reviewer", "second")[n], verdicts[n])

        self.run(race())

    @rule(policy=st.sampled_from(list(POLICIES)))
    def set_policy(self, policy: str) -> None:
        self.run(self.fire.set_policy(POLICIES[policy]))

    def _posted(self, letters: list[Letter]) -> None:
        self.letters += letters
        self.sent += letters


def pick(things: list[Any], which: int) -> Any:
    return things[which % len(things)]


def replace_hosts(realms: Realms, more: str) -> Realms:
    return msgspec.structs.replace(realms, hosts=(*realms.hosts, more))
