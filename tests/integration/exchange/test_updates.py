"""What a partner gives changes or is taken back: both systems, their people and the CMS follow."""

from pathlib import Path

import pytest

from acmx.flows.exchange import update
from acmx.storage.exchange import exchanges
from integration.provisioning.test_provisioning import answered
from integration.provisioning.test_xcap import USERS
from support.systems.restores import agree, run
from support.systems.systems import FIRE, POLICE, eventually, two_systems
from support.systems.updates import ASKER, CATALOGUE, KMS, gets, grant_is, messages_of, publish, revoke, told


def test_a_change_reaches_every_live_grant_and_the_difference_is_shown(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            id_ = await answered(police, fire)
            await police.done("POST", f"/requests/{id_}/retrieval")
            assert await publish(fire, kms=KMS, mcdata_server=None) == 2
            at_police = await gets(police, id_, kms=KMS)
            assert at_police["state"] == "retrieved"
            [changed] = at_police["updates"]
            found = {change["field"]: (change["old"], change["new"]) for change in changed["changes"]}
            assert found["server_identity.kms"] == ([CATALOGUE["kms"]], [KMS])
            assert found["server_identity.mcdata_server.uri"] == ([CATALOGUE["mcdata_server"]["uri"]], [])
            assert found["services"] == (["mcptt", "mcdata"], ["mcptt"])
            assert found["catalogue"] == (["1"], ["2"])
            assert "server_identity.gms" not in found
            at_fire = await fire.reaches(id_, "delivered")
            assert at_fire["updates"] == at_police["updates"]
            answer = await police.done("POST", f"/requests/{id_}/retrieval")
            assert answer["content"] == at_police["disclosed"]
            assert answer["updated_at"] == changed["created_at"]
            assert await told(police, "update") == ASKER
            events = [entry["event"] for entry in at_fire["journal"]]
            assert events[-1] == "update-sent"

    run(scenario())


def test_what_says_the_same_is_not_sent_and_what_is_no_longer_granted_neither(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            soon = police.clock().replace(hour=10).isoformat()
            live = await answered(police, fire, key="live")
            over = await answered(police, fire, key="over", valid_until=soon)
            revoked = await answered(police, fire, key="revoked")
            declined = await answered(police, fire, {"approved": False}, key="declined")
            assert (await revoke(fire, revoked))[0] == 200
            police.clock.advance(hours=3)  # type: ignore[attr-defined]
            await fire.tick()
            await publish(fire)
            await fire.tick()
            assert await messages_of(fire, live, "update") == []
            await publish(fire, kms=KMS)
            await gets(police, live, kms=KMS)
            await fire.tick()
            assert [await messages_of(fire, id_, "update") for id_ in (live, over, revoked, declined)] == [
                [(2,)],
                [],
                [],
                [],
            ]
            assert (await police.exchange(over))["disclosed"]["server_identity"]["kms"] == CATALOGUE["kms"]

    run(scenario())


def test_changes_that_could_not_be_sent_become_one(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            id_ = await answered(police, fire)
            await police.done("POST", f"/partners/{FIRE}/suspension", {})
            await eventually(
                lambda: fire.done("GET", f"/partners/{POLICE}"), lambda p: p["state"] == "suspended"
            )
            for number in range(3):
                await publish(fire, kms=f"https://kms-{number}.mc.county-fire.example")
                await fire.tick()
            assert await messages_of(fire, id_, "update") == [(2,)]
            await police.done("POST", f"/partners/{FIRE}/resumption")
            at_police = await gets(police, id_, kms="https://kms-2.mc.county-fire.example")
            assert len(at_police["updates"]) == 1
            await agree(police, fire)

    run(scenario())


def test_many_grants_are_told_in_small_transactions_that_go_on_after_a_crash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path, start=False) as (police, fire):
            await police.start()
            await fire.start()
            ids = [await answered(police, fire, key=str(n)) for n in range(5)]
            await police.stop()
            monkeypatch.setattr(update, "AT_ONCE", 2)
            monkeypatch.setattr(update, "due", lambda _house, _tx: [])
            await publish(fire, kms=KMS)
            monkeypatch.undo()
            monkeypatch.setattr(update, "AT_ONCE", 2)
            [batch] = await fire.store.read(lambda tx: update.due(fire.house, tx))
            plan = await fire.store.read(lambda tx: update.prepare(fire.house, tx, batch))
            assert len(plan.said) == 2
            await fire.restart()
            await police.start()
            for id_ in ids:
                await gets(police, id_, kms=KMS)
            sent = await fire.rows("SELECT id FROM message WHERE type = 'update' ORDER BY 1")
            assert sent == sorted((id_,) for id_ in ids)

    run(scenario())


def test_an_exchange_that_changes_while_it_is_told_is_told_later(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path, start=False) as (police, fire):
            await police.start()
            await fire.start()
            id_ = await answered(police, fire)
            await fire.reaches(id_, "delivered")
            await fire.stop()
            fire.running = False
            await fire.start()
            version = int((await fire.rows("SELECT version FROM exchange"))[0][0])
            exchange = (await fire.store.read(lambda tx: exchanges.named(tx, id_)))[0]
            batch = update.Batch(id_, [exchange])
            await publish(fire, kms=KMS)
            await gets(police, id_, kms=KMS)
            plan = await fire.store.read(lambda tx: update.prepare(fire.house, tx, batch))
            await fire.store.write(lambda tx: update.apply(tx, plan))
            assert await messages_of(fire, id_, "update") == [(2,)]
            assert (await fire.rows("SELECT version FROM exchange"))[0][0] == version + 1

    run(scenario())


def test_an_approval_is_taken_back_for_some_and_then_for_all(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            id_ = await answered(police, fire, users=USERS)
            await fire.reaches(id_, "delivered")
            status, said = await revoke(fire, id_, USERS[0], account="reviewer", reason="left the force")
            assert (status, said) == (200, {"id": id_, "grant": "live", "revoked": 1, "approved": 2})
            at_police = await eventually(lambda: police.exchange(id_), lambda e: e.get("revocations"))
            assert at_police["grant"] == "live"
            [taken] = at_police["revocations"]
            assert (taken["users"], taken["reason"]) == ([USERS[0]], "left the force")
            assert taken["person"] == f"sip:reviewer@{FIRE}"
            assert (await revoke(fire, id_, USERS[0], account="reviewer", reason="left the force"))[1] == said
            assert (await revoke(fire, id_, USERS[0]))[0] == 422
            assert (await revoke(fire, id_, f"sip:nobody@{POLICE}"))[0] == 422
            status, said = await revoke(fire, id_)
            assert (status, said["grant"], said["revoked"], said["approved"]) == (200, "revoked", 2, 0)
            await grant_is(police, id_, "revoked")
            assert (await revoke(fire, id_))[1]["grant"] == "revoked"
            status, refused = await revoke(fire, id_, reason="another one")
            assert (status, refused["state"]) == (409, "delivered")
            assert refused["detail"] == "the approval is revoked"
            assert await told(police, "revocation") == ASKER * 2
            assert await told(fire, "revoked") == [("reviewers", None)] * 2
            answer = await police.done("POST", f"/requests/{id_}/retrieval")
            assert sorted(answer["revoked"]) == USERS
            assert len(await messages_of(fire, id_, "revocation")) == 2
            await agree(police, fire)
            status, refused = await police.call("GET", f"/requests/{id_}/documents")
            assert (status, refused["detail"]) == (409, "the approval is revoked")
            await publish(fire, kms=KMS)
            await fire.tick()
            assert await messages_of(fire, id_, "update") == []

    run(scenario())


def test_one_reviewer_takes_back_what_two_had_to_approve_and_only_what_was_approved(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            approvals = {"kind": "server-identity", "review": {"approvals": 2, "roles": []}}
            await fire.done("PUT", f"/partners/{POLICE}/approvals", approvals)
            _, accepted = await police.submit()
            id_ = accepted["id"]
            await police.reaches(id_, "stored")
            status, refused = await revoke(fire, id_)
            assert (status, refused["state"]) == (409, "pending")
            await fire.review(id_)
            await fire.review(id_, account="reviewer")
            await police.reaches(id_, "answered")
            assert (await revoke(police, id_))[0] == 409
            assert (await revoke(fire, id_, account="requester"))[0] == 403
            assert (await revoke(fire, id_, account="reviewer"))[1]["grant"] == "revoked"
            await grant_is(police, id_, "revoked")

    run(scenario())
