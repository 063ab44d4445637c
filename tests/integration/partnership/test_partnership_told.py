"""What a partner says of the partnership is mailed and posted to partner administrators, at once and once (law 7)."""

from pathlib import Path
from typing import Any

import pytest

from acmx.domain.moments import to_ms
from acmx.domain.partnership import Standing, Statement
from acmx.flows.partnership import state_partnership
from acmx.storage.partnership import partners
from acmx.storage.partnership.partners import Partner
from support.sinks.sinks import mail_sink, receiver
from support.systems.systems import FIRE, POLICE
from support.systems.telling import Telling, mail_to, telling, webhook_to

OFFICE = "office@fire.example"


async def stated(fire: Telling, state: Standing, reason: str | None = None) -> None:
    """The police say this now."""
    now = fire.clock()
    said = Statement(
        version="1.0",
        sender=POLICE,
        receiver=FIRE,
        created_at=now,
        state=state,
        reason=reason,
        metadata_digest="",
        versions=("1.0",),
    )
    await fire.store.write(lambda tx: state_partnership.hear(tx, said, to_ms(now)))


async def befriend(fire: Telling) -> None:
    partner = Partner(POLICE, POLICE, "accepted", "accepted", 0, b"", "")
    await fire.store.write(lambda tx: partners.insert(tx, partner))


@pytest.mark.law(7)
async def test_partner_administrators_are_written_to_at_once_without_a_word_of_the_partner(
    tmp_path: Path,
) -> None:
    to_office: dict[str, Any] = {"partner_administrators": (OFFICE,)}
    async with mail_sink() as sink, telling(tmp_path, mail_to(sink.port, **to_office)) as fire:
        await befriend(fire)
        await stated(fire, "suspended", "fog on the river")
        await fire.becomes("sent")
        (mail,) = sink.mails
        assert (mail["To"], sink.recipients) == (OFFICE, [OFFICE])
        assert mail["Subject"] == f"ACM {FIRE}: the partner has suspended the partnership"
        text = mail.get_content()
        assert POLICE in text
        assert "exchange" not in text
        assert "fog" not in bytes(mail).decode()
        fire.clock.advance(minutes=1)
        await stated(fire, "suspended", "fog on the river")
        await fire.quiet()
        assert len(sink.mails) == 1
        await stated(fire, "removed")
        await fire.becomes("sent", "sent")
        assert [notice.event for notice in await fire.notices()] == [
            "partnership-removed",
            "partnership-suspended",
        ]


async def test_a_webhook_names_the_partner_and_no_exchange(tmp_path: Path) -> None:
    chosen: dict[str, Any] = {"partner_events": ("partnership-suspended",)}
    async with receiver() as hook, telling(tmp_path, webhooks=[webhook_to(hook.url, **chosen)]) as fire:
        await befriend(fire)
        await stated(fire, "suspended")
        fire.clock.advance(minutes=1)
        await stated(fire, "accepted")
        await fire.becomes("sent")
        (told,) = hook.told
        told.pop("id")
        assert told == {
            "system": FIRE,
            "event": "partnership-suspended",
            "audience": "partner-administrators",
            "partner": POLICE,
            "urgency": "normal",
            "at": "2026-11-23T08:00:00Z",
            "link": "https://acm.fire.example",
        }
