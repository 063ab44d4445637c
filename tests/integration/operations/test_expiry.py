"""Operators are told in time of certificates and keys that end, this system's and its partners'; once each."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec

from acmx.bootstrap import keep_certificates
from acmx.bootstrap.doctor import doctor
from acmx.domain.partnership import Metadata
from acmx.storage.partnership import partners
from acmx.trust.certificates import not_after
from support.partner.by_hand import pin
from support.sinks.sinks import MailSink, mail_sink
from support.systems.systems import FIRE, POLICE, System, eventually, two_systems
from support.systems.telling import mail_to

OPERATORS = "operators@fire.example"


def told(sink: MailSink) -> list[str]:
    """What the mails to operators say of each thing, in order."""
    lines = [line for mail in sink.mails for line in mail.get_content().splitlines()]
    return [line.strip() for line in lines if " until " in line]


async def expiring(system: System) -> list[Any]:
    found: list[Any] = (await system.done("GET", "/health")).get("expiring", [])
    return found


async def test_every_end_is_told_at_30_14_7_and_1_days_and_once(tmp_path: Path) -> None:
    async with mail_sink() as sink, two_systems(tmp_path, start=False) as (police, fire):
        mail = mail_to(sink.port, operators=(OPERATORS,))
        fire.config = msgspec.structs.replace(fire.config, mail=mail)
        ends = not_after((fire.directory / "tls" / "acm2.pem").read_text())
        await fire.start()
        count = 0
        for days in (29, 28, 13, 6, 3, 0.5):
            await fire.stop()
            fire.clock.now = ends - timedelta(days=days)
            await fire.start()
            new = days not in (28, 3)
            count += 3 * new
            await eventually(lambda: told(sink), lambda found, n=count: len(found) >= n)  # type: ignore[misc]
            assert len(told(sink)) == count
        things = ("acm1 certificate", "acm2 certificate", f"certificate of {POLICE}")
        assert {line.partition(" until ")[0] for line in told(sink)} == set(things)
        assert set(sink.recipients) == {OPERATORS}
        assert [finding["name"] for finding in await expiring(fire)] == list(things)
        assert all(not line.startswith("exchange") for line in told(sink))
        events = [e["event"] for e in (await fire.done("GET", "/audit?limit=1000"))["items"]]
        assert events.count("expiry-near") == count
        notices = (await fire.done("GET", "/notices"))["items"]
        assert {notice["audience"] for notice in notices} == {"operators"}
        await fire.stop()
        fire.clock.now = ends + timedelta(days=1)
        await fire.start()
        (status,) = {
            finding["status"] for finding in await eventually(lambda: expiring(fire), lambda f: len(f) == 3)
        }
        assert status == "failed"
        async with fire.http.get(fire.url.replace("/acm1/v1", "/health/ready")) as reply:
            assert msgspec.json.decode(await reply.read())["expiring"] == 3
        del police


def test_a_partner_s_keys_that_all_end_are_told_of_and_doctor_says_so(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path, start=False) as (police, fire):
            document = msgspec.json.decode(police.own.metadata, type=Metadata)
            ends = fire.clock() + timedelta(days=5)
            keys = tuple(msgspec.structs.replace(key, ends_at=ends) for key in document.keys)
            await pin(fire, msgspec.json.encode(msgspec.structs.replace(document, keys=keys)))
            await fire.start()
            (finding,) = await eventually(lambda: expiring(fire), bool)
            assert (finding["name"], finding["status"]) == (f"keys of {POLICE}", "warning")

    asyncio.run(scenario())
    found = {finding.name: finding for finding in doctor.examine(tmp_path / "fire").items}
    assert f"keys of {POLICE}" in found
    assert f"certificate of {POLICE}" in found


def test_doctor_says_who_has_not_confirmed_the_certificate_in_use(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, _):
            await eventually(
                lambda: police.store.read(lambda tx: partners.find(tx, FIRE)),
                lambda partner: partner.certificates_there,
            )
            keep_certificates.publish_next(police.directory, None, police.clock)
            keep_certificates.switch(police.directory, anyway=True)

    asyncio.run(scenario())
    found = [f for f in doctor.examine(tmp_path / "police").items if f.name == "acm2 certificate"]
    assert ("failed", f"is not confirmed by {FIRE}") in [(f.status, f.text) for f in found]


async def test_operators_are_told_that_a_change_waits(tmp_path: Path) -> None:
    async with mail_sink() as sink, two_systems(tmp_path, start=False) as (police, fire):
        mail = mail_to(sink.port, operators=(OPERATORS,))
        fire.config = msgspec.structs.replace(fire.config, mail=mail)
        for system in (police, fire):
            await system.start()
        keep_certificates.publish_next(police.directory, None, police.clock)
        police.server.renew()
        await eventually(lambda: sink.mails, lambda mails: len(mails) == 1)
        assert POLICE in sink.mails[0].get_content()
        assert "confirm" in sink.mails[0]["Subject"]
