"""Whatever several people say of one request, in whatever order and under whatever threshold: the rules in short hold.

The model knows nothing of the code: who said what for which versions, and what follows from that.
"""

import asyncio
import tempfile
from collections.abc import Coroutine, Iterator
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from acmx.domain.acm1 import NewIdentities, VerdictInput
from acmx.domain.errors import AcmxError, OutcomeStands, ReviewStands, VersionsDiffer
from acmx.domain.messages import Response
from acmx.flows.carry_out import carry_out
from acmx.flows.holdings import enter_identities
from acmx.storage import holdings
from support.partner.sides import Side, caller
from support.systems.systems import FIRE, POLICE, Clock, two_systems

USERS = tuple(f"sip:officer.{n}@{POLICE}" for n in (1, 2, 3))
NOBODY: tuple[str, ...] = ()
DECLINED = (NOBODY, NOBODY, NOBODY, USERS[:1], USERS[1:2], USERS[:2], USERS)
reviews = st.tuples(
    st.just("review"),
    st.sampled_from(("ann", "bob", "cem")),
    st.sampled_from(DECLINED),
    st.sampled_from(("now", "now", "now", "then")),
)
changes = st.sampled_from(
    [("catalogue",), ("catalogue",), ("question",), ("crash",), *(("threshold", n) for n in (1, 2, 3))]
)
acts = st.lists(reviews | reviews | changes, min_size=3, max_size=10)


class Systems:
    """The two sides, once for all examples, and a loop to work in."""

    def __init__(self) -> None:
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.keys = count(1)

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(work)

    async def open(self, tmp: Path) -> None:
        police, fire = await self.stack.enter_async_context(two_systems(tmp, start=False))
        clock = Clock()
        self.police, self.fire = Side(police, fire, clock), Side(fire, police, clock)

    async def close(self) -> None:
        await self.stack.aclose()
        for side in (self.police, self.fire):
            await side.store.close()

    async def asked(self) -> str:
        """A new request that has arrived."""
        accepted = await self.police.submit(f"key {next(self.keys)}", users=list(USERS))
        for letter in await self.police.post(await self.police.look()):
            await self.police.hear(await self.fire.take(letter))
        return accepted.id

    async def next_catalogue(self) -> None:
        def prepare(tx: Any) -> enter_identities.Plan:
            held = holdings.current(tx)
            assert held is not None
            new = NewIdentities(server_identity=msgspec.json.decode(held.body))
            return enter_identities.prepare(self.fire.house, tx, caller(FIRE, "admin"), new)

        await carry_out(self.fire.store, prepare, enter_identities.apply)

    async def review(self, id_: str, person: str, declined: set[str], seen: str) -> Any:
        """What the reviewer is told: the outcome, or the type of the error."""
        verdicts = (VerdictInput(approved=False, users=tuple(declined)), VerdictInput(approved=True))
        if not declined:
            verdicts = verdicts[1:]
        try:
            return (await self.fire.review(id_, *verdicts, by=person, seen=seen)).outcome
        except AcmxError as error:
            return type(error)

    async def decided(self, id_: str) -> tuple[str, dict[str, bool]] | None:
        held = await self.fire.held()
        stored = [m for m in held.messages[id_] if m.type == "response"]
        assert len(stored) <= 1
        if not stored:
            return None
        response = msgspec.json.decode(stored[0].body, type=Response)
        return response.outcome, {user: v.approved for v in response.verdicts for user in v.users}


@pytest.fixture(scope="module")
def systems() -> Iterator[Systems]:
    both = Systems()
    with tempfile.TemporaryDirectory(prefix="acmx-eyes-") as tmp:
        both.run(both.open(Path(tmp)))
        yield both
        both.run(both.close())
        both.runner.close()


class Model:
    """`said`: by whom, whom they decline, for which versions. `seen` is what stands."""

    def __init__(self, threshold: int, seen: str) -> None:
        self.threshold = threshold
        self.seen = seen
        self.said: dict[str, tuple[set[str], str]] = {}
        self.verdicts: dict[str, bool] | None = None

    @property
    def outcome(self) -> str:
        if self.verdicts is None:
            return "undecided"
        approved = sum(self.verdicts.values())
        return {0: "declined", len(USERS): "approved"}.get(approved, "partly-approved")

    def review(self, person: str, declined: set[str], seen: str) -> Any:
        mine = self.said.get(person)
        same = mine is not None and mine[0] == declined
        if self.verdicts is not None:
            return self.outcome if same else OutcomeStands
        if mine and mine[1] == self.seen:
            if not same:
                return ReviewStands
        elif seen != self.seen:
            return "undecided" if same else VersionsDiffer
        elif mine and not mine[0] <= declined:
            return ReviewStands
        else:
            self.said[person] = declined, seen
        against = set().union(*(others for others, _ in self.said.values()))
        counting = sum(versions == self.seen for _, versions in self.said.values())
        if counting >= self.threshold or against == set(USERS):
            self.verdicts = {user: user not in against for user in USERS}
        return self.outcome


@pytest.mark.law(4)
@pytest.mark.step(11, 12)
@given(threshold=st.sampled_from((1, 2, 2, 3)), acts=acts)
@example(
    threshold=3, acts=[("review", "ann", USERS[:1], "now"), ("catalogue",), ("review", "ann", (), "now")]
)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_several_people_and_a_threshold(systems: Systems, threshold: int, acts: list[Any]) -> None:
    async def scenario() -> None:
        await systems.fire.needs(review=threshold)
        id_ = await systems.asked()
        first = await systems.fire.seen(id_)
        model = Model(threshold, first)
        for act in acts:
            if act[0] == "review":
                _, person, named, when = act
                declined = set(named)
                seen = model.seen if when == "now" else first
                expected = model.review(person, declined, seen)
                assert await systems.review(id_, person, declined, seen) == expected
            elif act[0] == "threshold":
                await systems.fire.needs(review=act[1])
                model.threshold = act[1]
            elif act[0] == "catalogue":
                await systems.next_catalogue()
            elif act[0] == "crash":
                await systems.fire.crash()
            elif model.verdicts is None:
                await systems.fire.ask(id_, f"question {next(systems.keys)}")
            if model.verdicts is None:
                model.seen = await systems.fire.seen(id_)
            found = await systems.decided(id_)
            assert found == (None if model.verdicts is None else (model.outcome, model.verdicts))

    systems.run(scenario())
