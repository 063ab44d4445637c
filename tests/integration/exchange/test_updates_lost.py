"""Updates and revocations that are lost, come too early or cannot be taken; what a restored system forgot."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from acmx.trust.signatures import body_digest
from integration.provisioning.test_provisioning import answered
from integration.provisioning.test_xcap import USERS
from support.systems.restores import agree, back_up, compare, compared, restore, run
from support.systems.restores import systems as onboarded
from support.systems.systems import FIRE, POLICE, System, eventually, two_systems
from support.systems.updates import CATALOGUE, KMS, gets, grant_is, messages_of, publish, revoke, told


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


def forged(document: Any) -> dict[str, Any]:
    body = msgspec.json.encode(document)
    return {"body": body, "digest": body_digest(body)}
