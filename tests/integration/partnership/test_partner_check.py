"""`acmx partner check`: one line a check, in plain words, as far as the way goes."""

from pathlib import Path
from typing import Any

import msgspec

from acmx.domain.moments import to_ms
from acmx.storage.partnership import partners
from support.systems.systems import FIRE, POLICE, Clock, System, Two, eventually, two_systems


async def checked(system: System, partner: str = FIRE) -> dict[str, tuple[str, str]]:
    found = await system.done("POST", f"/partners/{partner}/check", account="partner-administrator")
    return {finding["name"]: (finding["status"], finding["text"]) for finding in found["items"]}


def troubles(found: dict[str, tuple[str, str]]) -> dict[str, str]:
    return {name: status for name, (status, _) in found.items() if status != "ok"}


async def greeted(police: System) -> None:
    await eventually(lambda: police.done("GET", f"/partners/{FIRE}"), lambda p: "last_success_at" in p)


async def change(system: System, partner: str, **fields: Any) -> None:
    def act(tx: Any) -> None:
        found = partners.find(tx, partner)
        assert found is not None
        partners.replace(tx, msgspec.structs.replace(found, **fields))

    await system.store.write(act)


async def test_where_all_is_well_every_check_says_so(systems: Two) -> None:
    police, _ = systems
    await greeted(police)
    found = await checked(police)
    assert troubles(found) == {}
    assert list(found) == [
        "name",
        "connection",
        "TLS handshake",
        "their certificate",
        "our certificate there",
        "their metadata",
        "clocks",
        "partnership",
        "our certificate",
        "in common",
        "last success",
        "queued",
    ]
    assert found["partnership"][1] == "accepted here, accepted there"
    assert found["in common"][1] == "server-identity 1.0, server-identity-provision 1.0"
    assert (await police.call("POST", "/partners/mc.nobody.example/check"))[0] == 404


async def test_a_partner_who_is_away_and_what_waits_for_it(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, _fire):
        await police.start()
        await police.submit()
        await eventually(
            lambda: police.done("GET", f"/partners/{FIRE}"), lambda partner: "next_attempt_at" in partner
        )
        found = await checked(police)
        assert troubles(found) == {"connection": "failed", "last success": "warning", "queued": "warning"}
        assert "TLS handshake" not in found
        assert found["queued"][1].startswith("1 waiting: back-off until 2026-11-23T08:00:00.")


async def test_a_name_that_nobody_knows(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, fire):
        metadata = fire.own.metadata.replace(b"https://127.0.0.1", b"https://nowhere.invalid")
        await police.start()
        await change(police, FIRE, metadata=metadata)
        found = await checked(police)
        assert found["name"][0] == "failed"
        assert "connection" not in found


async def test_another_certificate_than_the_pinned_one(systems: Two) -> None:
    police, fire = systems
    await greeted(police)
    stranger = (police.directory / "tls" / "acm2.pem").read_text()
    document = msgspec.json.decode(fire.own.metadata)
    document["certificates"] = [stranger]
    await change(police, FIRE, metadata=msgspec.json.encode(document))
    found = await checked(police)
    assert found["their certificate"][0] == "failed"
    assert "is not the pinned one" in found["their certificate"][1]
    assert "our certificate there" not in found


async def test_a_partner_who_does_not_take_our_certificate(systems: Two) -> None:
    police, fire = systems
    await greeted(police)
    await fire.store.write(lambda tx: tx.execute("DELETE FROM partner"))
    await fire.restart()
    found = await checked(police)
    assert found["TLS handshake"][0] == "ok"
    assert found["our certificate there"][0] == "failed"


async def test_clocks_that_differ(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, fire):
        fire.clock = Clock()
        await fire.start()
        await police.start()
        await greeted(police)
        fire.clock.advance(minutes=2)
        assert troubles(await checked(police)) == {"clocks": "warning"}
        fire.clock.advance(minutes=-12)
        found = await checked(police)
        assert found["clocks"] == ("failed", "theirs is 600.0 s behind ours: messages are refused")
        assert found["partnership"][0] == "failed"
        fire.clock.advance(minutes=20)
        found = await checked(police)
        assert found["their metadata"][0] == "failed"
        assert (
            "signed_at: 2026-11-23T08:10:00Z received_at: 2026-11-23T08:00:00Z" in found["their metadata"][1]
        )


async def test_metadata_that_changed_and_a_partnership_that_rests(systems: Two) -> None:
    police, fire = systems
    await greeted(police)
    await fire.done("POST", f"/partners/{POLICE}/suspension", {})
    document = msgspec.json.decode(fire.own.metadata)
    document["contact"] = "as it was"
    await change(police, FIRE, metadata=msgspec.json.encode(document))
    found = await checked(police)
    assert found["their metadata"] == ("warning", "differs from what is pinned in: contact")
    assert found["partnership"] == ("warning", "accepted here, suspended there")


async def test_the_difference_of_the_clocks_is_kept_for_the_doctor(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, fire):
        fire.clock = Clock()
        fire.clock.advance(seconds=90)
        await fire.start()
        await police.start()
        await greeted(police)
        assert await police.rows("SELECT clock_difference FROM partner") == [(90_000,)]
        assert to_ms(fire.clock()) - to_ms(police.clock()) == 90_000
