"""Local accounts: who may try passwords how often, what ends a session, what an operator changes, what is at rest."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from acmx.domain.acm1 import Credentials, PasswordChange
from acmx.domain.errors import LogOnRefused, NotAuthenticated, TooManyAttempts
from acmx.domain.messages import PROBLEM
from acmx.domain.moments import text
from acmx.flows.people import change_password, log_on
from acmx.storage import accounts
from support.faults.addresses import from_address
from support.systems import engines
from support.systems.systems import PASSWORD, POLICE, START, System, two_systems

OTHER = "staple battery horse correct"


def scenario_of(tmp_path: Path, story: Any) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path, start=False) as (police, _):
            await police.start()
            await story(police)

    asyncio.run(scenario())


async def tried(system: System, account: str, password: str) -> tuple[int, Any]:
    return await system.call("POST", "/sessions", {"account": account, "password": password}, account=None)


async def fail(system: System, account: str, times: int) -> Any:
    answers = [await tried(system, account, "wrong") for _ in range(times)]
    assert {status for status, _ in answers} == {401}
    return answers[-1][1]


async def refusals(system: System) -> list[tuple[str, str]]:
    rows = (await system.done("GET", "/audit", account="auditor"))["items"]
    return sorted((row["actor"], row["detail"]["type"]) for row in rows if row["event"] == "refused")


def test_who_fails_five_times_waits_and_longer_each_time(tmp_path: Path) -> None:
    async def story(police: System) -> None:
        await fail(police, "reviewer", 5)
        for wait in (30, 60, 120):
            status, problem = await tried(police, "reviewer", PASSWORD)
            assert (status, problem["type"]) == (429, PROBLEM + "too-many-attempts")
            assert problem["retry_after"] == wait
            police.clock.advance(seconds=wait - 1)
            assert (await tried(police, "reviewer", PASSWORD))[0] == 429
            police.clock.advance(seconds=1)
            await fail(police, "reviewer", 1)
        police.clock.advance(seconds=240)
        assert (await tried(police, "reviewer", PASSWORD))[0] == 201
        await fail(police, "reviewer", 4)
        assert (await tried(police, "reviewer", PASSWORD))[0] == 201

    scenario_of(tmp_path, story)


def test_a_wait_says_in_its_header_how_long(tmp_path: Path) -> None:
    async def story(police: System) -> None:
        await fail(police, "reviewer", 5)
        body = msgspec.json.encode({"account": "reviewer", "password": PASSWORD})
        async with police.http.post(f"{police.url}/sessions", data=body) as reply:
            assert (reply.status, reply.headers["Retry-After"]) == (429, "30")

    scenario_of(tmp_path, story)


def test_an_account_that_does_not_exist_is_answered_like_one_that_does(tmp_path: Path) -> None:
    async def story(police: System) -> None:
        assert await fail(police, "reviewer", 5) == await fail(police, "nobody", 5)
        assert await tried(police, "reviewer", "wrong") == await tried(police, "nobody", "wrong")
        assert (await tried(police, "auditor", PASSWORD))[0] == 201

    scenario_of(tmp_path, story)


def test_all_at_once_is_no_way_around_the_wait(tmp_path: Path) -> None:
    async def story(police: System) -> None:
        answers = await asyncio.gather(*(tried(police, "reviewer", "wrong") for _ in range(20)))
        assert [status for status, _ in answers].count(401) <= 6

    scenario_of(tmp_path, story)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a slow machine too those wait who have a place."""
    monkeypatch.setattr("acmx.faces.turns.LONGEST", 600.0)


def test_a_burst_of_wrong_log_ons_holds_nobody_else_up(tmp_path: Path, patient: None) -> None:
    """Who comes from elsewhere waits for the password under way, not for the others before it."""

    async def story(police: System) -> None:
        async with from_address(police, "127.0.0.2") as guess, from_address(police, "127.0.0.3") as log_on:
            burst = [asyncio.create_task(guess(f"nobody.{n}", "wrong")) for n in range(100)]
            await asyncio.wait(burst, return_when=asyncio.FIRST_COMPLETED)
            assert (await log_on("reviewer", PASSWORD))[0] == 201
            tried_before = [task for task in burst if task.done() and task.result()[0] == 401]
            assert len(tried_before) < 20
            answers = await asyncio.gather(*burst)
            assert {status for status, _ in answers} == {401, 429}
            assert [status for status, _ in answers].count(401) <= 51
            assert {after for status, after in answers if status == 429} <= {"5", "30"}

    scenario_of(tmp_path, story)


def test_who_has_to_wait_takes_nobody_s_turn(tmp_path: Path, patient: None) -> None:
    async def story(police: System) -> None:
        await fail(police, "reviewer", 5)
        passwords = police.server._passwords
        async with passwords._turns.turn("x"), passwords._turns.turn("y"):
            status, problem = await tried(police, "reviewer", "wrong")
            assert (status, problem["type"]) == (429, PROBLEM + "too-many-attempts")
            asked = [asyncio.create_task(tried(police, "auditor", PASSWORD)) for _ in range(66)]
            refused, _ = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
            status, problem = refused.pop().result()
            assert (status, problem["type"]) == (429, PROBLEM + "too-much-at-once")
        assert [(await task)[0] for task in asked].count(201) == 64

    scenario_of(tmp_path, story)


def test_an_operator_ends_the_wait_and_an_address_waits_whatever_the_name(tmp_path: Path) -> None:
    async def story(police: System) -> None:
        for n in range(10):
            await fail(police, f"nobody.{n}", 5)
        assert (await tried(police, "reviewer", PASSWORD))[0] == 429
        await police.done("POST", "/accounts/reviewer/unlocking", account="operator")
        assert (await tried(police, "reviewer", PASSWORD))[0] == 429
        police.clock.advance(seconds=30)
        await fail(police, "reviewer", 1)
        await police.done("POST", "/accounts/reviewer/unlocking", account="operator")
        assert (await tried(police, "reviewer", PASSWORD))[0] == 201
        status, problem = await police.call("POST", "/accounts/nobody/unlocking", account="operator")
        assert (status, problem["type"]) == (404, PROBLEM + "not-found")

    scenario_of(tmp_path, story)


@pytest.mark.law(10)
def test_failed_log_ons_and_waits_are_in_the_journal_but_do_not_flood_it(tmp_path: Path) -> None:
    async def story(police: System) -> None:
        await fail(police, "reviewer", 5)
        for n in range(12):
            await fail(police, f"nobody.{n}", 3)
        reviewer = f"sip:reviewer@{POLICE}"
        once = [(reviewer, "locked-out"), (reviewer, "log-on-refused"), ("somebody", "log-on-refused")]
        assert await refusals(police) == once
        police.clock.advance(minutes=1)
        await fail(police, "reviewer", 1)
        rows = (await police.done("GET", "/audit", account="auditor"))["items"]
        details = [(row["actor"], row["detail"]) for row in rows if row["event"] == "refused"]
        assert {d["address"] for _, d in details if "count" not in d} == {"127.0.0.1"}
        assert sorted((actor, d["type"], d.get("count", 1)) for actor, d in details) == sorted(
            [
                *((actor, type_, 1) for actor, type_ in once),
                (reviewer, "locked-out", 1),
                (reviewer, "log-on-refused", 4),
                ("somebody", "log-on-refused", 35),
            ]
        )
        assert {d["since"] for _, d in details if "count" in d} == {text(START)}
        assert "nobody" not in str(rows)

    scenario_of(tmp_path, story)


async def session(system: System, account: str, password: str = PASSWORD) -> str:
    status, given = await tried(system, account, password)
    assert status == 201, given
    return str(given["token"])


def test_a_new_password_ends_every_session_and_the_old_one_is_no_good(tmp_path: Path) -> None:
    async def story(police: System) -> None:
        tokens = [await session(police, "reviewer") for _ in range(2)]
        change = {"current": PASSWORD, "new": OTHER}
        changed = await police.done("POST", "/password", change, account=tokens[0])
        assert changed["name"] == "reviewer"
        for token in tokens:
            assert (await police.call("GET", "/session", account=token))[0] == 401
        assert (await tried(police, "reviewer", PASSWORD))[0] == 401
        await session(police, "reviewer", OTHER)
        assert (await police.call("GET", "/session", account="auditor"))[0] == 200

    scenario_of(tmp_path, story)


def test_a_password_is_changed_only_by_who_knows_it_and_guessing_is_no_easier_there(tmp_path: Path) -> None:
    async def story(police: System) -> None:
        change = {"current": "wrong", "new": OTHER}
        for _ in range(5):
            assert (await police.call("POST", "/password", change, account="reviewer"))[0] == 401
        change["current"] = PASSWORD
        assert (await police.call("POST", "/password", change, account="reviewer"))[0] == 429
        police.clock.advance(seconds=30)
        change["new"] = "too short"
        assert (await police.call("POST", "/password", change, account="reviewer"))[0] == 422
        await session(police, "reviewer")

    scenario_of(tmp_path, story)


def test_a_log_on_that_the_change_of_its_password_overtakes_is_refused(tmp_path: Path) -> None:
    async def story(police: System) -> None:
        account = await police.store.read(lambda tx: accounts.find(tx, "reviewer"))
        assert account
        late = log_on.prepare(police.house, account, Credentials("reviewer", PASSWORD))
        change = change_password.prepare(police.house, account, PasswordChange(PASSWORD, OTHER))
        await police.store.write(lambda tx: change_password.apply(tx, change))
        for plan, apply in ((late, log_on.apply), (change, change_password.apply)):
            with pytest.raises(LogOnRefused):
                await police.store.write(lambda tx, plan=plan, apply=apply: apply(tx, plan))

    scenario_of(tmp_path, story)


@pytest.mark.law(10)
def test_other_roles_hold_at_once_and_are_journalled(tmp_path: Path) -> None:
    async def story(police: System) -> None:
        token = await session(police, "reviewer")
        assert (await police.call("GET", "/audit", account=token))[0] == 403
        change = {"roles": ["auditor"], "mail": "auditor@police.example"}
        changed = await police.done("PATCH", "/accounts/reviewer", change, account="operator")
        assert (changed["roles"], changed["mail"]) == (["auditor"], "auditor@police.example")
        newest = (await police.done("GET", "/audit", account=token))["items"][0]
        assert (newest["event"], newest["actor"]) == ("account-changed", f"sip:operator@{POLICE}")
        assert newest["detail"] == {"account": "reviewer", "by": "operator", "roles": "auditor"}
        changed = await police.done("PATCH", "/accounts/reviewer", {"mail": None}, account="operator")
        assert (changed["roles"], changed.get("mail")) == (["auditor"], None)

    scenario_of(tmp_path, story)


@pytest.mark.parametrize(
    "change", [{"roles": []}, {"roles": ["chief"]}, {"mail": "nowhere"}, {"password": "x"}]
)
def test_a_faulty_change_is_refused_whole(change: dict[str, Any], tmp_path: Path) -> None:
    async def story(police: System) -> None:
        both = {"mail": "new@police.example", "roles": ["auditor"]} | change
        status, _ = await police.call("PATCH", "/accounts/reviewer", both, account="operator")
        assert status == 422
        kept = await police.store.read(lambda tx: accounts.find(tx, "reviewer"))
        assert kept
        assert (kept.roles, kept.mail) == ("reviewer", None)
        assert (await police.call("PATCH", "/accounts/nobody", {"mail": None}, account="operator"))[0] == 404

    scenario_of(tmp_path, story)


def test_who_was_disabled_and_is_enabled_logs_on_again_but_the_old_session_stays_ended(
    tmp_path: Path,
) -> None:
    async def story(police: System) -> None:
        token = await session(police, "reviewer")
        await police.done("POST", "/accounts/reviewer/disablement", account="operator")
        assert (await tried(police, "reviewer", PASSWORD))[0] == 401
        enabled = await police.done("POST", "/accounts/reviewer/enablement", account="operator")
        assert enabled["disabled"] is False
        assert (await police.call("GET", "/session", account=token))[0] == 401
        await session(police, "reviewer")
        assert (await police.call("POST", "/accounts/nobody/enablement", account="operator"))[0] == 404

    scenario_of(tmp_path, story)


def test_a_session_ends_where_it_is_ended_and_after_12_hours(tmp_path: Path) -> None:
    async def story(police: System) -> None:
        first, second = [await session(police, "reviewer") for _ in range(2)]
        assert (await police.done("DELETE", "/session", account=first))["account"] == "reviewer"
        assert (await police.call("GET", "/session", account=first))[0] == 401
        police.clock.advance(hours=12, milliseconds=-1)
        assert (await police.call("GET", "/session", account=second))[0] == 200
        police.clock.advance(milliseconds=1)
        assert (await police.call("GET", "/session", account=second))[0] == 401

    scenario_of(tmp_path, story)


def test_neither_passwords_nor_tokens_are_at_rest(tmp_path: Path) -> None:
    async def story(police: System) -> None:
        assert police.clock() == START
        change = {"current": PASSWORD, "new": OTHER}
        token = await session(police, "reviewer")
        await police.done("POST", "/password", change, account=token)
        token = await session(police, "reviewer", OTHER)
        stored = engines.stored(police, await police.store.read(engines.tables))
        assert log_on.token_hash(token).encode() in stored
        assert b"$argon2id$" in stored
        for secret in (token, PASSWORD, OTHER):
            assert secret.encode() not in stored

    scenario_of(tmp_path, story)


def test_who_makes_us_ask_the_provider_in_vain_waits_and_others_do_not(tmp_path: Path) -> None:
    async def story(police: System) -> None:
        passwords, asked = police.server._passwords, []

        async def in_vain() -> None:
            asked.append("in vain")
            raise NotAuthenticated

        async def well() -> str:
            return "well"

        for _ in range(50):
            with pytest.raises(NotAuthenticated):
                await passwords.at_the_provider(in_vain, "2001:db8::1")
        with pytest.raises(TooManyAttempts):
            await passwords.at_the_provider(in_vain, "2001:db8::2")
        assert len(asked) == 50
        assert await passwords.at_the_provider(well, "2001:db8:0:1::1") == "well"
        police.clock.advance(seconds=30)
        assert await passwords.at_the_provider(well, "2001:db8::1") == "well"

    scenario_of(tmp_path, story)
