"""Certificates and what else waits for a person: renewal while the server works, and law 12 for whatever is broken."""

import asyncio
import ssl
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import Response

from acmx.bootstrap import keep_certificates
from acmx.delivery.sender import Sender
from acmx.domain.errors import NotNow
from acmx.domain.messages import PROBLEM
from acmx.storage.partnership import partners
from acmx.trust import key_files
from acmx.trust.certificates import fingerprint, fingerprint_of_pem, self_signed
from acmx.trust.pinned import Pinned, pinned
from support.partner.by_hand import ByHand
from support.systems.systems import FIRE, POLICE, System, Two, eventually, turns, two_systems


async def known(system: System, of: str) -> Pinned:
    found = await system.store.read(lambda tx: partners.find(tx, of))
    assert found is not None
    return pinned(found.metadata)


async def change(system: System, of: str) -> Any:
    return await system.done("GET", f"/partners/{of}/change")


async def confirm(system: System, of: str, seen: str, *, account: str = "admin") -> tuple[int, Any]:
    path = f"/partners/{of}/change/confirmation"
    return await system.call("POST", path, {"seen": seen}, account=account)


async def shown(system: System, face: int) -> str:
    """The fingerprint of the certificate that a new connection is shown."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if face == 1:
        folder = system.directory / "tls"
        context.load_cert_chain(folder / "acm2.pem", folder / "acm2.key")
    _, writer = await asyncio.open_connection("127.0.0.1", system.server.ports[face], ssl=context)
    found = fingerprint(writer.get_extra_info("ssl_object").getpeercert(True))
    writer.transport.abort()
    return found


def make(system: System, *, now: datetime | None = None, days: int = 825) -> tuple[bytes, bytes]:
    return self_signed(system.id, ["127.0.0.1"], now=now or system.clock(), days=days)


def put(system: System, face: str, certificate: bytes | None, key: bytes | None) -> None:
    for suffix, content in (("pem", certificate), ("key", key)):
        if content is not None:
            (system.directory / "tls" / f"{face}.{suffix}").write_bytes(content)


def confirmed(system: System, certificate: str) -> Any:
    """Whether every partner says that it takes this one of our certificates."""
    return system.store.read(lambda tx: partners.without_certificate(tx, certificate))


def broken(system: System) -> dict[str, tuple[bytes | None, bytes | None]]:
    other, other_key = make(system)
    past = system.clock() - timedelta(days=900)
    future = system.clock() + timedelta(days=900)
    return {
        "the key of another": (None, other_key),
        "the certificate of another": (other, None),
        "no certificate": (b"garbage", other_key),
        "half a key": (other, other_key[:60]),
        "nothing": (b"", b""),
        "expired": make(system, now=past, days=1),
        "not yet valid": make(system, now=future),
    }


@pytest.mark.law(12)
@pytest.mark.parametrize("face", ["acm1", "acm2"])
async def test_a_bad_pair_is_refused_and_the_good_one_stays(face: str, systems: Two, capsys: Any) -> None:
    police, _ = systems
    number = int(face[-1]) - 1
    good = await shown(police, number)
    kept = [(police.directory / "tls" / f"{face}.{suffix}").read_bytes() for suffix in ("pem", "key")]
    for name, pair in broken(police).items():
        put(police, face, *pair)
        await police.server._renewal.renew()
        said = capsys.readouterr().out
        assert "what was in use stays" in said, name
        assert "PRIVATE" not in said
        put(police, face, *kept)
        assert await shown(police, number) == good
        assert (police.server._own.metadata) == police.own.metadata
    put(police, face, b"", b"")
    await police.server._renewal.renew()
    _, accepted = await police.submit()
    await police.reaches(accepted["id"], "stored")
    assert not list((police.directory / "tls").glob(".*"))


@pytest.mark.law(12)
async def test_acm1_shows_a_new_certificate_to_new_connections_without_being_told(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, _):
        await police.start()
        certificate, key = make(police)
        await police.done("GET", "/partners")
        put(police, "acm1", certificate, key)
        new = fingerprint_of_pem(certificate.decode())
        await eventually(lambda: shown(police, 0), lambda found: found == new)
        await police.done("GET", "/partners")


@pytest.mark.law(12)
async def test_a_certificate_that_partners_have_not_confirmed_is_not_shown(systems: Two, capsys: Any) -> None:
    police, _ = systems
    good = await shown(police, 1)
    put(police, "acm2", *make(police))
    await police.server._renewal.renew()
    assert f"not confirmed by {FIRE}" in capsys.readouterr().out
    assert await shown_to(police) == good
    keep_certificates.publish_next(police.directory, None, police.clock)
    with pytest.raises(NotNow, match=FIRE):
        keep_certificates.switch(police.directory, anyway=False)


async def shown_to(system: System) -> str:
    return system.server._renewal._acm2.fingerprint


@pytest.mark.law(1, 12)
async def test_renewal_under_load_with_a_rotation_on_the_way(systems: Two) -> None:
    """The next certificate is published, confirmed by a person, and takes the first one's place; keys do not wait."""

    police, fire = systems
    submitted: list[str] = []

    async def load() -> None:
        for n in range(10_000):
            _, accepted = await police.submit(f"load {n}")
            submitted.append(accepted["id"])
            await police.reaches(accepted["id"], "stored")

    loading = asyncio.create_task(load())
    old = await shown(police, 1)
    keep_certificates.publish_next(police.directory, None, police.clock)
    key_files.rotate(police.directory / "keys", police.clock() + timedelta(days=30))
    police.server.renew()
    found = await eventually(lambda: change(fire, POLICE), lambda found: found["fields"])
    (field,) = found["fields"]
    assert (field["field"], len(field["old"]), len(field["new"])) == ("certificates", 1, 2)
    fire_holds = await known(fire, POLICE)
    assert (len(fire_holds.keys), fire_holds.fingerprints) == (2, {old})
    assert (await fire.done("GET", f"/partners/{POLICE}"))["change_waits"]
    assert (await confirm(fire, POLICE, found["seen"], account="requester"))[0] == 403
    assert (await confirm(fire, POLICE, "something else"))[0] == 412
    status, _ = await confirm(fire, POLICE, found["seen"], account="partner-administrator")
    assert status == 200
    (new,) = (await known(fire, POLICE)).fingerprints - {old}
    await eventually(lambda: confirmed(police, new), lambda waits: not waits)
    before = police.server._own.metadata
    keep_certificates.switch(police.directory, anyway=False)
    await eventually(lambda: shown_to(police), lambda found: found == new)
    assert await shown(police, 1) == new
    await police.server._renewal.renew()
    assert police.server._own.metadata == before
    seen = len(submitted)
    await eventually(lambda: submitted, lambda found: len(found) > seen + 5)
    loading.cancel()
    for id_ in submitted:
        await police.reaches(id_, "stored")
    journal = (await fire.done("GET", "/audit?limit=1000"))["items"]
    (taken,) = [entry for entry in journal if entry["event"] == "partner-metadata-confirmed"]
    assert taken["actor"] == f"sip:partner-administrator@{FIRE}"
    assert (await change(fire, POLICE))["fields"] == []
    keep_certificates.publish_next(police.directory, None, police.clock)
    police.server.renew()
    found = await eventually(lambda: change(fire, POLICE), lambda found: found["fields"])
    assert len(found["fields"][0]["new"]) == 2


async def test_what_is_on_its_way_when_the_certificate_changes_is_let_finish(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with two_systems(tmp_path, start=False) as (police, fire):
        stand_in = ByHand.of(fire)
        came, waits, go = asyncio.Event(), asyncio.Event(), asyncio.Event()

        async def answer(heard: Any) -> Response:
            came.set()
            await go.wait()
            return stand_in.receipt(heard)

        async def wait(sender: Sender, within: float | None = None) -> None:
            waits.set()
            await let_finish(sender, within)

        let_finish = Sender.wait

        async with stand_in.serving(police, answer):
            await police.start()
            _, accepted = await police.submit()
            await came.wait()
            monkeypatch.setattr(Sender, "wait", wait)
            police.server._own.shown = "another"
            police.server._links.wake()
            async with asyncio.timeout(15):
                await waits.wait()
            await turns(10)
            go.set()
            await police.reaches(accepted["id"], "stored")
            assert len(stand_in.heard) == 1
            assert "last_error" not in await police.done("GET", f"/partners/{FIRE}")


@pytest.mark.law(10)
async def test_new_realms_and_a_new_address_wait_for_a_person(systems: Two) -> None:
    police, fire = systems
    await police.stop()
    file = police.directory / "config.toml"
    text = file.read_text()
    assert f'"{POLICE}"' in text.partition("[realms]")[2]
    before, _, realms = text.partition("[realms]")
    file.write_text(
        before.replace('name = "', 'name = "The ')
        + "[realms]"
        + realms.replace(f'"{POLICE}"', f'"{POLICE}", "harbour.police.example"')
    )
    again = System(police.directory, police.clock)
    await again.start()
    try:
        found = await eventually(lambda: change(fire, POLICE), lambda found: found["fields"])
        (field,) = found["fields"]
        assert field["field"] == "hosts"
        assert set(field["new"]) - set(field["old"]) == {"harbour.police.example"}
        held = (await known(fire, POLICE)).metadata
        assert held.name == f"The {POLICE}"
        assert "harbour.police.example" not in held.realms.hosts
        users = ["sip:officer.1@harbour.police.example"]
        _, refused = await again.submit("refused", users=users)
        await again.reaches(refused["id"], "refused_by_partner")
        assert (await confirm(fire, POLICE, found["seen"]))[0] == 200
        assert (await confirm(fire, POLICE, found["seen"]))[0] == 404
        _, taken = await again.submit("taken", users=users)
        await again.reaches(taken["id"], "stored")
    finally:
        await again.stop()


async def test_a_change_that_is_taken_back_waits_no_longer(systems: Two) -> None:
    police, fire = systems
    keep_certificates.publish_next(police.directory, None, police.clock)
    police.server.renew()
    await eventually(lambda: change(fire, POLICE), lambda found: found["fields"])
    for name in ("acm2-next.pem", "acm2-next.key"):
        (police.directory / "tls" / name).unlink()
    police.clock.advance(seconds=1)
    police.server.renew()
    await eventually(lambda: change(fire, POLICE), lambda found: not found["fields"])
    assert len((await known(fire, POLICE)).fingerprints) == 1


async def test_nobody_confirms_what_was_not_seen(systems: Two) -> None:
    _, fire = systems
    status, problem = await confirm(fire, POLICE, "anything")
    assert (status, problem["type"]) == (404, PROBLEM + "not-found")
    assert (await fire.call("GET", "/partners/mc.nobody.example/change"))[0] == 404
