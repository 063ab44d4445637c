"""One MC service ID belongs to one account; who decides is written down with the account beside the MC service ID."""

import asyncio
import json
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import msgspec
import pytest

from acmx.bootstrap.doctor.examine_database import examine
from acmx.cli.evidence.journal import journal_table
from acmx.domain.acm1 import JournalEntry
from acmx.domain.messages import PROBLEM
from acmx.flows.people.log_on import token_hash
from acmx.storage import accounts
from acmx.storage.accounts import Token
from acmx.storage.engine import Tx
from integration.exchange.test_more_eyes import needs, stored
from support.systems.systems import FIRE, PASSWORD, POLICE, START, System, two_systems
from support.systems.twins import twin_of

REVIEWER = f"sip:reviewer@{FIRE}"


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(scenario)


def new(name: str, mc_service_id: str, *roles: str, **more: Any) -> dict[str, Any]:
    account = {"name": name, "mc_service_id": mc_service_id, "roles": roles or ["reviewer"]}
    return account | {"password": PASSWORD} | more


async def refused(call: Coroutine[Any, Any, tuple[int, Any]], status: int, type_: str) -> Any:
    got, problem = await call
    assert (got, problem["type"]) == (status, PROBLEM + type_), problem
    return problem


async def newest(system: System, event: str) -> Any:
    return (await system.done("GET", f"/audit?event={event}&limit=1"))["items"][0]


@pytest.mark.parametrize(
    "same",
    [
        REVIEWER,
        f"sip:reviewer@{FIRE.upper()}",
        f"SIP:%72eviewer@{FIRE}",
    ],
)
@pytest.mark.parametrize("automatic", [False, True])
def test_no_account_is_added_with_anothers_mc_service_id_in_whatever_form(
    same: str, automatic: bool, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path, start=False) as (_, fire):
            await fire.start()
            other = new("other", same, automatic=automatic)
            problem = await refused(
                fire.call("POST", "/accounts", other, account="operator"), 409, "identity-taken"
            )
            assert "belongs to reviewer" in problem["detail"]
            assert await fire.rows("SELECT name FROM account WHERE name = 'other'") == []

    run(scenario())


def test_an_mc_service_id_is_free_when_its_account_is_disabled_and_taken_when_another_has_it(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path, start=False) as (_, fire):
            await fire.start()
            await fire.done("POST", "/accounts/reviewer/disablement", account="operator")
            await fire.done("POST", "/accounts", new("other", REVIEWER), account="operator")
            enable = fire.call("POST", "/accounts/reviewer/enablement", account="operator")
            problem = await refused(enable, 409, "identity-taken")
            assert "belongs to other" in problem["detail"]
            await fire.done("POST", "/accounts/other/disablement", account="operator")
            await fire.done("POST", "/accounts/reviewer/enablement", account="operator")

    run(scenario())


def test_of_two_that_are_added_at_the_same_moment_one_has_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path, start=False) as (_, fire):
            await fire.start()
            names = [f"twin.{n}" for n in range(4)]
            said = await asyncio.gather(
                *(fire.call("POST", "/accounts", new(name, f"sip:new@{FIRE}")) for name in names)
            )
            assert sorted(status for status, _ in said) == [201, 409, 409, 409]

    run(scenario())


@pytest.mark.postgres
def test_of_two_that_are_added_at_two_servers_one_has_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path, start=False) as (_, fire):
            await fire.start()
            async with twin_of(fire) as twin:
                account = new("here", f"sip:new@{FIRE}"), new("there", f"sip:new@{FIRE}")
                said = await asyncio.gather(
                    fire.call("POST", "/accounts", account[0]), twin.call("POST", "/accounts", account[1])
                )
                assert sorted(status for status, _ in said) == [201, 409]

    run(scenario())


async def double(system: System, name: str, like: str) -> str:
    """An account of before, when nothing forbade it, and its token; its MC service ID is written otherwise."""

    def act(tx: Tx) -> None:
        found = accounts.find(tx, like)
        assert found
        other = found.mc_service_id.replace(system.id, system.id.upper())
        accounts.insert(tx, msgspec.structs.replace(found, name=name, mc_service_id=other))
        accounts.insert_token(tx, Token(token_hash(name), name, 0, 2**52), 0)

    await system.store.write(act)
    return name


async def as_before(system: System) -> None:
    """What a server finds after the migration: nobody has claimed anything."""
    await system.store.write(lambda tx: tx.execute("DELETE FROM claim"))


def test_doubles_of_before_decide_nothing_until_one_is_chosen(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            id_ = await stored(police)
            other = await double(fire, "other", "reviewer")
            await as_before(fire)
            await fire.restart()
            seen = (await fire.exchange(id_))["seen"]
            for account in ("reviewer", other):
                said = fire.review(id_, {"approved": True}, seen=seen, account=account)
                problem = await refused(said, 403, "not-allowed")
                assert problem["rule"] == "mc-service-id"
                assert (await fire.call("GET", "/session", account=account))[0] == 200
                assert (await fire.call("GET", "/policy", account=account))[0] == 403
            assert (await newest(fire, "refused"))["detail"]["by"] == other
            listed = {a["name"]: a for a in (await fire.done("GET", "/accounts"))["items"]}
            assert (listed["reviewer"]["in_doubt"], listed["reviewer"]["shares_with"]) == (True, [other])
            assert "in_doubt" not in listed["operator"]
            shared = await newest(fire, "mc-service-id-shared")
            assert shared["detail"]["accounts"] == [other, "reviewer"]
            told = (await fire.done("GET", "/news", account="operator"))["items"][0]
            assert (told["event"], told["exchange"]) == (
                "shared-mc-service-id",
                f"{REVIEWER}: {other}, reviewer",
            )
            chosen = await fire.done("POST", "/accounts/reviewer/choice", account="operator")
            assert "in_doubt" not in chosen
            assert (await fire.review(id_, {"approved": True}, seen=seen, account="reviewer"))[0] == 200
            assert (await fire.call("GET", "/session", account=other))[0] == 401
            row = await newest(fire, "account-chosen")
            assert (row["detail"]["instead_of"], row["detail"]["by"]) == ([other], "operator")

    run(scenario())


def test_what_is_to_be_chosen_stays_so_over_restarts_and_whoever_is_disabled(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path, start=False) as (_, fire):
            await fire.start()
            await double(fire, "other", "reviewer")
            await as_before(fire)
            await fire.restart()
            for name in ("other", "reviewer"):
                await fire.done("POST", f"/accounts/{name}/disablement")
                await fire.restart()
            problem = await refused(fire.call("POST", "/accounts/reviewer/enablement"), 409, "identity-taken")
            assert "acmx account choose" in problem["detail"]
            await refused(fire.call("POST", "/accounts", new("third", REVIEWER)), 409, "identity-taken")
            await fire.done("POST", "/accounts/other/choice")
            await refused(fire.call("POST", "/accounts/reviewer/choice"), 409, "identity-taken")
            await refused(fire.call("POST", "/accounts/operator/choice"), 404, "not-found")
            names = {a["name"]: a["disabled"] for a in (await fire.done("GET", "/accounts"))["items"]}
            assert (names["other"], names["reviewer"]) == (False, True)

    run(scenario())


def test_doubled_operators_can_still_choose(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path, start=False) as (_, fire):
            await fire.start()
            await fire.done("PATCH", "/accounts/reviewer", {"roles": ["operator"]})
            await double(fire, "other", "reviewer")
            await fire.done("POST", "/accounts/admin/disablement", account="operator")
            await fire.done("POST", "/accounts/operator/disablement", account="reviewer")
            await as_before(fire)
            await fire.restart()
            assert (await fire.call("POST", "/clock/confirmation", account="reviewer"))[0] == 403
            await fire.done("POST", "/accounts/reviewer/choice", account="reviewer")
            assert (await fire.call("POST", "/clock/confirmation", account="reviewer"))[0] == 200

    run(scenario())


@pytest.mark.parametrize("settled", [False, True])
def test_the_doctor_names_accounts_that_share_an_mc_service_id(settled: bool, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path, start=False) as (_, fire):
            await fire.start()
            await double(fire, "other", "reviewer")
            await as_before(fire)
            if settled:
                await fire.restart()
            found = list(examine(fire.directory, fire.config, START))
            [finding] = [finding for finding in found if finding.name == "accounts"]
            assert finding.status == "failed"
            assert f"{REVIEWER} is that of other, reviewer" in finding.text
            await fire.restart()
            await fire.done("POST", "/accounts/other/choice")
            found = list(examine(fire.directory, fire.config, START))
            assert [finding for finding in found if finding.name == "accounts"] == []

    run(scenario())


NOT_PEOPLES = {"policy", "clock", "acmx", "operator", "provisioner", "somebody", "examples", FIRE, POLICE}


@pytest.mark.law(10)
def test_every_row_of_a_person_names_the_account(tmp_path: Path) -> None:
    """Through every part of an exchange, a partnership and the administration."""

    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            await needs(fire, POLICE, review=2)
            await needs(police, FIRE, release=1)
            _, accepted = await police.submit("k", account="requester")
            id_ = accepted["id"]
            await police.review(id_, {"approved": True}, account="reviewer")
            await police.reaches(id_, "stored")
            await fire.done("POST", f"/requests/{id_}/questions", {"text": "which?"}, account="reviewer")
            await police.reaches(id_, "more_information")
            await police.done(
                "POST", f"/requests/{id_}/answers", {"question": 1, "text": "these"}, account="requester"
            )
            await fire.reaches(id_, "pending")
            for account in ("reviewer", "admin"):
                assert (await fire.review(id_, {"approved": True}, account=account))[0] == 200
            await police.reaches(id_, "answered")
            await police.done("POST", f"/requests/{id_}/retrieval", account="requester")
            await fire.done("POST", f"/requests/{id_}/revocation", {"reason": "over"}, account="reviewer")
            _, held = await police.submit("k2", account="requester")
            await police.withdraw(held["id"], account="requester")
            await fire.done("GET", "/pending", account="reviewer")
            await fire.done("PUT", "/policy", {"text": "forbid (principal, action, resource);"})
            catalogue = await fire.done("GET", "/server-identities")
            await fire.done(
                "PUT",
                "/server-identities",
                {"server_identity": catalogue["server_identity"]},
                account="identity-editor",
            )
            for act in ("suspension", "resumption", "comparison"):
                await fire.done("POST", f"/partners/{POLICE}/{act}", {} if act != "comparison" else None)
            await fire.done("POST", "/outbox/retry", {}, account="operator")
            await fire.done("POST", "/clock/confirmation", account="operator")
            await fire.done("POST", "/purge", {}, account="operator")
            await fire.done("POST", "/accounts", new("more", f"sip:more@{FIRE}"), account="operator")
            await fire.done("POST", f"/requests/{id_}/evidence", account="auditor")
            await fire.call("GET", "/audit", account="reviewer")
            await fire.call("POST", "/sessions", {"account": "reviewer", "password": "wrong"}, account=None)
            for system in (police, fire):
                rows = (await system.done("GET", "/audit?limit=1000"))["items"]
                people = [row for row in rows if row["actor"] not in NOT_PEOPLES]
                assert not [r for r in rows if r["actor"] in NOT_PEOPLES and "by" in r["detail"]]
                assert len({row["event"] for row in people}) > 5
                for row in people:
                    named = row["detail"].get("by") or row["detail"]["account"]
                    assert row["actor"] == f"sip:{named}@{system.id}", row

    run(scenario())


def test_the_account_stands_beside_the_mc_service_id_in_show_evidence_and_what_is_sealed(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            id_ = await stored(police)
            await fire.done("POST", "/accounts/reviewer/disablement", account="operator")
            await fire.done("POST", "/accounts", new("other", REVIEWER), account="operator")
            token = (await fire.done("POST", "/sessions", {"account": "other", "password": PASSWORD}))[
                "token"
            ]
            assert (await fire.review(id_, {"approved": True}, account=token))[0] == 200
            shown = await fire.exchange(id_)
            entry = next(e for e in shown["journal"] if e["event"] == "reviewed")
            assert (entry["actor"], entry["detail"]["by"]) == (REVIEWER, "other")
            await fire.server._sealer.seal()
            sealed = [json.loads(row["line"]) for row in (await fire.done("GET", "/audit/rows"))["items"]]
            assert [row["detail"]["by"] for row in sealed if row["event"] == "reviewed"] == ["other"]
            evidence = await fire.done("POST", f"/requests/{id_}/evidence", account="auditor")
            assert '"by": "other"' in json.dumps(evidence).replace('\\"', '"')

    run(scenario())


def test_a_journal_on_a_terminal_has_the_account_beside_the_actor() -> None:
    detail = {"by": "oidc:7f", "by_issuer": "https://login.example", "reason": "as agreed"}
    entry = JournalEntry(1, START, "reviewed", "sip:a@b.example", detail=detail)
    [cell] = list(journal_table([entry], with_exchange=False).columns[2].cells)
    assert str(cell) == "sip:a@b.example (oidc:7f of https://login.example)\nreason: as agreed"
