"""What a partner gives changes or is taken back: both systems, their people and the CMS follow."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from acmx.flows import end_provisioning, update
from acmx.storage import exchanges, provisionings
from acmx.storage.engine import Tx
from acmx.trust.signatures import body_digest
from integration.test_provisioning import answered
from integration.test_xcap import SERVICES, UE_PATH, USERS, carried_out, ended, of_fire, rows, with_cms
from restores import agree, back_up, compare, compared, restore, run
from restores import systems as onboarded
from systems import FIRE, POLICE, System, eventually, two_systems
from updates import CATALOGUE, gets, grant_is, publish, revoke, told
from xcap import Xcap

KMS = "https://kms-2.mc.county-fire.example"
TERMS = {"max_open": 1000, "max_users": 10_000, "max_per_hour": 3600}
ASKER = [("asker", "sip:admin@mc.metro-police.example")]


def messages_of(system: System, id_: str, type_: str) -> Any:
    return system.rows(f"SELECT n FROM message WHERE id = '{id_}' AND type = '{type_}' ORDER BY n")


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


@asynccontextmanager
async def pushed(tmp: Path, *, reprovision: bool, **changes: Any) -> AsyncIterator[tuple[Any, ...]]:
    """An exchange whose documents are on the CMS."""
    async with with_cms(tmp) as (police, fire, cms):
        await police.done("PUT", f"/partners/{FIRE}/terms", TERMS | {"reprovision": reprovision})
        id_ = await answered(police, fire, users=USERS, **changes)
        job = await carried_out(police, id_)
        assert job["counts"] == {"written": 7}
        yield police, fire, cms, id_


async def the_job_of_policy(police: System, id_: str, mode: str) -> Any:
    """The job that was started by itself, once it has ended."""

    async def look() -> Any:
        return (await police.done("GET", f"/requests/{id_}/provisionings"))["items"][0]

    job = await eventually(look, lambda job: (job["started_by"], job["mode"]) == ("policy", mode))
    return await ended(police, job["id"])


def has(cms: Xcap, user: str) -> list[int]:
    return [of_fire(cms, service, user) for service in SERVICES]


def test_what_is_on_the_cms_follows_by_itself_where_the_terms_say_so(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with pushed(tmp_path, reprovision=True) as (police, fire, cms, id_):
            await publish(fire, kms=KMS)
            job = await the_job_of_policy(police, id_, "push")
            assert (job["counts"], job["catalogue"]) == ({"written": 7}, 2)
            assert KMS.encode() in cms.documents[UE_PATH]
            await revoke(fire, id_, USERS[1])
            job = await eventually(
                lambda: the_job_of_policy(police, id_, "push"), lambda found: found["id"] != job["id"]
            )
            assert job["counts"] == {"unchanged": 5, "written": 2}
            assert [has(cms, user) for user in USERS] == [[1, 1], [0, 0], [1, 1]]
            await revoke(fire, id_)
            job = await the_job_of_policy(police, id_, "remove")
            assert [has(cms, user) for user in USERS] == [[0, 0]] * 3
            assert UE_PATH not in cms.documents
            shown = await police.exchange(id_)
            assert "on_cms" not in shown
            started = [e["actor"] for e in shown["journal"] if e["event"] == "provisioning-started"]
            assert started[1:] == ["policy"] * 3
            assert await police.rows("SELECT * FROM provisioning_wanted") == []

    run(scenario())


def test_without_that_it_is_offered(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with pushed(tmp_path, reprovision=False) as (police, fire, cms, id_):
            assert "on_cms" not in await police.exchange(id_)
            await publish(fire, kms=KMS)
            assert (await gets(police, id_, kms=KMS))["on_cms"] == "older"
            assert KMS.encode() not in cms.documents[UE_PATH]
            assert (await carried_out(police, id_))["counts"] == {"written": 7}
            assert KMS.encode() in cms.documents[UE_PATH]
            assert "on_cms" not in await police.exchange(id_)
            await revoke(fire, id_)
            assert (await grant_is(police, id_, "revoked"))["on_cms"] == "to-remove"
            status, refused = await police.call("POST", f"/requests/{id_}/provisionings", {"mode": "push"})
            assert (status, refused["detail"]) == (409, "the approval is revoked")
            assert (await carried_out(police, id_, "remove"))["counts"] == {"written": 7}
            assert "on_cms" not in await police.exchange(id_)
            assert await police.rows("SELECT * FROM provisioning WHERE started_by = 'policy'") == []

    run(scenario())


def test_a_grant_that_runs_out_is_taken_out_too(tmp_path: Path) -> None:
    async def scenario() -> None:
        ends = "2026-11-25T08:00:00Z"
        async with pushed(tmp_path, reprovision=True, valid_until=ends) as (police, _, cms, id_):
            police.clock.advance(days=3)
            job = await the_job_of_policy(police, id_, "remove")
            assert job["counts"] == {"written": 7}
            assert UE_PATH not in cms.documents
            assert (await police.exchange(id_))["grant"] == "ended"

    run(scenario())


def test_a_preview_says_whose_entries_are_taken_out_and_a_service_that_is_gone_goes(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with pushed(tmp_path, reprovision=False) as (police, fire, cms, id_):
            await revoke(fire, id_, USERS[0])
            await eventually(lambda: police.exchange(id_), lambda e: e.get("on_cms") == "older")
            preview = await carried_out(police, id_, "preview")
            assert preview["counts"] == {"different": 2, "unchanged": 5}
            details = {row["detail"] for row in await rows(police, preview["id"], "different")}
            assert details == {"entry taken out"}
            await publish(fire, mcdata_server=None)
            await gets(police, id_, mcdata_server=None)
            await carried_out(police, id_)
            assert [has(cms, user) for user in USERS] == [[0, 0], [1, 0], [1, 0]]

    run(scenario())


def test_the_asker_hears_once_how_a_job_ended(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with pushed(tmp_path, reprovision=False) as (police, _, cms, id_):
            assert await told(police, "provisioned") == ASKER
            await carried_out(police, id_, "preview")
            cms.documents = {path: d for path, d in cms.documents.items() if USERS[0] not in path}
            await carried_out(police, id_)
            assert await told(police, "partly-provisioned") == ASKER
            cms.documents = {}
            assert (await carried_out(police, id_))["counts"]["failed"] == 6
            assert await told(police, "partly-provisioned") == ASKER * 2
            assert await told(police, "provisioned") == ASKER
            assert await told(police, "not-provisioned") == []

    run(scenario())


def test_what_cannot_be_put_there_by_itself_is_told(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with pushed(tmp_path, reprovision=True) as (police, fire, _, id_):
            identity = {k: v for k, v in CATALOGUE.items() if k not in ("hplmn", "tls_tunnel_auth")}
            await police.done(
                "PUT", f"/partners/{FIRE}/template", {"template": {}}, account="identity-editor"
            )
            given = {"server_identity": identity, "incomplete": True}
            await fire.done("PUT", "/server-identities", given)
            await eventually(lambda: told(police, "not-provisioned"), lambda found: found == ASKER)
            [entry] = [
                e for e in (await police.exchange(id_))["journal"] if e["event"] == "provisioning-not-started"
            ]
            assert entry["actor"] == "policy"
            assert await police.rows("SELECT * FROM provisioning_wanted") == []

    run(scenario())


# Loss, and what a restored system has forgotten.


@pytest.mark.parametrize("restored", ["police", "fire"])
def test_updates_and_revocations_come_back_after_a_restore(tmp_path: Path, restored: str) -> None:
    async def scenario() -> None:
        async with onboarded(tmp_path) as (police, fire):
            copies = {system: back_up(system, "t0") for system in (police, fire)}
            changed, taken, some = [await answered(police, fire, key=str(n)) for n in range(3)]
            await publish(fire, kms=KMS)
            for id_ in (changed, taken, some):
                await gets(police, id_, kms=KMS)
            await revoke(fire, taken)
            await revoke(fire, some, f"sip:officer.1@{POLICE}")
            await publish(fire, kms="https://kms-3.mc.county-fire.example")
            for id_ in (changed, some):
                await gets(police, id_, kms="https://kms-3.mc.county-fire.example")
            await agree(police, fire)
            system, other = (police, FIRE) if restored == "police" else (fire, POLICE)
            before = [await system.exchange(id_) for id_ in (changed, taken, some)]
            await restore(system, copies[system])
            await compared(system, other)
            await agree(police, fire)
            for was in before:
                now = await system.exchange(was["id"])
                same = ("disclosed", "grant", "revocations", "outcome", "updates")
                assert {name: now.get(name) for name in same} == {name: was.get(name) for name in same}
            await system.tick()
            await agree(police, fire)
            assert len((await fire.exchange(changed))["updates"]) == 2

    run(scenario())


def test_a_restored_partner_says_nothing_older_and_goes_on_from_what_is_entered(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with onboarded(tmp_path) as (police, fire):
            id_ = await answered(police, fire)
            await fire.reaches(id_, "delivered")
            copy = back_up(fire, "t0")
            await publish(fire, kms=KMS)
            await gets(police, id_, kms=KMS)
            await agree(police, fire)
            await restore(fire, copy, start=False)
            await police.stop()
            await fire.start()
            newer = "https://kms-9.mc.county-fire.example"
            await publish(fire, kms=newer)
            await fire.tick()
            assert await messages_of(fire, id_, "update") == [(2,)]
            await police.start()
            await compared(fire, POLICE)
            at_police = await gets(police, id_, kms=newer)
            assert [changed["n"] for changed in at_police["updates"]] == [2, 3]
            await agree(police, fire)
            [lost] = (await fire.exchange(id_))["contradictions"]
            assert (lost["type"], lost["n"]) == ("update", 2)

    run(scenario())


def test_a_revocation_made_in_ignorance_of_another_holds_as_well(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with onboarded(tmp_path) as (police, fire):
            id_ = await answered(police, fire, users=USERS)
            await fire.reaches(id_, "delivered")
            copy = back_up(fire, "t0")
            await revoke(fire, id_, USERS[0])
            await eventually(lambda: police.exchange(id_), lambda e: e.get("revocations"))
            await agree(police, fire)
            await police.stop()
            await restore(fire, copy)
            await revoke(fire, id_, USERS[1], USERS[2])
            await police.start()
            await grant_is(police, id_, "revoked")
            await grant_is(fire, id_, "revoked")
            await compare(police, FIRE)
            await agree(police, fire)
            for system in (police, fire):
                shown = (await system.exchange(id_))["revocations"]
                assert [one["users"] for one in shown] == [[USERS[0]], [USERS[1], USERS[2]]]

    run(scenario())


def test_an_update_before_its_response_waits_for_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with onboarded(tmp_path) as (police, fire):
            _, accepted = await police.submit()
            id_ = accepted["id"]
            await police.reaches(id_, "stored")
            copy = back_up(police, "t0")
            await fire.review(id_)
            await police.reaches(id_, "answered")
            await police.stop()
            await publish(fire, kms=KMS)
            await eventually(lambda: messages_of(fire, id_, "update"), lambda found: found == [(2,)])
            await restore(police, copy)
            await gets_there(police, fire, id_)
            await agree(police, fire)

    run(scenario())


async def gets_there(police: System, fire: System, id_: str) -> None:
    """Whatever comes first: the update, or the comparison of the restored system."""

    async def look() -> Any:
        police.clock.advance(seconds=20)  # type: ignore[attr-defined]
        await fire.nudge(POLICE)
        return await police.exchange(id_)

    found = await eventually(look, lambda exchange: exchange.get("updates"))
    assert found["disclosed"]["server_identity"]["kms"] == KMS


def test_an_update_that_says_what_was_not_asked_for_is_refused_and_told(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            id_ = await answered(police, fire, content={"services": ["mcptt"]})
            await fire.reaches(id_, "delivered")
            await police.stop()
            await publish(fire, kms=KMS)
            await eventually(lambda: messages_of(fire, id_, "update"), lambda found: found == [(2,)])
            body = (await fire.rows("SELECT body FROM message WHERE type = 'update'"))[0][0]
            document = msgspec.json.decode(body)
            document["content"]["services"] = ["mcptt", "mcvideo"]
            await fire.store.write(
                lambda tx: tx.execute(
                    "UPDATE message SET body = :body, digest = :digest WHERE type = 'update'",
                    forged(document),
                )
            )
            await police.start()
            await eventually(
                lambda: told(fire, "update-refused"), lambda found: found == [("reviewers", None)]
            )
            at_police = await police.exchange(id_)
            assert at_police["disclosed"]["server_identity"]["kms"] == CATALOGUE["kms"]

    run(scenario())


def test_after_a_refused_response_nothing_is_said(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            _, accepted = await police.submit(content={"services": ["mcptt"]})
            id_ = accepted["id"]
            await police.reaches(id_, "stored")
            await police.stop()
            await fire.review(id_)
            body = (await fire.rows("SELECT body FROM message WHERE type = 'response'"))[0][0]
            document = msgspec.json.decode(body)
            document["content"]["services"] = ["mcptt", "mcvideo"]
            await fire.store.write(
                lambda tx: tx.execute(
                    "UPDATE message SET body = :body, digest = :digest WHERE type = 'response'",
                    forged(document),
                )
            )
            await publish(fire, kms=KMS)
            await eventually(lambda: messages_of(fire, id_, "update"), lambda found: found == [(2,)])
            await police.start()
            await eventually(
                lambda: told(fire, "response-refused"), lambda found: found == [("reviewers", None)]
            )
            assert await fire.rows("SELECT * FROM outbox") == []
            await publish(fire, kms="https://kms-3.mc.county-fire.example")
            await fire.tick()
            assert await messages_of(fire, id_, "update") == [(2,)]
            assert await messages_of(police, id_, "update") == []

    run(scenario())


def test_a_push_of_what_was_revoked_since_is_not_wanted_any_more(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with pushed(tmp_path, reprovision=False) as (police, fire, _, id_):

            def look(tx: Tx) -> str | None:
                [job] = provisionings.of_exchange(tx, POLICE, id_)
                return end_provisioning.still_wanted(tx, job)

            await publish(fire, kms=KMS)
            await gets(police, id_, kms=KMS)
            assert await police.store.read(look) is None
            await revoke(fire, id_, USERS[0])
            await eventually(lambda: police.exchange(id_), lambda e: e.get("revocations"))
            assert await police.store.read(look) == "the approval of some users was revoked meanwhile"
            await revoke(fire, id_)
            await grant_is(police, id_, "revoked")
            assert await police.store.read(look) == "the approval is revoked"

    run(scenario())


def forged(document: Any) -> dict[str, Any]:
    body = msgspec.json.encode(document)
    return {"body": body, "digest": body_digest(body)}
