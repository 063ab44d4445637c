"""More than one pair of eyes at B: a user is approved by enough people, and declined by one."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from acmx.domain.messages import PROBLEM
from acmx.storage.exchange import exchanges, reviews
from acmx.storage.exchange.reviews import Given
from support.systems import engines
from support.systems.systems import FIRE, POLICE, System, eventually, two_systems

USERS = [f"sip:officer.{n}@{POLICE}" for n in (1, 2)]
YES, NO = {"approved": True}, {"approved": False}
ONE = ({"approved": True, "users": USERS[:1]}, NO)
APPROVE_ALL = (
    '@id("all") permit (principal, action == Action::"approve", resource == Kind::"server-identity");'
)
DECLINE_ALL = '@id("none") permit (principal, action == Action::"decline", resource);'
pytestmark = pytest.mark.step(11, 12)


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(scenario)


async def needs(system: System, partner: str, **threshold: Any) -> Any:
    """`review=2`: so many people must approve; a document is taken as it is."""
    sides = {s: t if isinstance(t, dict) else {"approvals": t} for s, t in threshold.items()}
    return await system.done("PUT", f"/partners/{partner}/approvals", {"kind": "server-identity", **sides})


async def stored(police: System, key: str = "key", **changes: Any) -> str:
    _, accepted = await police.submit(key, **changes)
    await police.reaches(accepted["id"], "stored")
    return str(accepted["id"])


def refused(said: tuple[int, Any], status: int, type_: str) -> Any:
    assert (said[0], said[1].get("type")) == (status, PROBLEM + type_), said
    return said[1]


async def to_decide(fire: System, account: str) -> list[str]:
    return [e["id"] for e in (await fire.done("GET", "/pending", account=account))["to_decide"]]


async def events(system: System, id_: str) -> list[str]:
    return [entry["event"] for entry in (await system.exchange(id_))["journal"]]


def test_one_approval_is_not_enough_where_two_are_needed(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            await needs(fire, POLICE, review=2)
            id_ = await stored(police)
            first = {"id": id_, "state": "pending", "outcome": "undecided", "approved": 0, "declined": 0}
            assert await fire.review(id_, YES, account="reviewer") == (
                200,
                first | {"approvals": 1, "needed": 2},
            )
            exchange = await fire.exchange(id_)
            assert (exchange["state"], exchange["approvals_needed"]) == ("pending", 2)
            assert [(r["person"], r["approved"], r["counts"]) for r in exchange["reviews"]] == [
                (f"sip:reviewer@{FIRE}", 2, True)
            ]
            assert await to_decide(fire, "reviewer") == []
            assert await to_decide(fire, "admin") == [id_]
            _, second = await fire.review(id_, YES, account="admin")
            assert (second["outcome"], second["approved"]) == ("approved", 2)
            answer = await police.reaches(id_, "answered")
            assert (answer["outcome"], answer["decided_by"]) == ("approved", f"sip:admin@{FIRE}")
            last = next(e for e in (await fire.exchange(id_))["journal"] if e["event"] == "reviewed")
            assert last["detail"]["reviewed_before_by"] == [f"sip:reviewer@{FIRE}"]
            assert len(await fire.rows("SELECT 1 FROM message WHERE type = 'response'")) == 1

    run(scenario())


def test_any_decline_of_a_user_is_final_for_that_user(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            await needs(fire, POLICE, review=2)
            id_ = await stored(police)
            assert (await fire.review(id_, *ONE, reason="unknown", account="reviewer"))[1]["declined"] == 1
            assert (await fire.review(id_, YES, account="admin"))[1]["outcome"] == "partly-approved"
            verdicts = (await police.reaches(id_, "answered"))["verdicts"]
            assert verdicts == [
                {"approved": True, "users": USERS[:1], "reason": "as agreed"},
                {"approved": False, "users": USERS[1:], "reason": "unknown"},
            ]

    run(scenario())


def test_one_person_declines_a_whole_request(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            await needs(fire, POLICE, review=3)
            id_ = await stored(police)
            assert (await fire.review(id_, NO, account="reviewer"))[1]["outcome"] == "declined"
            refused(await fire.review(id_, YES, account="admin"), 409, "outcome-stands")
            assert (await police.reaches(id_, "answered"))["outcome"] == "declined"

    run(scenario())


@pytest.mark.law(4)
def test_nobody_counts_twice_and_the_same_review_is_a_success(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            await needs(fire, POLICE, review=2)
            id_ = await stored(police)
            said = [await fire.review(id_, YES, account="reviewer") for _ in range(3)]
            assert {(status, told["approvals"]) for status, told in said} == {(200, 1)}
            stands = refused(await fire.review(id_, NO, account="reviewer"), 409, "review-stands")
            assert (stands["seen"], stands["reason"]) == ("1.1", "as agreed")
            refused(await fire.review(id_, YES, reason="twice", account="reviewer"), 409, "review-stands")
            assert (await events(fire, id_)).count("review-stored") == 1
            await fire.review(id_, YES, account="admin")
            await police.reaches(id_, "answered")
            status, told = await fire.review(id_, YES, account="reviewer")
            assert (status, told["outcome"]) == (200, "approved")
            refused(await fire.review(id_, NO, account="reviewer"), 409, "outcome-stands")

    run(scenario())


@pytest.mark.law(4)
def test_two_reviewers_who_complete_at_the_same_moment(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            await needs(fire, POLICE, review=2)
            for n in range(8):
                id_ = await stored(police, str(n))
                seen = (await fire.exchange(id_))["seen"]
                said = await asyncio.gather(
                    *(fire.review(id_, YES, seen=seen, account=name) for name in ("admin", "reviewer") * 2)
                )
                assert [status for status, _ in said] == [200] * 4, said
                assert {told["outcome"] for _, told in said} >= {"approved"}
                await police.reaches(id_, "answered")
                exchange = await fire.reaches(id_, "delivered")
                happened = await events(fire, id_)
                assert (happened.count("review-stored"), happened.count("reviewed")) == (1, 1)
                assert len(exchange["reviews"]) == 2
            assert len(await fire.rows("SELECT 1 FROM message WHERE type = 'response'")) == 8

    run(scenario())


@pytest.mark.law(4)
def test_an_approval_and_a_decline_at_the_same_moment_decline(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            await needs(fire, POLICE, review=2)
            for n in range(6):
                id_ = await stored(police, str(n))
                seen = (await fire.exchange(id_))["seen"]
                yes, no = await asyncio.gather(
                    fire.review(id_, YES, seen=seen, account="admin"),
                    fire.review(id_, NO, seen=seen, account="reviewer"),
                )
                assert (no[0], no[1]["outcome"]) == (200, "declined")
                assert yes[0] in (200, 409)
                assert (await police.reaches(id_, "answered"))["outcome"] == "declined"

    run(scenario())


def test_an_approval_for_an_older_catalogue_no_longer_counts_and_is_asked_for_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            await needs(fire, POLICE, review=2)
            id_ = await stored(police)
            seen = (await fire.exchange(id_))["seen"]
            await fire.review(id_, *ONE, account="reviewer")
            identities = await fire.done("GET", "/server-identities")
            await fire.done("PUT", "/server-identities", {"server_identity": identities["server_identity"]})
            assert await to_decide(fire, "reviewer") == [id_]
            exchange = await fire.exchange(id_)
            assert [review["counts"] for review in exchange["reviews"]] == [False]
            refused(await fire.review(id_, YES, seen=seen, account="admin"), 412, "versions-differ")
            assert (await fire.review(id_, *ONE, seen=seen, account="reviewer"))[0] == 200
            assert (await fire.review(id_, YES, account="admin"))[1]["outcome"] == "undecided"
            refused(await fire.review(id_, YES, account="reviewer"), 409, "review-stands")
            assert (await fire.review(id_, *ONE, account="reviewer"))[1]["outcome"] == "partly-approved"
            assert (await police.reaches(id_, "answered"))["outcome"] == "partly-approved"

    run(scenario())


def test_the_threshold_in_force_counts(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            id_ = await stored(police)
            await needs(fire, POLICE, review=3)
            await fire.review(id_, YES, account="reviewer")
            assert (await fire.review(id_, YES, account="admin"))[1]["approvals"] == 2
            await needs(fire, POLICE, review=2)
            assert (await fire.exchange(id_))["state"] == "pending"
            assert (await fire.review(id_, YES, account="reviewer"))[1]["outcome"] == "approved"
            rows = [e for e in (await fire.done("GET", "/audit"))["items"] if e["event"] == "approvals-set"]
            assert [(e["detail"]["old"], e["detail"]["new"]) for e in rows] == [(3, 2), (1, 3)]
            shown = (await fire.done("GET", f"/partners/{POLICE}"))["approvals"]
            assert shown == [{"kind": "server-identity", "review": {"approvals": 2}}]

    run(scenario())


@pytest.mark.law(10)
def test_who_may_be_one_of_several(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            agent = {"name": "agent", "mc_service_id": f"sip:agent@{FIRE}", "roles": ["reviewer"]}
            await fire.done("POST", "/accounts", agent | {"automatic": True, "password": "a long password"})
            credentials = {"account": "agent", "password": "a long password"}
            token = (await fire.done("POST", "/sessions", credentials))["token"]
            await needs(fire, POLICE, review={"approvals": 2, "roles": ["auditor"]})
            id_ = await stored(police)
            assert refused(await fire.review(id_, account=token), 403, "not-allowed")["rule"] == "people"
            by = refused(await fire.review(id_, account="reviewer"), 403, "not-allowed")
            assert (by["rule"], await to_decide(fire, "reviewer")) == ("approvers", [])
            assert (await fire.review(id_, account="admin"))[0] == 200
            await needs(fire, POLICE, review=1)
            assert (await fire.review(id_, account=token))[1]["outcome"] == "approved"
            faulty = {"kind": "group", "review": {"approvals": 0, "roles": ["nobody"]}}
            status, problem = await fire.call("PUT", f"/partners/{POLICE}/approvals", faulty)
            assert (status, len(problem["faults"])) == (422, 3)

    run(scenario())


def test_a_request_to_one_person_is_everybody_s_where_several_must_approve(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            await needs(fire, POLICE, review=2)
            id_ = await stored(police, addressee={"mc_service_id": f"sip:admin@{FIRE}"})
            assert await to_decide(fire, "reviewer") == [id_]
            notices = (await fire.done("GET", "/notices"))["items"]
            assert [n.get("person") for n in notices if n["exchange"] == id_] == [None]
            await fire.review(id_, account="reviewer")
            assert (await fire.review(id_, account="admin"))[1]["outcome"] == "approved"

    run(scenario())


@pytest.mark.step(6)
@pytest.mark.parametrize(("policy", "outcome"), [(APPROVE_ALL, None), (DECLINE_ALL, "declined")])
def test_no_rule_approves_where_several_must_but_one_may_decline(
    policy: str, outcome: str | None, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            await fire.done("PUT", "/policy", {"text": policy})
            await needs(fire, POLICE, review=2)
            _, accepted = await police.submit()
            exchange = await fire_has(fire, accepted["id"])
            assert exchange.get("outcome") == outcome
            await needs(fire, POLICE, review=1)
            _, accepted = await police.submit("2")
            assert (await fire_has(fire, accepted["id"]))["outcome"] == (outcome or "approved")

    run(scenario())


async def fire_has(fire: System, id_: str) -> Any:
    """The exchange, once it has arrived."""
    await eventually(lambda: fire.call("GET", f"/requests/{id_}"), lambda said: said[0] == 200)
    return await fire.exchange(id_)


@pytest.mark.law(7)
def test_the_others_are_told_each_time_that_an_approval_is_still_needed(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            await needs(fire, POLICE, review=3)
            id_ = await stored(police)
            await fire.review(id_, account="reviewer")
            await fire.review(id_, account="admin")
            notices = (await fire.done("GET", "/notices"))["items"]
            assert [n["event"] for n in notices if n["exchange"] == id_] == [
                *["review-stored"] * 2,
                "request",
            ]

    run(scenario())


@pytest.mark.parametrize("end", ["withdrawn", "expired"])
def test_what_ends_in_between_ends(end: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            await needs(fire, POLICE, review=2)
            id_ = await stored(police)
            seen = (await fire.exchange(id_))["seen"]
            await fire.review(id_, account="reviewer")
            if end == "withdrawn":
                await police.withdraw(id_)
                await fire.reaches(id_, "withdrawn")
            else:
                fire.clock.advance(days=31)
                await fire.tick()
            refused(await fire.review(id_, seen=seen, account="admin"), 409, "outcome-stands")
            assert (await fire.review(id_, seen=seen, account="reviewer"))[0] == 200
            here = await police.reaches(id_, "withdrawn", "answered")
            assert here.get("outcome") == (None if end == "withdrawn" else "expired")

    run(scenario())


def test_what_was_approved_survives_a_restart(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            await needs(fire, POLICE, review=2)
            id_ = await stored(police)
            await fire.review(id_, account="reviewer")
            await fire.restart()
            assert (await fire.review(id_, account="admin"))[1]["outcome"] == "approved"
            await police.reaches(id_, "answered")

    run(scenario())


def test_the_database_itself_takes_no_second_and_no_own_review(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            await needs(fire, POLICE, review=2)
            id_ = await stored(police)
            await fire.review(id_, account="reviewer")
            exchange = await fire.store.read(lambda tx: exchanges.find(tx, POLICE, id_))
            assert exchange is not None

            def by(person: str, asker: str = exchange.asker) -> Given:
                return Given(POLICE, id_, asker, person, 0, "another", 1, 1, 2, "[]", "bypassed")

            again = "INSERT INTO review SELECT * FROM review"
            with pytest.raises(engines.CONSTRAINT, match=r"(?i)unique"):
                await fire.store.write(lambda tx: tx.execute(again))
            own = exchange.asker.upper().replace("SIP:", "sip:")
            for person in (exchange.asker, own):
                with pytest.raises(engines.CONSTRAINT, match="nobody_approves_the_own_request"):
                    await fire.store.write(lambda tx, person=person: reviews.put(tx, by(person)))
            with pytest.raises(engines.CONSTRAINT, match=r"(?i)foreign key"):
                await fire.store.write(lambda tx: reviews.put(tx, by(exchange.asker, "sip:x@y.example")))
            assert await fire.rows("SELECT person FROM review") == [(f"sip:reviewer@{FIRE}",)]

    run(scenario())
