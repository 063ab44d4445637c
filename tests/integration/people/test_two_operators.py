"""Where two operators are needed, what gives somebody a role waits until another one approves it."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from acmx.bootstrap.doctor.examine_database import examine
from acmx.bootstrap.lock import hold
from acmx.bootstrap.recover import recover
from acmx.domain.errors import DirectoryInUse
from acmx.domain.messages import PROBLEM
from acmx.trust.roles import ROLES
from integration.people.test_one_account import as_before, double, new, newest, refused
from support.systems.systems import FIRE, PASSWORD, START, System, two_systems

Story = Callable[[System], Coroutine[Any, Any, None]]
BOTH = {"roles": ["reviewer", "auditor"]}


def scenario_of(tmp_path: Path, story: Story) -> None:
    """At the fire service, whose operators are `admin` and `operator`."""

    async def scenario() -> None:
        async with two_systems(tmp_path, start=False) as (_, fire):
            await fire.start()
            await story(fire)

    asyncio.run(scenario())


async def two(fire: System) -> None:
    found = await fire.done("PUT", "/account-approvals", {"needed": 2}, account="operator")
    assert found == {"needed": 2, "operators": 2}


async def waiting(fire: System) -> list[Any]:
    return list((await fire.done("GET", "/account-changes", account="operator"))["items"])


async def approve(fire: System, id_: str, account: str) -> Any:
    return await fire.done("POST", f"/account-changes/{id_}/approval", account=account)


async def roles_of(fire: System, name: str) -> list[str]:
    found = (await fire.done("GET", "/accounts"))["items"]
    return next(list(account["roles"]) for account in found if account["name"] == name)


def test_nobody_gives_the_own_account_a_role_alone(tmp_path: Path) -> None:
    async def story(fire: System) -> None:
        await two(fire)
        asked = await fire.done(
            "PATCH", "/accounts/operator", {"roles": ["operator", "reviewer"]}, account="operator"
        )
        assert asked["roles"] == ["operator"]
        [change] = await waiting(fire)
        assert change["id"] == asked["waiting"]
        assert (change["roles_before"], change["roles"]) == (["operator"], ["operator", "reviewer"])
        assert (change["asked_by"], change["asked_by_account"]) == (f"sip:operator@{FIRE}", "operator")
        said = fire.call("POST", f"/account-changes/{change['id']}/approval", account="operator")
        assert (await refused(said, 403, "not-allowed"))["rule"] == "two-operators"
        assert await roles_of(fire, "operator") == ["operator"]
        await approve(fire, change["id"], "admin")
        assert await roles_of(fire, "operator") == ["operator", "reviewer"]
        assert await waiting(fire) == []
        row = await newest(fire, "account-changed")
        assert (row["actor"], row["detail"]["by"]) == (f"sip:admin@{FIRE}", "admin")
        assert (row["detail"]["asked_by"], row["detail"]["asked_by_account"]) == (
            f"sip:operator@{FIRE}",
            "operator",
        )

    scenario_of(tmp_path, story)


def test_an_account_that_was_asked_for_is_not_there_until_it_is_approved(tmp_path: Path) -> None:
    async def story(fire: System) -> None:
        await two(fire)
        alias = f"sip:duty@{FIRE}"
        account = new("other", f"sip:other@{FIRE}", functional_aliases=[alias])
        asked = await fire.done("POST", "/accounts", account, account="operator")
        credentials = {"account": "other", "password": PASSWORD}
        assert (await fire.call("POST", "/sessions", credentials, account=None))[0] == 401
        await refused(fire.call("POST", "/accounts", account), 409, "change-waits")
        said = await approve(fire, asked["waiting"], "admin")
        assert said["functional_aliases"] == [alias]
        assert (said["what"], said["mc_service_id"], said["roles"]) == (
            "add",
            f"sip:other@{FIRE}",
            ["reviewer"],
        )
        assert (await fire.call("POST", "/sessions", credentials, account=None))[0] == 201
        again = fire.call("POST", f"/account-changes/{asked['waiting']}/approval")
        await refused(again, 404, "not-found")

    scenario_of(tmp_path, story)


def test_to_enable_and_to_choose_wait_too(tmp_path: Path) -> None:
    async def story(fire: System) -> None:
        await double(fire, "other", "reviewer")
        await as_before(fire)
        await fire.restart()
        await two(fire)
        await fire.done("POST", "/accounts/auditor/disablement", account="operator")
        ids = [
            (await fire.done("POST", f"/accounts/{place}", account="operator"))["waiting"]
            for place in ("auditor/enablement", "other/choice")
        ]
        listed = {a["name"]: a for a in (await fire.done("GET", "/accounts"))["items"]}
        assert (listed["auditor"]["disabled"], listed["other"]["in_doubt"]) == (True, True)
        for id_ in ids:
            await approve(fire, id_, "admin")
        listed = {a["name"]: a for a in (await fire.done("GET", "/accounts"))["items"]}
        assert (listed["auditor"]["disabled"], listed["reviewer"]["disabled"]) == (False, True)
        assert "in_doubt" not in listed["other"]

    scenario_of(tmp_path, story)


def test_what_takes_a_role_away_or_gives_none_holds_at_once(tmp_path: Path) -> None:
    async def story(fire: System) -> None:
        await fire.done("PATCH", "/accounts/reviewer", BOTH)
        await two(fire)
        less = {"roles": ["auditor"], "mail": "a@fire.example"}
        assert (await fire.done("PATCH", "/accounts/reviewer", less, account="operator"))["roles"] == [
            "auditor"
        ]
        await fire.done("POST", "/accounts/reviewer/disablement", account="operator")
        await fire.done("POST", "/accounts/reviewer/unlocking", account="operator")
        assert await waiting(fire) == []

    scenario_of(tmp_path, story)


def test_what_is_refused_never_holds_and_everybody_is_told(tmp_path: Path) -> None:
    async def story(fire: System) -> None:
        await two(fire)
        for account, reason in (("admin", {"reason": "why?"}), ("operator", {})):
            asked = await fire.done("PATCH", "/accounts/reviewer", BOTH, account="operator")
            news = (await fire.done("GET", "/news", account="admin"))["items"][0]
            assert (news["event"], news["exchange"]) == (
                "account-change",
                f"change reviewer: {asked['waiting']}",
            )
            place = f"/account-changes/{asked['waiting']}/refusal"
            await fire.done("POST", place, reason, account=account)
            row = await newest(fire, "account-change-refused")
            assert (row["detail"]["by"], row["detail"].get("reason")) == (account, reason.get("reason"))
            news = (await fire.done("GET", "/news", account="operator"))["items"][0]
            assert (news["event"], news["exchange"]) == (
                "account-change-decided",
                f"refused: change reviewer: {asked['waiting']}",
            )
        assert await roles_of(fire, "reviewer") == ["reviewer"]
        assert (await fire.done("GET", "/news", account="reviewer"))["items"] == []
        asked = await fire.done("PATCH", "/accounts/reviewer", BOTH, account="operator")
        await approve(fire, asked["waiting"], "admin")
        told = (await fire.done("GET", "/news", account="reviewer"))["items"][1]
        assert (told["event"], told["exchange"]) == ("your-account", "reviewer: changed")

    scenario_of(tmp_path, story)


def test_one_change_of_an_account_waits_at_a_time(tmp_path: Path) -> None:
    async def story(fire: System) -> None:
        await two(fire)
        asked = await fire.done("PATCH", "/accounts/reviewer", BOTH, account="operator")
        for change in (BOTH, {"roles": ["reviewer"]}, {"mail": "a@fire.example"}):
            problem = await refused(fire.call("PATCH", "/accounts/reviewer", change), 409, "change-waits")
            assert problem["waiting"] == asked["waiting"]
        await fire.done("POST", "/accounts/reviewer/disablement")
        await approve(fire, asked["waiting"], "admin")
        listed = {a["name"]: a for a in (await fire.done("GET", "/accounts"))["items"]}
        assert (listed["reviewer"]["disabled"], listed["reviewer"]["roles"]) == (True, BOTH["roles"])

    scenario_of(tmp_path, story)


def test_two_people_agree_and_no_service_account_nor_who_is_no_operator_any_more(tmp_path: Path) -> None:
    async def story(fire: System) -> None:
        robot = new("robot", f"sip:robot@{FIRE}", "operator", automatic=True)
        await fire.done("POST", "/accounts", robot)
        await fire.done("POST", "/accounts", new("third", f"sip:third@{FIRE}", "operator"))
        tokens = {
            name: (await fire.done("POST", "/sessions", {"account": name, "password": PASSWORD}))["token"]
            for name in ("robot", "third")
        }
        await fire.done("PUT", "/account-approvals", {"needed": 2})
        asked = fire.call("PATCH", "/accounts/reviewer", BOTH, account=tokens["robot"])
        assert (await refused(asked, 403, "not-allowed"))["rule"] == "people"
        id_ = (await fire.done("PATCH", "/accounts/reviewer", BOTH, account=tokens["third"]))["waiting"]
        said = fire.call("POST", f"/account-changes/{id_}/approval", account=tokens["robot"])
        assert (await refused(said, 403, "not-allowed"))["rule"] == "two-operators"
        await fire.done("POST", "/accounts/third/disablement", account="operator")
        said = fire.call("POST", f"/account-changes/{id_}/approval", account="admin")
        assert "third, who asked" in (await refused(said, 403, "not-allowed"))["detail"]

    scenario_of(tmp_path, story)


def test_two_are_not_needed_while_there_is_one_and_one_is_not_enough_on_ones_own_word(
    tmp_path: Path,
) -> None:
    async def story(fire: System) -> None:
        await fire.done("PATCH", "/accounts/admin", {"roles": ["auditor"]}, account="operator")
        said = fire.call("PUT", "/account-approvals", {"needed": 2}, account="operator")
        problem = await refused(said, 422, "invalid-input")
        assert "there is 1" in problem["detail"]
        await fire.done("PATCH", "/accounts/admin", {"roles": list(ROLES)}, account="operator")
        await fire.done("PUT", "/account-approvals", {"needed": 2})
        asked = await fire.done("PUT", "/account-approvals", {"needed": 1}, account="operator")
        assert (asked["needed"], bool(asked["waiting"])) == (2, True)
        await approve(fire, asked["waiting"], "admin")
        found = await fire.done("GET", "/account-approvals", account="operator")
        assert found == {"needed": 1, "operators": 2}
        row = await newest(fire, "account-approvals-set")
        assert (row["detail"]["old"], row["detail"]["new"], row["detail"]["by"]) == (2, 1, "admin")
        await fire.done("PATCH", "/accounts/reviewer", BOTH, account="operator")
        assert await roles_of(fire, "reviewer") == BOTH["roles"]

    scenario_of(tmp_path, story)


def test_who_is_left_alone_is_shown_and_helped_at_the_machine(tmp_path: Path) -> None:
    async def story(fire: System) -> None:
        await two(fire)
        await fire.done("POST", "/accounts/admin/disablement", account="operator")
        found = list(examine(fire.directory, fire.config, START))
        [finding] = [finding for finding in found if finding.name == "operators"]
        assert (finding.status, "acmx account recover" in finding.text) == ("warning", True)
        asked = await fire.done("PATCH", "/accounts/reviewer", BOTH, account="operator")
        await fire.stop()
        await asyncio.to_thread(recover, fire.directory)
        await fire.start()
        row = (await fire.done("GET", "/audit?event=account-approvals-set", account="operator"))["items"][0]
        assert (row["actor"], row["detail"]) == ("operator", {"old": 2, "new": 1})
        place = f"/account-changes/{asked['waiting']}/refusal"
        await fire.done("POST", place, {}, account="operator")
        await fire.done("PATCH", "/accounts/reviewer", BOTH, account="operator")

    scenario_of(tmp_path, story)


def test_nobody_is_helped_while_the_server_runs(tmp_path: Path) -> None:
    async def story(fire: System) -> None:
        with hold(fire.directory), pytest.raises(DirectoryInUse):
            await asyncio.to_thread(recover, fire.directory)

    scenario_of(tmp_path, story)


def test_what_became_impossible_is_refused_when_it_is_approved(tmp_path: Path) -> None:
    async def story(fire: System) -> None:
        await two(fire)
        await fire.done("POST", "/accounts/reviewer/disablement")
        ids = [
            (await fire.done("POST", "/accounts/reviewer/enablement", account="operator"))["waiting"],
            (await fire.done("POST", "/accounts", new("other", f"sip:reviewer@{FIRE}"), account="operator"))[
                "waiting"
            ],
        ]
        await approve(fire, ids[0], "admin")
        problem = await refused(
            fire.call("POST", f"/account-changes/{ids[1]}/approval"), 409, "identity-taken"
        )
        assert problem["type"] == f"{PROBLEM}identity-taken"
        [left] = await waiting(fire)
        assert left["id"] == ids[1]

    scenario_of(tmp_path, story)
