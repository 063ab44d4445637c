"""Only what terms and rules name is exchanged and approved: every kind of the register, and one still to come."""

import tomllib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from acmx.domain import server_identity
from acmx.flows.policy import set_policy
from acmx.kinds import FORMER, KINDS
from acmx.kinds.catalogue import Held
from acmx.storage import policies
from acmx.storage.policies import PolicyText
from support.partner.by_hand import ByHand, pin
from support.systems.made_up import MADE_UP, registered
from support.systems.systems import EXAMPLES, FIRE, POLICE, System, two_systems

EVERY = [*KINDS, MADE_UP.NAME]
USUAL = {"max_open": 1_000, "max_users": 10_000, "max_per_hour": 3_600}
CATALOGUE = tomllib.loads((EXAMPLES / "catalogues" / "metro-police.toml").read_text())
OPEN = '@id("before") permit (principal, action == Action::"approve", resource);'


@pytest.fixture(autouse=True)
def _made_up() -> Iterator[None]:
    with registered():
        yield


@asynccontextmanager
async def fire_and_police_by_hand(tmp: Path) -> AsyncIterator[tuple[System, ByHand]]:
    """The fire service runs and exchanges every kind with the police, whose metadata names every kind."""
    async with two_systems(tmp, start=False) as (police, fire):
        metadata = msgspec.json.decode(police.own.metadata)
        metadata["kinds"] = [{"kind": kind, "versions": ["1.0"]} for kind in EVERY]
        await pin(fire, msgspec.json.encode(metadata))
        await fire.start()
        yield fire, ByHand.of(police)


async def agree(fire: System, *kinds: str) -> None:
    await fire.done("PUT", f"/partners/{POLICE}/terms", USUAL | {"kinds": kinds})


async def enter(fire: System) -> None:
    catalogue = tomllib.loads((EXAMPLES / "catalogues" / "county-fire.toml").read_text())
    await fire.done("PUT", "/server-identities", {"server_identity": catalogue})


def asked(police: ByHand, fire: System, kind: str) -> dict[str, Any]:
    """A request of this kind; where the primary gives, with what it gives."""
    if KINDS[kind].GIVER == "partner":
        return police.request(fire, kind=kind)
    identity = server_identity.read(CATALOGUE)
    held = Held(1, identity, tuple(server_identity.missing(identity)))
    return police.request(fire, kind=kind, users=[], content=KINDS[kind].content_of_request({}, held))


async def submitted(fire: System, kind: str, key: str) -> tuple[int, Any]:
    users = [f"sip:firefighter@{FIRE}"] if KINDS[kind].GIVER == "partner" else None
    return await fire.submit(key, kind=kind, partner=POLICE, users=users)


@pytest.mark.law(10)
@pytest.mark.step(2, 4)
@pytest.mark.parametrize("kind", EVERY)
async def test_a_kind_that_the_terms_do_not_list_is_not_exchanged(tmp_path: Path, kind: str) -> None:
    others = [other for other in EVERY if other != kind]

    async with fire_and_police_by_hand(tmp_path) as (fire, police):
        await enter(fire)

        async def is_exchanged(key: str) -> bool:
            """Asked by us and of us alike; what is refused is refused for good."""
            status, said = await submitted(fire, kind, key)
            answer = await police.put(fire, asked(police, fire, kind))
            if status == 201:
                assert answer.status == 200
                return True
            assert (status, said["rule"]) == (403, "partner-kinds")
            assert (answer.problem, answer.document["final"]) == ("unsupported-kind", True)
            return False

        await fire.store.write(lambda tx: tx.execute("DELETE FROM terms"))
        assert not await is_exchanged("no row")
        await agree(fire)
        assert not await is_exchanged("an empty list")
        await agree(fire, *others)
        assert not await is_exchanged("others")
        await agree(fire, kind)
        assert await is_exchanged("listed")


@pytest.mark.law(10)
@pytest.mark.step(12)
@pytest.mark.parametrize("kind", EVERY)
async def test_what_waits_is_not_approved_once_the_terms_no_longer_list_it(tmp_path: Path, kind: str) -> None:
    async with fire_and_police_by_hand(tmp_path) as (fire, police):
        await enter(fire)
        ids = []
        for _ in range(2):
            request = asked(police, fire, kind)
            assert (await police.put(fire, request)).status == 200
            ids.append(request["exchange"])
        await agree(fire)
        status, problem = await fire.review(ids[0])
        assert (status, problem["detail"]) == (
            409,
            f"{kind} is no longer exchanged with {POLICE}, by our terms",
        )
        assert (await fire.review(ids[0], {"approved": False}))[0] == 200
        await agree(fire, kind)
        assert (await fire.review(ids[1]))[0] == 200


@pytest.mark.law(10)
@pytest.mark.step(2)
@pytest.mark.parametrize("kind", EVERY)
async def test_what_waits_to_be_released_does_not_leave_once_the_terms_no_longer_list_it(
    tmp_path: Path, kind: str
) -> None:
    async with fire_and_police_by_hand(tmp_path) as (fire, _):
        await enter(fire)
        await fire.done("PUT", f"/partners/{POLICE}/approvals", {"kind": kind, "release": {"approvals": 1}})
        _, accepted = await submitted(fire, kind, "held")
        assert accepted["state"] == "awaiting_release"
        await agree(fire)
        status, problem = await fire.review(accepted["id"], account="reviewer")
        assert (status, "no longer exchanged" in problem["detail"]) == (409, True)
        assert await fire.counts("outbox") == {"outbox": 0}
        await agree(fire, kind)
        assert (await fire.review(accepted["id"], account="reviewer"))[0] == 200


@pytest.mark.law(10)
@pytest.mark.step(6)
@pytest.mark.parametrize("kind", EVERY)
async def test_a_policy_decides_over_the_kinds_that_it_names(tmp_path: Path, kind: str) -> None:
    async with fire_and_police_by_hand(tmp_path) as (fire, police):
        await enter(fire)

        async def outcome() -> str | None:
            request = asked(police, fire, kind)
            assert (await police.put(fire, request)).status == 200
            outcome: str | None = (await fire.exchange(request["exchange"])).get("outcome")
            return outcome

        for path, document in (
            ("/policy", {"text": OPEN}),
            ("/policy/check", {"text": OPEN}),
            ("/policy/trial", {"text": OPEN}),
        ):
            method = "PUT" if path == "/policy" else "POST"
            status, problem = await fire.call(method, path, document)
            assert (status, problem["faults"][0]["field"]) == (422, "before")
            assert f'resource == Kind::"{kind}"' in problem["faults"][0]["rule"]
        before = PolicyText(2, OPEN, 0, "sip:admin@before.example")
        await fire.store.write(lambda tx: policies.insert(tx, before))
        assert await outcome() == ("approved" if kind in FORMER else None)
        assert (await fire.store.read(set_policy.show)).unnamed == ["before"]
        assert (await fire.done("GET", "/policy"))["unnamed"] == ["before"]
        for named in EVERY:
            text = OPEN.replace("resource", f'resource == Kind::"{named}"')
            assert "unnamed" not in await fire.done("PUT", "/policy", {"text": text})
            assert await outcome() == ("approved" if kind == named else None)


@pytest.mark.law(10)
@pytest.mark.step(2)
@pytest.mark.parametrize("kind", EVERY)
async def test_whatever_a_request_discloses_is_withheld_where_a_rule_says_so(
    tmp_path: Path, kind: str
) -> None:
    async with fire_and_police_by_hand(tmp_path) as (fire, _):
        await enter(fire)
        text = '@id("nothing") permit (principal, action == Action::"withhold", resource);'
        await fire.done("PUT", "/policy", {"text": text})
        status, said = await submitted(fire, kind, "key")
        if not KINDS[kind].DISCLOSES:
            assert status == 201
            return
        assert (status, said["rule"], said["detail"]) == (403, "policy", "withheld by version 2: nothing")
        explained = await fire.done("GET", f"/requests/{said['exchange']}/explanation")
        assert [check["passed"] for check in explained["checks"]][-1] is False
