"""Keys that change: what is on its way arrives across a rotation, its end and absence; a revoked key is refused."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from acmx.bootstrap.keep_keys import keys as keys_of
from acmx.bootstrap.own import own
from acmx.domain.errors import BadSignature
from acmx.domain.messages import PROBLEM
from acmx.domain.partnership import Metadata
from acmx.kinds import KINDS
from acmx.storage.partnership import partners
from acmx.trust import key_files
from acmx.trust.keys import SigningKey
from acmx.trust.own import Own
from acmx.trust.pinned import pinned
from support.partner.by_hand import ByHand
from support.systems.systems import FIRE, POLICE, System, Two, eventually


async def held(system: System, of: str) -> partners.Partner:
    found = await system.store.read(lambda tx: partners.find(tx, of))
    assert found is not None
    return found


async def kids(system: System, of: str) -> list[str]:
    """The keys that `system` has pinned of the other one."""
    return list(pinned((await held(system, of)).metadata).keys)


async def rotate(system: System, days: float = 30) -> str:
    """The thumbprint of the new key; a server that runs has taken it in."""
    ends = system.clock() + timedelta(days=days)
    newest = key_files.rotate(system.directory / "keys", ends)[0]
    if system.running:
        await system.server._renewal.renew()
    return newest.key.kid


async def revoke(system: System, kid: str) -> None:
    key_files.revoke(system.directory / "keys", kid, system.clock())
    if system.running:
        await system.server._renewal.renew()


async def events(system: System, *wanted: str) -> list[Any]:
    found = (await system.done("GET", "/audit?limit=1000"))["items"]
    return [entry for entry in reversed(found) if entry["event"] in wanted]


async def signers(system: System) -> list[str]:
    """By which key each message that came from the partner was signed when it was taken."""
    rows = await system.rows(
        "SELECT signature FROM message WHERE reply IS NOT NULL ORDER BY stored_at, id, sender, n"
    )
    return [kid_of(signature) for (signature,) in rows if signature]


def kid_of(signature: str) -> str:
    head = signature.partition(".")[0]
    return str(msgspec.json.decode(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))["kid"])


@pytest.mark.law(2)
async def test_a_rotation_is_followed_and_then_signs(systems: Two) -> None:
    police, fire = systems
    (old,) = await kids(fire, POLICE)
    _, before = await police.submit("before")
    await police.reaches(before["id"], "stored")
    new = await rotate(police)
    await eventually(lambda: kids(fire, POLICE), lambda found: found == [new, old])
    await eventually(lambda: held(police, FIRE), lambda partner: partner.own_keys_there == {new, old})
    _, after = await police.submit("after")
    await police.reaches(after["id"], "stored")
    assert (await fire.review(before["id"]))[0] == 200
    await police.reaches(before["id"], "answered")
    assert await signers(fire) == [old, new]
    (taken,) = await events(fire, "partner-metadata-taken")
    assert (taken["actor"], taken["detail"]["changed"]) == (POLICE, ["keys"])
    assert (await events(police, "metadata-published"))[0]["detail"]["keys"] == [new, old]
    ended = pinned((await held(fire, POLICE)).metadata).keys[old].ends
    assert ended is not None
    assert timedelta(days=29) < datetime.fromtimestamp(ended, UTC) - police.clock() <= timedelta(days=30)
    assert (await fire.done("GET", f"/partners/{POLICE}"))["state"] == "established"


@pytest.mark.law(2)
@pytest.mark.parametrize("away", [5, 60])
async def test_what_is_in_flight_across_a_rotation_reaches_a_partner_that_was_away(
    away: int, systems: Two
) -> None:
    """60 days: past the end of the old key, which the partner has never heard of."""

    police, fire = systems
    (old,) = await kids(fire, POLICE)
    await fire.stop()
    _, queued = await police.submit("queued", expires_at="2027-03-01T00:00:00Z")
    new = await rotate(police)
    police.clock.advance(days=away)
    await police.restart()
    await fire.start()
    await police.reaches(queued["id"], "stored")
    await eventually(lambda: kids(fire, POLICE), lambda found: found == [new, old])
    _, later = await police.submit("later")
    await police.reaches(later["id"], "stored")
    assert (await signers(fire))[-1] == new
    assert away > 30 or not await events(fire, "refused")


@pytest.mark.law(2)
async def test_both_rotate_twice_while_the_other_is_away(systems: Two) -> None:
    police, fire = systems
    _, pending = await police.submit()
    await police.reaches(pending["id"], "stored")
    await fire.stop()
    await rotate(police, 1)
    await rotate(police, 1)
    await police.stop()
    await rotate(fire, 1)
    await rotate(fire, 1)
    police.clock.advance(days=3)
    await police.start()
    await fire.start()
    await eventually(lambda: kids(fire, POLICE), lambda found: len(found) == 3)
    await eventually(lambda: kids(police, FIRE), lambda found: len(found) == 3)
    assert (await fire.review(pending["id"]))[0] == 200
    await police.reaches(pending["id"], "answered")


@pytest.mark.law(10)
async def test_a_revoked_key_is_refused(systems: Two) -> None:
    police, fire = systems
    old = police.own.key
    new = await rotate(police)
    await eventually(lambda: held(police, FIRE), lambda p: new in (p.own_keys_there or ()))
    await revoke(police, old.kid)
    await eventually(lambda: kids(fire, POLICE), lambda found: found == [new])
    await eventually(lambda: whose_keys(fire), lambda found: found == {new})
    await police.stop()
    thief = ByHand.of(police)
    assert thief.own.key is old
    answer = await thief.put(fire, thief.request(fire))
    refusal = msgspec.json.decode(answer.body)
    assert (refusal["type"], refusal["final"]) == (PROBLEM + BadSignature.type, False)
    assert await fire.counts("exchange") == {"exchange": 0}
    await police.start()
    _, accepted = await police.submit()
    await police.reaches(accepted["id"], "stored")


async def whose_keys(system: System) -> set[str]:
    peers = system.server._peers._by_fingerprint.values()
    return {kid for peer in peers for kid in peer.keys}


async def test_a_partner_that_holds_only_a_revoked_key_needs_the_file_anew(systems: Two) -> None:
    police, fire = systems
    (old,) = await kids(fire, POLICE)
    await eventually(lambda: held(police, FIRE), lambda p: p.own_keys_there == {old})
    await revoke(police, old)
    assert keys_of(police.directory).cut_off == [FIRE]
    _, accepted = await police.submit()
    await eventually(
        lambda: police.done("GET", f"/partners/{FIRE}"),
        lambda p: "HTTP 401" in p.get("last_error", ""),
    )
    assert await kids(fire, POLICE) == [old]
    file = await police.done("GET", "/partner-file")
    await fire.done("POST", "/partners", file)
    await fire.done(
        "POST",
        f"/partners/{POLICE}/acceptance",
        {"thumbprints": await kids(fire, POLICE), "kinds": [*KINDS]},
    )
    await police.done("POST", "/outbox/retry", {})
    await police.reaches(accepted["id"], "stored")


@pytest.mark.law(12)
async def test_older_metadata_never_comes_back(systems: Two) -> None:
    police, fire = systems
    first = police.server._own.metadata
    await rotate(police)
    second = police.server._own.metadata
    new = await rotate(police)
    now = police.server._own.metadata
    await eventually(lambda: held(fire, POLICE), lambda partner: partner.metadata == now)
    for older in (first, second):
        police.server._own.change(older, police.server._own._keys)
        police.server._links.wake()
        await eventually(
            lambda: events(fire, "partner-metadata-refused"),
            lambda found: found and "not newer" in found[-1]["detail"]["reason"],
        )
    assert (await fire.done("GET", f"/partners/{POLICE}"))["change_waits"]
    police.server._own.change(now, police.server._own._keys)
    police.server._links.wake()
    path = f"/partners/{POLICE}"
    await eventually(lambda: fire.done("GET", path), lambda found: not found.get("change_waits"))
    assert (await held(fire, POLICE)).metadata == now
    assert new in await kids(fire, POLICE)
    _, accepted = await police.submit()
    await police.reaches(accepted["id"], "stored")


async def test_metadata_that_no_pinned_key_signed_is_not_taken(systems: Two) -> None:
    police, fire = systems
    honest = (await held(fire, POLICE)).metadata
    stranger = SigningKey.generate()
    real = police.server._own
    signs = real.sign

    def sign(body: bytes, **about: Any) -> str:
        if about["typ"] == "acm-metadata":
            return Own(real.system, stranger, body).sign(body, **about)
        return signs(body, **about)

    real.sign = sign  # type: ignore[method-assign]
    document = msgspec.json.decode(honest)
    document["keys"] = [{"kid": stranger.kid, "x": stranger.public_jwk["x"]}]
    document["created_at"] = "2026-11-23T08:00:00Z"
    real.change(msgspec.json.encode(document), real._keys)
    police.server._links.wake()
    (refused,) = await eventually(
        lambda: events(fire, "partner-metadata-refused"), lambda found: len(found) == 1
    )
    assert "no key" in refused["detail"]["reason"]
    assert (await held(fire, POLICE)).metadata == honest
    assert (await fire.done("GET", f"/partners/{POLICE}"))["change_waits"]
    _, accepted = await police.submit()
    await police.reaches(accepted["id"], "stored")


async def test_the_same_files_publish_the_same_bytes(systems: Two) -> None:
    police, fire = systems
    await rotate(police)
    published = police.server._own.metadata
    police.clock.advance(days=1)
    await police.restart()
    assert police.server._own.metadata == published
    assert published != own(police.directory, police.config).metadata
    assert msgspec.json.decode(published, type=Metadata).created_at is not None
    assert await fire.counts("published") == {"published": 1}
    assert await police.counts("published") == {"published": 2}
