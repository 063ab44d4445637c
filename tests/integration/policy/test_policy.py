"""Step 6 explained: which rule decided on which facts, why a person had to, and what another policy would have said."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from acmx.domain.messages import PROBLEM, Request
from acmx.flows.acm2 import receive_request
from acmx.flows.acm2.arrivals import Arrived
from acmx.flows.carry_out import StaleError
from acmx.flows.queries import try_policy
from acmx.kinds import policy_facts
from acmx.trust.roles import ROLES
from support.partner.sides import Side
from support.systems import engines
from support.systems.systems import FIRE, POLICE, System, eventually, two_systems

SERVER_IDENTITY = 'action == Action::"approve", resource == Kind::"server-identity"'
SMALL = f'@id("small") permit (principal, {SERVER_IDENTITY}) when {{ context.users <= 2 }};'
REFERENCED = f'@id("told") permit (principal, {SERVER_IDENTITY}) when {{ context.referenced }};'
NEVER = '@id("never") permit (principal, action == Action::"decline", resource);'
NIGHT = '@id("night") forbid (principal, action == Action::"approve", resource) when { context.hour < 9 };'
FAILS = (
    '@id("fails") permit (principal, action == Action::"approve", resource == Kind::"server-identity") '
    "when { context.users * 9223372036854775807 > 0 };"
)
pytestmark = pytest.mark.step(6)


@asynccontextmanager
async def systems(tmp_path: Path, text: str = "") -> AsyncIterator[tuple[System, System]]:
    """The police asks, the fire service answers by the policy `text`, its second version."""
    async with two_systems(tmp_path) as (police, fire):
        await fire.done("PUT", "/policy", {"text": text})
        yield police, fire


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(scenario)


async def asked(police: System, key: str = "key", **changes: Any) -> str:
    """A request that has arrived."""
    _, accepted = await police.submit(key, **changes)
    await police.reaches(accepted["id"], "stored", "answered")
    id_: str = accepted["id"]
    return id_


async def explained(system: System, id_: str, account: str = "admin") -> Any:
    return await system.done("GET", f"/requests/{id_}/explanation", account=account)


async def tried(fire: System, text: str, query: str = "", *, account: str = "admin", **given: Any) -> Any:
    return await fire.done("POST", f"/policy/trial{query}", {"text": text} | given, account=account)


NOTHING_TO_SEAL = """
    SELECT COUNT(*) FROM checkpoint WHERE size = (SELECT MAX(number) FROM journal)
    AND NOT EXISTS (SELECT 1 FROM journal WHERE number IS NULL)
"""


async def everything(system: System) -> dict[str, list[tuple[Any, ...]]]:
    return await system.store.read(engines.tables)


def test_a_decision_of_policy_is_explained_as_it_was_then(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with systems(tmp_path, SMALL) as (police, fire):
            id_ = await asked(police, reference="agreement 7", valid_until="2026-11-30T08:30:00Z")
            await fire.done("PUT", "/policy", {"text": NEVER})
            [again] = (await tried(fire, SMALL))["items"]
            assert again["was"] == again["would"] == "approve"
            said = await explained(fire, id_)
            assert (said["outcome"], said["by"], said["rule"]) == ("approved", "policy", "small")
            assert said["decided_at"] == said["asked_at"] == "2026-11-23T08:00:00Z"
            assert (said["policy"]["version"], said["policy"]["text"]) == (2, SMALL)
            consultation = said["consultation"]
            assert {n: consultation[n] for n in ("version", "decision", "why", "rules")} == {
                "version": 2,
                "decision": "approve",
                "why": "rule",
                "rules": ["small"],
            }
            assert {fact["name"]: fact["value"] for fact in said["facts"]} == {
                "users": 2,
                "realms": [POLICE],
                "services": ["mcptt", "mcvideo", "mcdata"],
                "urgency": "normal",
                "hour": 8,
                "weekday": 1,
                "referenced": True,
                "addressed": False,
                "valid_days": 7,
            }
            assert [(f["name"], f["meaning"], f["source"]) for f in said["facts"]] == [
                (fact.name, fact.meaning, fact.source) for fact in policy_facts.every()
            ]

    run(scenario())


@pytest.mark.law(10)
@pytest.mark.parametrize(
    ("text", "why", "shown"),
    [
        ("", "no-rule", {}),
        (NEVER.replace(");", ") when { context.users > 2 };"), "no-rule", {}),
        (SMALL + NIGHT, "forbidden", {"forbidden": ["night"]}),
        (SMALL + FAILS, "rule-failed", {}),
    ],
)
def test_why_a_person_had_to_decide_and_who_did(
    text: str, why: str, shown: dict[str, Any], tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with systems(tmp_path, text) as (police, fire):
            id_ = await asked(police)
            said = await explained(fire, id_)
            assert "by" not in said
            consultation = said["consultation"]
            assert (consultation["decision"], consultation["why"]) == ("person", why)
            assert {
                name: consultation[name] for name in ("rules", "forbidden") if name in consultation
            } == shown
            assert [f["rule"] for f in consultation.get("failed", [])] == (
                ["fails"] if text.endswith(FAILS) else []
            )
            exchange = await fire.exchange(id_)
            assert exchange["steps"][5].get("note") == (None if why == "no-rule" else why)
            journal = exchange["journal"]
            assert journal[0]["event"] == "request"
            assert journal[0]["detail"]["policy"] == consultation
            await fire.review(id_, {"approved": False}, account="reviewer")
            said = await explained(fire, id_)
            assert (said["outcome"], said["by"], said["decided_by"]) == (
                "declined",
                "person",
                f"sip:reviewer@{FIRE}",
            )
            assert "rule" not in said

    run(scenario())


@pytest.mark.law(14)
def test_an_approval_with_nothing_to_disclose_says_so(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with systems(tmp_path, SMALL) as (police, fire):
            await fire.store.write(lambda tx: tx.execute("DELETE FROM catalogue"))
            consultation = (await explained(fire, await asked(police)))["consultation"]
            said = (consultation["decision"], consultation["why"], consultation["rules"])
            assert said == ("person", "nothing-to-disclose", ["small"])

    run(scenario())


@pytest.mark.law(12)
def test_a_stored_policy_that_cannot_be_read_any_more_decides_nothing_and_is_shown(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with systems(tmp_path, SMALL) as (police, fire):
            broken = SMALL.replace("users", "colours")
            await fire.store.write(
                lambda tx: tx.execute("UPDATE policy SET text = :text WHERE version = 2", {"text": broken})
            )
            id_ = await asked(police)
            said = await explained(fire, id_)
            assert (said["state"], said["consultation"]["why"]) == ("pending", "unreadable")
            assert "attribute `colours`" in said["consultation"]["failed"][0]["error"]
            shown = await fire.done("GET", "/policy")
            assert (shown["text"], shown["rules"]) == (broken, [])
            assert "line 1: attribute `colours`" in shown["unreadable"]

    run(scenario())


@pytest.mark.law(12)
@pytest.mark.parametrize("path", ["/policy", "/policy/check", "/policy/trial"])
def test_a_policy_about_facts_that_do_not_exist_is_refused_with_the_line_and_the_last_good_one_stays(
    path: str, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with systems(tmp_path, SMALL) as (police, fire):
            bad = SMALL + "\n\n" + REFERENCED.replace("context.referenced", "context.rank > 3")
            status, problem = await fire.call("PUT" if path == "/policy" else "POST", path, {"text": bad})
            assert (status, problem["type"]) == (422, PROBLEM + "invalid-input")
            fault = problem["faults"][0]
            assert fault["field"] == "told"
            assert fault["rule"].startswith("line 3: attribute `rank`")
            assert (await fire.done("GET", "/policy"))["version"] == 2
            assert (await explained(fire, await asked(police)))["rule"] == "small"

    run(scenario())


def test_a_text_that_takes_long_to_read_is_no_policy(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with systems(tmp_path) as (_, fire):
            for path in ("check", "trial"):
                document = {"text": SMALL + " " * 65_536}
                status, problem = await fire.call("POST", f"/policy/{path}", document)
                assert (status, problem["faults"][0]["field"]) == (422, "text")

    run(scenario())


def test_a_policy_that_is_set_meanwhile_is_asked_anew(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path, start=False) as (police, fire):
            asking = Side(police, fire, police.clock)
            answering = Side(fire, police, fire.clock)
            try:
                await answering.set_policy(SMALL)
                accepted = await asking.submit("k")
                [letter] = await asking.post(await asking.look())
                primary, id_, sender, n, digest = letter.place
                arrived = Arrived(sender, primary, id_, n, letter.body, digest, letter.signature)
                request = msgspec.json.decode(letter.body, type=Request)
                plan = await answering.store.read(
                    lambda tx: receive_request.prepare(answering.house, tx, arrived, request)
                )
                await answering.set_policy(NEVER)
                with pytest.raises(StaleError):
                    await answering.store.write(lambda tx: receive_request.apply(tx, plan))
                await answering.take(letter)
                exchange = await answering.exchange(accepted.id)
                assert exchange is not None
                assert (exchange.outcome, exchange.rule) == ("declined", "never")
            finally:
                await asking.store.close()
                await answering.store.close()

    run(scenario())


@pytest.mark.law(10)
@pytest.mark.step(2)
def test_at_the_primary_system_the_checks_of_step_2_are_explained(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with systems(tmp_path) as (police, fire):
            id_ = await asked(police, account="requester")
            said = await explained(police, id_, "requester")
            assert [(c["rule"], c["passed"]) for c in said["checks"]] == [
                ("role:submit", True),
                ("own-users", True),
                ("partner-kinds", True),
                ("partner-askers", True),
            ]
            assert not {"by", "rule", "consultation", "policy"} & set(said)
            assert "checks" not in await explained(fire, id_)
            _, problem = await police.submit("foreign", account="requester", users=[f"sip:a@{FIRE}"])
            said = await explained(police, problem["exchange"], "requester")
            assert (said["by"], said["rule"], said["state"]) == ("check", "own-users", "refused_here")
            assert [c["passed"] for c in said["checks"]] == [True, False]
            assert said["checks"][1]["detail"] == problem["detail"]
            _, problem = await police.submit("no role", account="auditor")
            said = await explained(police, problem["exchange"], "auditor")
            assert [(c["rule"], c["passed"]) for c in said["checks"]] == [("role:submit", False)]
            await fire.review(id_)
            await police.reaches(id_, "answered")
            said = await explained(police, id_, "requester")
            assert (said["by"], said["decided_by"]) == ("partner", f"sip:admin@{FIRE}")

    run(scenario())


def test_what_the_clock_decided_is_explained_and_policy_was_not_asked(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with systems(tmp_path, "") as (police, fire):
            id_ = await asked(police, expires_at="2026-11-23T09:00:00Z")
            fire.clock.advance(hours=2)
            await fire.tick()
            said = await explained(fire, id_)
            assert (said["outcome"], said["by"], said["consultation"]["why"]) == (
                "expired",
                "clock",
                "no-rule",
            )
            await fire.stop()
            _, accepted = await police.submit("late", expires_at="2026-11-23T11:00:00Z")
            fire.clock.advance(hours=2)
            await fire.start()
            await police.nudge(FIRE)
            await police.reaches(accepted["id"], "answered")
            said = await explained(fire, accepted["id"])
            assert (said["by"], "consultation" in said) == ("clock", False)

    run(scenario())


async def some_requests(police: System, fire: System) -> dict[str, str]:
    """What has arrived, under three policies, by name."""
    ids = {
        "by hand": await asked(
            police, "1", reference="agreement 7", addressee={"mc_service_id": f"sip:x@{FIRE}"}
        )
    }
    await fire.review(ids["by hand"], {"approved": False})
    await fire.done("PUT", "/policy", {"text": SMALL})
    ids["by policy"] = await asked(police, "2")
    await fire.done("PUT", "/policy", {"text": ""})
    ids["open"] = await asked(police, "3", users=[f"sip:officer.{n}@{POLICE}" for n in range(3)])
    return ids


def test_another_policy_is_tried_on_what_has_arrived_and_nothing_changes(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with systems(tmp_path) as (police, fire):
            ids = await some_requests(police, fire)
            await police.reaches(ids["by policy"], "answered")
            await fire.reaches(ids["by policy"], "delivered")
            await fire.reaches(ids["by hand"], "delivered")
            await eventually(lambda: fire.rows(NOTHING_TO_SEAL), lambda found: found == [(1,)])
            before = await everything(fire)
            page = await tried(fire, REFERENCED + NEVER.replace(");", ") when { context.users > 2 };"))
            assert "next" not in page
            told = ("outcome", "by", "was", "would", "rules")
            found = {t["id"]: tuple(map(t.get, told)) for t in page["items"]}
            assert found == {
                ids["open"]: (None, None, "person", "decline", ["never"]),
                ids["by policy"]: ("approved", "policy", "approve", "person", None),
                ids["by hand"]: ("declined", "person", "person", "approve", ["told"]),
            }
            assert [t["id"] for t in page["items"]] == list(found)
            [alone] = (await tried(fire, FAILS, against=ids["open"]))["items"]
            assert (alone["id"], alone["would"], alone["failed"][0]["rule"]) == (
                ids["open"],
                "person",
                "fails",
            )
            assert alone["facts"]["users"] == 3
            assert await everything(fire) == before

    run(scenario())


@pytest.mark.law(13)
def test_a_trial_goes_on_page_by_page(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with systems(tmp_path) as (police, fire):
            ids = list((await some_requests(police, fire)).values())[::-1]
            first = await tried(fire, SMALL, "?limit=2")
            second = await tried(fire, SMALL, f"?limit=2&after={first['next']}")
            assert [t["id"] for page in (first, second) for t in page["items"]] == ids
            assert "next" not in second
            exactly = await tried(fire, SMALL, "?limit=3")
            assert [t["id"] for t in exactly["items"]] == ids
            assert "next" not in exactly

    run(scenario())


@pytest.mark.law(13)
def test_a_page_may_be_empty_and_still_have_a_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(try_policy, "LOOKED_AT", 1)

    async def scenario() -> None:
        async with systems(tmp_path) as (police, fire):
            ids = list((await some_requests(police, fire)).values())[::-1]
            await fire.submit("ours", partner=POLICE, users=[f"sip:a@{FIRE}"])
            pages = [await tried(fire, SMALL)]
            assert pages[0]["items"] == []
            while after := pages[-1].get("next"):
                pages.append(await tried(fire, SMALL, f"?after={after}"))
            assert [t["id"] for page in pages for t in page["items"]] == ids

    run(scenario())


@pytest.mark.law(10)
def test_who_may_try_a_policy_sees_no_more_than_the_own_requests_or_their_facts(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with systems(tmp_path) as (police, fire):
            ids = await some_requests(police, fire)
            seen = {}
            for role in ROLES:
                status, page = await fire.call("POST", "/policy/trial", {"text": ""}, account=role)
                seen[role] = [t["id"] for t in page["items"]] if status == 200 else status
                if status == 200:
                    text = msgspec.json.encode(page).decode()
                    assert "flood in the harbour" not in text
                    assert "officer." not in text
                    assert "agreement 7" not in text
            everything = list(ids.values())[::-1]
            assert seen == {
                "requester": 403,
                "reviewer": [id_ for id_ in everything if id_ != ids["by hand"]],
                "partner-administrator": everything,
                "identity-editor": 403,
                "auditor": everything,
                "operator": 403,
            }
            for role, status in (("reviewer", 404), ("auditor", 200), ("partner-administrator", 200)):
                path = f"/requests/{ids['by hand']}/explanation"
                assert (await fire.call("GET", path, account=role))[0] == status
                against = {"text": "", "against": ids["by hand"]}
                assert (await fire.call("POST", "/policy/trial", against, account=role))[0] == status

    run(scenario())


def test_what_did_not_arrive_here_cannot_be_tried_and_what_was_not_kept_is_said(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with systems(tmp_path) as (police, fire):
            id_ = await asked(police)
            status, problem = await police.call("POST", "/policy/trial", {"text": "", "against": id_})
            assert (status, problem["type"]) == (409, PROBLEM + "not-now")
            assert (await tried(police, ""))["items"] == []
            await fire.store.write(
                lambda tx: tx.execute("UPDATE journal SET detail = '{}' WHERE event = 'request'")
            )
            [unknown] = (await tried(fire, SMALL))["items"]
            assert not {"was", "would", "facts"} & set(unknown)
            assert "consultation" not in await explained(fire, id_)

    run(scenario())


def test_the_roles_are_given_as_they_are_enforced(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, _):
            for account in ROLES:
                roles = (await police.done("GET", "/roles", account=account))["items"]
                given = {role["name"]: {may["name"] for may in role["may"]} for role in roles}
                assert given == {role: set(permissions) for role, permissions in ROLES.items()}

    run(scenario())
