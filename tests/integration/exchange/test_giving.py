"""R-5.16.4-005: a system gives its server identities unasked; the partner accepts or declines them whole."""

import asyncio
import json
import tomllib
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from acmx.domain.messages import PROBLEM
from acmx.kinds import KINDS
from acmx.trust.evidence_check import check as check_evidence
from integration.provisioning.test_provisioning import TEMPLATE, enter
from support.systems.restores import agree, back_up, compared, restore, systems
from support.systems.systems import EXAMPLES, FIRE, POLICE, System, eventually, two_systems

KIND = "server-identity-provision"
YES, NO = {"approved": True}, {"approved": False}


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(scenario)


async def give(
    fire: System, key: str = "key", account: str = "identity-editor", **changes: Any
) -> tuple[int, Any]:
    usual: dict[str, Any] = {"kind": KIND, "partner": POLICE, "users": None, "purpose": "agreement 2026-17"}
    return await fire.submit(key, account=account, **(usual | changes))


async def given(police: System, fire: System, key: str = "key", **changes: Any) -> str:
    """The id of what the fire service gave and the police have stored."""
    status, accepted = await give(fire, key, **changes)
    assert status == 201, accepted
    await fire.reaches(accepted["id"], "stored")
    return str(accepted["id"])


async def accepted(police: System, fire: System, key: str = "key", **changes: Any) -> str:
    id_ = await given(police, fire, key, **changes)
    status, said = await police.review(id_, account="reviewer")
    assert (status, said.get("outcome")) == (200, "approved"), said
    await fire.reaches(id_, "answered")
    await police.reaches(id_, "delivered")
    return id_


def refused(said: tuple[int, Any], status: int, type_: str) -> Any:
    assert (said[0], said[1].get("type")) == (status, PROBLEM + type_), said
    return said[1]


async def set_terms(system: System, partner: str, **terms: Any) -> None:
    usual = {"kinds": list(KINDS), "max_open": 10, "max_users": 10, "max_per_hour": 100}
    await system.done("PUT", f"/partners/{partner}/terms", usual | terms)


async def set_policy(system: System, action: str, when: str = "") -> None:
    text = f'@id("the-rule") permit (principal, action == Action::"{action}", resource == Kind::"{KIND}") {when};'
    await system.done("PUT", "/policy", {"text": text})


def test_what_is_given_is_what_an_approved_request_would_have_disclosed(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            _, asked = await police.submit("asked")
            await police.reaches(asked["id"], "stored")
            await fire.review(asked["id"])
            await police.reaches(asked["id"], "answered")
            disclosed = (await police.exchange(asked["id"]))["disclosed"]
            id_ = await accepted(police, fire)
            for system, account in ((police, "reviewer"), (fire, "identity-editor")):
                exchange = await system.exchange(id_, account=account)
                assert exchange["content"] == exchange["disclosed"] == disclosed
                assert (exchange["primary"], exchange["outcome"], exchange["grant"]) == (
                    FIRE,
                    "approved",
                    "live",
                )
            answer = await fire.done("POST", f"/requests/{id_}/retrieval", account="identity-editor")
            assert (answer["outcome"], answer.get("content")) == ("approved", None)
            [verdict] = answer["verdicts"]
            assert (verdict["approved"], verdict["users"], verdict["reason"]) == (True, [], "as agreed")
            await fire.reaches(id_, "retrieved")

    run(scenario())


def test_only_services_that_are_offered_are_given_and_only_those_that_were_named(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            id_ = await given(police, fire, content={"services": ["mcdata"]})
            content = (await police.exchange(id_))["content"]
            assert content["services"] == ["mcdata"]
            assert {
                name for name in content["server_identity"] if name.startswith("mc") and "server" in name
            } == {"mcdata_server"}
            problem = refused(
                await give(fire, "not offered", content={"services": ["mcvideo"]}), 422, "invalid-input"
            )
            assert problem["faults"][0]["field"] == "content.services"
            refused(
                await give(fire, "twice", content={"services": ["mcdata", "mcdata"]}), 422, "invalid-input"
            )
            foreign = await give(fire, "users", users=[f"sip:officer.1@{POLICE}"])
            assert refused(foreign, 422, "invalid-input")["faults"][0]["field"] == "users"

    run(scenario())


@pytest.mark.law(14)
def test_who_has_entered_nothing_gives_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, _):
            status, problem = await give(police, partner=FIRE)
            assert (status, problem["type"]) == (422, PROBLEM + "incomplete"), problem
            assert (await police.counts("exchange"))["exchange"] == 0

    run(scenario())


def test_what_is_missing_is_marked_where_both_sides_see_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            catalogue = tomllib.loads((EXAMPLES / "catalogues" / "county-fire.toml").read_text())
            del catalogue["kms"]
            new = {"server_identity": catalogue, "incomplete": True}
            await fire.done("PUT", "/server-identities", new)
            id_ = await given(police, fire)
            for system in (police, fire):
                assert (await system.exchange(id_))["missing"] == ["kms"]

    run(scenario())


@pytest.mark.law(10)
@pytest.mark.parametrize("account", ["requester", "reviewer", "partner-administrator", "auditor", "operator"])
def test_only_an_identity_editor_gives_and_nobody_else_is_shown_anything(
    account: str, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path, start=False) as (_, fire):
            await fire.start()
            problem = refused(await give(fire, account=account), 403, "not-allowed")
            assert problem["rule"] == "role:give"
            exchange = await fire.exchange(problem["exchange"])
            assert (exchange["state"], exchange["content"]) == ("refused_here", {})
            assert (await fire.counts("outbox"))["outbox"] == 0
            [[body]] = await fire.rows("SELECT body FROM message")
            assert b"https://" not in body

    run(scenario())


@pytest.mark.law(10)
def test_an_identity_editor_does_not_ask_and_the_terms_hold_for_giving_too(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            said = await police.submit("asks", account="identity-editor")
            assert refused(said, 403, "not-allowed")["rule"] == "role:submit"
            await set_terms(fire, POLICE, kinds=["server-identity"])
            assert refused(await give(fire, "kinds"), 403, "not-allowed")["rule"] == "partner-kinds"
            await set_terms(fire, POLICE, askers=["requester"])
            assert refused(await give(fire, "askers"), 403, "not-allowed")["rule"] == "partner-askers"
            await set_terms(fire, POLICE, kinds=[KIND], askers=["identity-editor"])
            await set_terms(police, FIRE, kinds=["server-identity"])
            _, sent = await give(fire, "not taken there")
            exchange = await fire.reaches(sent["id"], "refused_by_partner")
            assert exchange["refusal"]["type"] == PROBLEM + "unsupported-kind"
            listed = (await police.done("GET", "/requests"))["items"]
            assert {exchange["role"] for exchange in listed} == {"primary"}

    run(scenario())


@pytest.mark.law(10)
@pytest.mark.parametrize(
    ("when", "withheld"),
    [
        ("", True),
        (f'when {{ principal == MCSystem::"{POLICE}" }}', True),
        ('when { context.services.contains("mcvideo") }', False),
        ("when { context.hour + 9223372036854775807 > 0 }", True),
    ],
)
def test_the_policy_of_the_giver_withholds(when: str, withheld: bool, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path, start=False) as (_, fire):
            await fire.start()
            await set_policy(fire, "withhold", when)
            said = await give(fire)
            if not withheld:
                assert said[0] == 201
                checks = (await fire.done("GET", f"/requests/{said[1]['id']}/explanation"))["checks"]
                assert [check["rule"] for check in checks][-1] == "policy"
                return
            problem = refused(said, 403, "not-allowed")
            assert problem["rule"] == "policy"
            assert "the-rule" in problem["detail"]
            assert (await fire.counts("outbox"))["outbox"] == 0

    run(scenario())


@pytest.mark.parametrize("action", ["approve", "decline"])
def test_the_policy_of_the_receiver_answers(action: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            await set_policy(
                police, action, 'when { context.users == 0 && context.services.contains("mcdata") }'
            )
            _, sent = await give(fire)
            exchange = await fire.reaches(sent["id"], "answered")
            assert exchange["outcome"] == {"approve": "approved", "decline": "declined"}[action]
            assert exchange.get("grant") == {"approve": "live", "decline": None}[action]
            assert (await police.exchange(sent["id"]))["journal"][1]["detail"]["rule"] == "the-rule"

    run(scenario())


@pytest.mark.law(4)
def test_a_review_is_over_the_whole_and_the_first_stands(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            id_ = await given(police, fire)
            seen = (await police.exchange(id_))["seen"]
            named = await police.review(id_, {"approved": True, "users": [POLICE]}, NO)
            refused(named, 422, "invalid-input")
            refused(await police.review(id_, YES, NO), 422, "invalid-input")
            for _ in range(2):
                status, said = await police.review(id_, NO, seen=seen, account="reviewer")
                assert (status, said["outcome"]) == (200, "declined")
            refused(await police.review(id_, YES, seen=seen, account="reviewer"), 409, "outcome-stands")
            exchange = await fire.reaches(id_, "answered")
            assert (exchange["outcome"], exchange.get("grant")) == ("declined", None)
            [verdict] = exchange["verdicts"]
            assert (verdict["approved"], verdict["users"]) == (False, [])
            await enter(police, TEMPLATE)
            refused(await police.call("GET", f"/requests/{id_}/documents"), 409, "not-now")

    run(scenario())


def test_who_receives_does_not_decide_on_its_own_server_identities(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            id_ = await given(police, fire)
            seen = (await police.exchange(id_))["seen"]
            catalogue = tomllib.loads((EXAMPLES / "catalogues" / "metro-police.toml").read_text())
            await police.done("PUT", "/server-identities", {"server_identity": catalogue, "incomplete": True})
            status, said = await police.review(id_, seen=seen, account="reviewer")
            assert (status, said["outcome"]) == (200, "approved")
            refused(await fire.call("GET", f"/requests/{id_}/documents"), 409, "not-now")

    run(scenario())


def test_several_people_agree_to_accept_and_one_declines(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            two = {"kind": KIND, "review": {"approvals": 2}}
            await police.done("PUT", f"/partners/{FIRE}/approvals", two)
            outcomes = []
            for key, last in (("both", YES), ("one", NO)):
                id_ = await given(police, fire, key)
                _, said = await police.review(id_, YES, account="reviewer")
                assert (said["outcome"], said["approvals"]) == ("undecided", 1)
                [review] = (await police.exchange(id_))["reviews"]
                assert (review["approved"], review["declined"], review["counts"]) == (1, 0, True)
                await police.review(id_, last, account="admin")
                outcomes.append((await fire.reaches(id_, "answered"))["outcome"])
            assert outcomes == ["approved", "declined"]

    run(scenario())


def test_it_leaves_when_somebody_else_has_released_it_as_it_is(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (_, fire):
            one = {"kind": KIND, "release": {"approvals": 1}}
            await fire.done("PUT", f"/partners/{POLICE}/approvals", one)
            status, held = await give(fire)
            assert (status, held["state"]) == (201, "awaiting_release")
            assert (await fire.exchange(held["id"], account="reviewer"))["disclosed"]["server_identity"][
                "kms"
            ]
            status, said = await fire.review(held["id"], account="reviewer")
            assert (status, said["outcome"]) == (200, "released")
            await fire.reaches(held["id"], "stored")

            _, stale = await give(fire, "stale")
            catalogue = (await fire.done("GET", "/server-identities"))["server_identity"]
            await fire.done("PUT", "/server-identities", {"server_identity": catalogue})
            refused(await fire.review(stale["id"], account="reviewer"), 409, "not-now")
            status, said = await fire.review(stale["id"], NO, account="reviewer")
            assert (status, said["outcome"]) == (200, "refused")
            assert (await fire.counts("outbox"))["outbox"] == 0

    run(scenario())


def test_it_is_asked_about_answered_withdrawn_and_expires(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            id_ = await given(police, fire, "asked about")
            await police.done(
                "POST", f"/requests/{id_}/questions", {"text": "since when?"}, account="reviewer"
            )
            await fire.reaches(id_, "more_information")
            waiting = await fire.done("GET", "/pending", account="identity-editor")
            assert [exchange["id"] for exchange in waiting["to_answer"]] == [id_]
            answer = {"question": 1, "text": "since Monday"}
            await fire.done("POST", f"/requests/{id_}/answers", answer, account="identity-editor")
            await police.reaches(id_, "pending")
            await fire.withdraw(id_, account="identity-editor")
            await fire.reaches(id_, "withdrawn")
            await police.reaches(id_, "withdrawn")

            id_ = await given(police, fire, "nobody decides")
            police.clock.advance(days=31)  # type: ignore[attr-defined]
            await police.tick()
            await police.nudge(FIRE)
            exchange = await fire.reaches(id_, "answered", "overdue")
            exchange = await fire.reaches(id_, "answered")
            assert exchange["outcome"] == "expired"

    run(scenario())


def test_what_waits_and_what_an_hour_holds_is_limited(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            await set_terms(police, FIRE, max_open=1)
            await given(police, fire, "first")
            _, second = await give(fire, "second")

            async def waiting() -> Any:
                return (await fire.exchange(second["id"]))["waiting"]

            found = await eventually(waiting, lambda waits: waits and waits[0].get("last_error"))
            assert "1 of its requests wait" in found[0]["last_error"]

    run(scenario())


@pytest.mark.law(10)
def test_who_sees_what_was_given(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            to_somebody = {"mc_service_id": f"sip:somebody@{POLICE}"}
            id_ = await given(police, fire, addressee=to_somebody)
            seen = {}
            for system in (police, fire):
                for account in (
                    "requester",
                    "reviewer",
                    "partner-administrator",
                    "identity-editor",
                    "auditor",
                ):
                    status, _ = await system.call("GET", f"/requests/{id_}", account=account)
                    listed = (await system.done("GET", "/requests", account=account))["items"]
                    assert bool(listed) is (status == 200)
                    seen[system.id, account] = status == 200
            assert {who for who, sees in seen.items() if sees} == {
                (POLICE, "identity-editor"),
                (POLICE, "auditor"),
                (FIRE, "identity-editor"),
                (FIRE, "auditor"),
            }

    run(scenario())


@pytest.mark.law(3)
@pytest.mark.parametrize("restored", ["police", "fire"])
def test_after_a_restore_of_either_side_both_hold_the_same(tmp_path: Path, restored: str) -> None:
    async def scenario() -> None:
        async with systems(tmp_path) as (police, fire):
            old = await given(police, fire, "old")
            copies = {name: back_up(system, "t0") for name, system in (("police", police), ("fire", fire))}
            await police.review(old, account="reviewer")
            await fire.reaches(old, "answered")
            new = await accepted(police, fire, "new")
            open_ = await given(police, fire, "open")
            system, other = (police, FIRE) if restored == "police" else (fire, POLICE)
            before = {id_: await police.exchange(id_) for id_ in (old, new, open_)}
            await restore(system, copies[restored])
            await compared(system, other)
            for id_, here, there in (
                (old, "answered", "delivered"),
                (new, "answered", "delivered"),
                (open_, "stored", "pending"),
            ):
                await fire.reaches(id_, here)
                found = await police.reaches(id_, there)
                assert found["content"] == before[id_]["content"]
                assert found.get("outcome") == before[id_].get("outcome")
                assert not found.get("contradictions")
            await agree(police, fire)
            [[catalogue]] = await fire.rows("SELECT DISTINCT catalogue FROM exchange")
            assert catalogue == 1

    run(scenario())


def test_its_evidence_holds_at_both_systems(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            id_ = await accepted(police, fire)
            kids = [police.own.key.kid, fire.own.key.kid]
            for system in (police, fire):
                document = await system.done("POST", f"/requests/{id_}/evidence", account="auditor")
                found = check_evidence(json.dumps(document).encode(), kids)
                assert {finding.status for finding in found} == {"ok"}, found
                assert [m["type"] for m in document["evidence"]["messages"]] == ["request", "response"]

    run(scenario())


def test_reviewers_and_the_giver_are_told(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            id_ = await given(police, fire)
            waiting = await police.done("GET", "/pending", account="reviewer")
            assert [exchange["id"] for exchange in waiting["to_decide"]] == [id_]
            await police.review(id_, account="reviewer")
            await fire.reaches(id_, "answered")
            waiting = await fire.done("GET", "/pending", account="identity-editor")
            assert [exchange["id"] for exchange in waiting["to_fetch"]] == [id_]
            told = {
                system.id: {
                    (n["event"], n["audience"]) for n in (await system.done("GET", "/notices"))["items"]
                }
                for system in (police, fire)
            }
            assert ("request", "reviewers") in told[POLICE]
            assert ("response", "asker") in told[FIRE]

    run(scenario())
