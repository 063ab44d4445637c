"""The PostgreSQL database of a running server goes back to what it was: noticed, compared with partners, and told."""

import pytest

from support.systems.histories import Copies
from support.systems.restores import agree, compared
from support.systems.systems import FIRE, PASSWORD, POLICE, eventually

pytestmark = pytest.mark.postgres


async def events(system, event):
    """Who journalled it, of which exchange."""
    asked = "SELECT actor, id FROM journal WHERE event = :event ORDER BY serial"
    return await system.store.read(lambda tx: tx.rows(asked, {"event": event}))


@pytest.mark.law(1, 3)
async def test_what_a_partner_holds_comes_back_and_what_nobody_holds_is_named(systems, engine):
    police, fire = systems
    _, before = await police.submit("before")
    await police.reaches(before["id"], "stored")
    await compared(police, FIRE)
    await compared(fire, POLICE)
    copies = Copies(police.config.database)
    copies.keep()
    _, since = await police.submit("since")
    await police.reaches(since["id"], "stored")
    await fire.review(since["id"])
    await police.reaches(since["id"], "answered")
    await fire.stop()
    _, alone = await police.submit("alone")
    police.clock.advance(minutes=5)
    copies.put_back()
    await eventually(lambda: events(police, "database-changed"), lambda found: len(found) == 1)
    assert (await police.call("GET", f"/requests/{alone['id']}"))[0] == 404
    status, again = await police.submit("alone")
    assert status == 201
    assert again["id"] != alone["id"]
    await fire.start()
    await compared(police, FIRE)
    await police.reaches(since["id"], "answered")
    await agree(police, fire)
    named = {id_ for _, id_ in await events(police, "acknowledged-and-gone")}
    assert named == {since["id"], alone["id"]}
    notices = await police.done("GET", "/notices")
    assert any(notice["event"] == "database-changed" for notice in notices["items"])


@pytest.mark.law(1)
async def test_what_people_did_besides_exchanges_is_named_with_who_did_it(systems, engine):
    police, _fire = systems
    copies = Copies(police.config.database)
    copies.keep()
    added = {
        "name": "kim",
        "mc_service_id": f"sip:kim@{POLICE}",
        "roles": ["auditor"],
        "password": PASSWORD,
    }
    await police.done("POST", "/accounts", added)
    await police.done("POST", f"/partners/{FIRE}/comparison")
    copies.put_back()
    await eventually(lambda: events(police, "database-changed"), lambda found: len(found) == 1)
    rows = (await police.done("GET", "/audit?event=acknowledged-and-gone", account="auditor"))["items"]
    named = [(d["act"], d["person"], d["subject"]) for d in (row["detail"] for row in rows)]
    (who,) = {person for _, person, _ in named}
    assert who.startswith("sip:admin@")
    assert sorted(named) == [
        ("account-added", who, f"account kim, mc_service_id sip:kim@{POLICE}"),
        ("comparison-asked", who, f"partner {FIRE}"),
    ]
    (told,) = await police.rows("SELECT id FROM notice WHERE event = 'database-changed'")
    assert "of 0 exchanges, 1 account-added, 1 comparison-asked at least" in told[0]
