"""What is past its retention goes, what proves it stays, and everything goes on working."""

import json
from typing import Any

import msgspec
import pytest

from acmx.bootstrap.offline_audit import opened
from acmx.domain.messages import PROBLEM
from acmx.domain.moments import to_ms
from acmx.domain.records import SignedCheckpoint
from acmx.storage.exchange import messages
from acmx.storage.exchange.messages import Stored
from acmx.trust.checkpoints import Checkpoints
from acmx.trust.evidence_check import check
from acmx.trust.journal_check import JournalCheck
from acmx.trust.signatures import body_digest
from support.systems.systems import FIRE, POLICE, System, Two, eventually

BODIES = "SELECT COUNT(*) FROM message WHERE length(body) > 0"


async def answered(police: System, fire: System, key: str, *, ask: bool = False) -> str:
    _, accepted = await police.submit(key, purpose=f"purpose of {key}")
    id_: str = accepted["id"]
    await police.reaches(id_, "stored")
    if ask:
        await fire.done("POST", f"/requests/{id_}/questions", {"text": "which boat?"})
        await police.reaches(id_, "more_information")
        await police.done("POST", f"/requests/{id_}/answers", {"question": 1, "text": "Neptune"})
        await fire.reaches(id_, "pending")
    assert (await fire.review(id_, {"approved": False}))[0] == 200
    await police.reaches(id_, "answered")
    await fire.reaches(id_, "delivered")
    return id_


async def purge(system: System, *, dry_run: bool = False) -> Any:
    return await system.done("POST", "/purge", {"dry_run": dry_run}, account="operator")


async def years_pass(*systems: System) -> None:
    """All but the last day of the retention of two years; the clock is confirmed, partners are found again."""
    systems[0].clock.advance(days=729)
    for system in systems:
        await system.done("POST", "/clock/confirmation")


async def test_bodies_texts_and_notices_go_at_the_end_of_the_retention_and_no_sooner(systems: Two) -> None:
    police, fire = systems
    id_ = await answered(police, fire, "old", ask=True)
    await years_pass(police, fire)
    assert (await purge(police))["exchanges"] == 0
    police.clock.advance(days=1)
    for system in (police, fire):
        await system.done("POST", "/clock/confirmation")
    _, accepted = await police.submit("open")
    await police.reaches(accepted["id"], "stored")
    digests = await police.rows("SELECT digest, signature, reply FROM message ORDER BY digest")
    counted = await purge(police, dry_run=True)
    assert (counted["exchanges"], counted["messages"], counted["more"]) == (1, 4, False)
    assert await police.rows(BODIES) == [(5,)]
    assert await purge(police) == counted
    assert await police.rows(BODIES) == [(1,)]
    assert await police.rows("SELECT digest, signature, reply FROM message ORDER BY digest") == digests
    shown = await police.exchange(id_)
    assert (shown["purpose"], shown["users"], "conversation" in shown) == ("", [], False)
    assert [event["event"] for event in shown["journal"]][-1] == "purged"
    notices = await police.rows(f"SELECT COUNT(*) FROM notice WHERE id = '{id_}'")
    assert (notices, counted["notices"] > 0) == ([(0,)], True)
    again = await purge(police)
    assert (again["exchanges"], again["messages"], again["notices"]) == (0, 0, 0)


@pytest.mark.law(3)
async def test_evidence_and_journal_stay_whole_and_a_kept_body_still_fits(systems: Two) -> None:
    police, fire = systems
    id_ = await answered(police, fire, "old")
    before = await fire.done("POST", f"/requests/{id_}/evidence", account="auditor")
    shipped = msgspec.convert(await fire.done("GET", "/audit/checkpoint"), SignedCheckpoint)
    police.clock.advance(days=731)
    await fire.done("POST", "/clock/confirmation")
    assert (await purge(fire))["exchanges"] == 1
    after = await fire.done("POST", f"/requests/{id_}/evidence", account="auditor")
    found = check(json.dumps(after).encode(), [police.own.key.kid, fire.own.key.kid])
    gone = [finding.name for finding in found if finding.status == "warning"]
    assert gone == [f"response 1 of {FIRE}", f"request 1 of {POLICE}"]
    assert {finding.status for finding in found} == {"ok", "warning"}
    kept = {m["digest"]: m["body"] for m in before["evidence"]["messages"]}
    for message in after["evidence"]["messages"]:
        assert "body" not in message
        assert body_digest(kept[message["digest"]].encode()) == message["digest"]
    await fire.stop()
    with opened(fire.directory) as journal:
        checking = JournalCheck(Checkpoints(journal.checkpoints, [shipped]))
        for row in journal.rows:
            checking.take(row)
    assert checking.finish().troubles == ()


async def test_retrieval_and_replay_after_a_purge(systems: Two) -> None:
    police, fire = systems
    id_ = await answered(police, fire, "old")
    police.clock.advance(days=731)
    await police.done("POST", "/clock/confirmation")
    await purge(police)
    status, problem = await police.call("POST", f"/requests/{id_}/retrieval")
    assert (status, problem["type"]) == (409, PROBLEM + "not-now")
    assert "removed at the end of its retention" in problem["detail"]


async def test_a_message_refused_for_good_is_purged_after_the_same_time(systems: Two) -> None:
    _, fire = systems
    refused = Stored(
        primary_system=POLICE,
        id="01a2076b-4400-7000-8000-000000000001",
        sender=POLICE,
        n=1,
        type="refused",
        digest="d",
        body=b"{}",
        signature="s",
        stored_at=to_ms(fire.clock()),
        reply=b'{"type": "urn:acmx:problem:foreign-user"}',
    )
    await fire.store.write(lambda tx: messages.insert(tx, refused))
    fire.clock.advance(days=729)
    assert (await purge(fire))["messages"] == 0
    fire.clock.advance(days=2)
    assert (await purge(fire))["messages"] == 1
    assert await fire.rows(BODIES) == [(0,)]


async def test_systems_compare_and_agree_with_purged_bodies(systems: Two) -> None:
    """Nothing is fetched, sent again or told wrong where both hold the digests; what one lost is not given back."""

    police, fire = systems
    id_ = await answered(police, fire, "old")
    police.clock.advance(days=731)
    for system in (police, fire):
        await system.done("POST", "/clock/confirmation")
    await purge(fire)
    for system in (police, fire):
        await system.store.write(lambda tx: tx.execute("UPDATE partner SET compared_at = 0"))
    await compared(police, FIRE)
    await compared(fire, POLICE)
    assert await police.rows(BODIES) == [(2,)]
    assert await fire.counts("outbox") == await police.counts("outbox") == {"outbox": 0}
    await police.store.write(lambda tx: tx.execute("DELETE FROM message"))
    await police.store.write(lambda tx: tx.execute("UPDATE partner SET compared_at = 0"))
    partner = await compared(police, FIRE)
    assert "the partner does not give back what it named" in partner["comparison_error"]
    assert (await police.exchange(id_))["state"] == "answered"


async def compared(system: System, peer: str) -> Any:
    await system.done("POST", f"/partners/{peer}/comparison")
    return await eventually(
        lambda: system.done("GET", f"/partners/{peer}"), lambda partner: "comparison_due" not in partner
    )
