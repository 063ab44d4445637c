"""Two organisations meet, suspend, resume and part: at once, in both directions, told, and with all evidence kept."""

import asyncio
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest

from acmx.domain.messages import PROBLEM
from acmx.trust import tls
from acmx.trust.keys import spoken
from support.partner.by_hand import ByHand
from support.sinks.streams import hint, stream
from support.systems.strangers import files, strangers
from support.systems.systems import FIRE, POLICE, System, Two, eventually, two_systems

BOTH = ["server-identity", "server-identity-provision"]
ENDS = {"reason": "the agreement has ended"}


async def partner(system: System, other: str) -> Any:
    return await system.done("GET", f"/partners/{other}")


async def becomes(system: System, other: str, **members: Any) -> Any:
    def is_so(shown: Any) -> bool:
        return bool({name: shown.get(name) for name in members} == members)

    return await eventually(lambda: partner(system, other), is_so)


async def act(system: System, verb: str, other: str, document: Any = None) -> Any:
    """A moment later than whatever was stated before."""
    system.clock.advance(seconds=1)
    return await system.done("POST", f"/partners/{other}/{verb}", document)


async def refused(system: System, verb: str, other: str, document: Any = None) -> str:
    status, problem = await system.call("POST", f"/partners/{other}/{verb}", document)
    assert status >= 400, problem
    return str(problem["type"]).removeprefix(PROBLEM)


async def events(system: System) -> list[tuple[str, dict[str, Any]]]:
    """What the journal says of partners, oldest first."""
    items = (await system.done("GET", "/audit?limit=100"))["items"]
    return [(e["event"], e["detail"]) for e in reversed(items) if e["event"].startswith("partner")]


def file_of(someone: ByHand) -> dict[str, str]:
    own = someone.own
    now = int(someone.clock().timestamp())
    seal = own.sign(own.metadata, to=own.system, typ="acm-metadata", now=now)
    return {"metadata": own.metadata.decode(), "signature": seal}


async def test_two_systems_meet_by_files_and_what_people_compared(tmp_path: Path) -> None:
    async with strangers(tmp_path) as (police, fire):
        await files(police, fire)
        assert (await partner(police, FIRE))["state"] == "offered"
        assert (await police.submit())[1]["type"] == PROBLEM + "not-established"
        digits = spoken(fire.own.key.kid)
        shown = await act(
            police, "acceptance", FIRE, {"thumbprints": [digits.replace(" ", "-")], "kinds": BOTH}
        )
        assert shown["state"] == "accepted here"
        await becomes(fire, POLICE, state_here="offered", state_there="accepted")
        await act(fire, "acceptance", POLICE, {"thumbprints": [police.own.key.kid], "kinds": BOTH})
        for system, other in ((police, FIRE), (fire, POLICE)):
            shown = await becomes(system, other, state="established", told=True)
            assert [c["fingerprint"] for c in shown["certificates"]]
        _, accepted = await police.submit()
        await police.reaches(accepted["id"], "stored")
        event, detail = (await events(police))[-2]
        assert (event, detail["thumbprints"]) == ("partner-accepted", [fire.own.key.kid])


@pytest.mark.law(10)
@pytest.mark.parametrize(
    "compared",
    [
        lambda kid, other: [other],
        lambda kid, other: [kid, other],
        lambda kid, other: [spoken(kid)[:-1]],
        lambda kid, other: [kid[:-1]],
        lambda kid, other: ["", kid],
    ],
    ids=["another", "one too many", "part of the digits", "part of the key", "nothing"],
)
async def test_other_keys_than_the_pinned_ones_are_not_accepted_and_that_is_on_record(
    tmp_path: Path, compared: Any
) -> None:
    async with strangers(tmp_path) as (police, fire):
        await files(police, fire)
        given = {"thumbprints": compared(fire.own.key.kid, police.own.key.kid), "kinds": BOTH}
        status, problem = await police.call("POST", f"/partners/{FIRE}/acceptance", given)
        if "" in given["thumbprints"]:
            assert status == 422
        else:
            assert (status, problem["type"]) == (409, PROBLEM + "not-as-compared")
            assert (await events(police))[-1] == (
                "partner-acceptance-refused",
                {"by": "admin", "partner": FIRE},
            )
        assert (await partner(police, FIRE))["state_here"] == "offered"
        assert (
            await refused(police, "acceptance", FIRE, {"thumbprints": [], "kinds": BOTH}) == "invalid-input"
        )


async def test_a_file_that_is_replaced_in_between_is_noticed(tmp_path: Path) -> None:
    async with strangers(tmp_path) as (police, fire):
        await files(police, fire)
        seen = await partner(police, FIRE)
        false = ByHand.new(tmp_path, police.clock, FIRE)
        await police.done("POST", "/partners", file_of(false))
        keys = {"thumbprints": seen["thumbprints"], "kinds": BOTH}
        assert await refused(police, "acceptance", FIRE, keys) == "not-as-compared"
        # The keys are right, but whose users it speaks for is no longer what was looked at.
        metadata = msgspec.json.decode(fire.own.metadata)
        metadata["realms"]["hosts"].append("mc.everybody.example")
        wider = ByHand.of(fire)
        wider.own = type(fire.own)(FIRE, fire.own.key, msgspec.json.encode(metadata))
        await police.done("POST", "/partners", file_of(wider))
        assert await refused(police, "acceptance", FIRE, keys | {"seen": seen["seen"]}) == "not-as-compared"
        await police.done("POST", "/partners", await fire.done("GET", "/partner-file"))
        await act(police, "acceptance", FIRE, keys | {"seen": seen["seen"]})


async def test_nobody_gets_round_the_comparison(tmp_path: Path) -> None:
    async with strangers(tmp_path) as (police, fire):
        await files(police, fire)
        assert await refused(police, "resumption", FIRE) == "not-now"
        assert await refused(police, "suspension", FIRE, {}) == "not-now"
        compared = {"thumbprints": [fire.own.key.kid], "kinds": BOTH}
        await act(police, "acceptance", FIRE, compared)
        await act(police, "suspension", FIRE, {})
        assert await refused(police, "acceptance", FIRE, compared) == "not-now"
        await act(police, "removal", FIRE, ENDS)
        for verb, document in (("acceptance", compared), ("resumption", None), ("suspension", {})):
            assert await refused(police, verb, FIRE, document) == "not-now"


@pytest.mark.law(7)
async def test_a_suspension_holds_at_once_in_both_directions_and_people_are_told(systems: Two) -> None:
    police, fire = systems
    _, accepted = await police.submit()
    await police.reaches(accepted["id"], "stored")
    async with (
        stream(police, "partner-administrator") as administrator,
        stream(police, "requester") as requester,
    ):
        await administrator.block()
        await requester.block()
        await act(fire, "suspension", POLICE, {"reason": "maintenance until Monday"})
        assert await administrator.block() == hint(police, "partner-administrator")
        assert await requester.quiet()
    shown = await partner(police, FIRE)
    assert (shown["state"], shown["reason_there"]) == ("suspended", "maintenance until Monday")
    assert (await becomes(fire, POLICE, told=True))["reason_here"] == "maintenance until Monday"
    event, detail = (await events(police))[-1]
    assert (event, detail["state"], detail["before"]) == (
        "partnership-stated",
        "suspended",
        "accepted",
    )
    assert (await police.submit("another"))[1]["type"] == PROBLEM + "not-established"
    assert (await police.exchange(accepted["id"]))["partnership"] == "suspended"
    await fire.review(accepted["id"])
    await police.nudge(FIRE)
    await fire.nudge(POLICE)
    assert (await fire.exchange(accepted["id"]))["state"] == "decided"
    await act(fire, "resumption", POLICE)
    await police.reaches(accepted["id"], "answered")
    assert "partnership" not in await fire.exchange(accepted["id"])
    assert "reason_there" not in await partner(police, FIRE)


async def test_another_reason_is_told_too(systems: Two) -> None:
    police, fire = systems
    for reason in ("until Monday", "until Tuesday"):
        await act(fire, "suspension", POLICE, {"reason": reason})
        await becomes(police, FIRE, state="suspended", reason_there=reason)


@pytest.mark.law(7)
async def test_a_removal_is_told_ends_everything_and_keeps_the_evidence(systems: Two) -> None:
    police, fire = systems
    ids = [(await police.submit(key))[1]["id"] for key in ("decided late", "never decided")]
    for id_ in ids:
        await police.reaches(id_, "stored")
    before = await police.counts("exchange", "message", "journal", "partner")
    async with stream(fire, "partner-administrator") as administrator:
        await administrator.block()
        await act(police, "removal", FIRE, ENDS)
        assert await administrator.block() == hint(fire, "partner-administrator")
    there = await becomes(fire, POLICE, state="removed", state_here="accepted")
    assert there["reason_there"] == ENDS["reason"]
    await becomes(police, FIRE, state="removed", told=True)
    assert (await police.submit("another"))[1]["type"] == PROBLEM + "not-established"
    for system in (police, fire):
        assert (await system.exchange(ids[0]))["partnership"] == "removed"

    # Nothing is final without the partner's word; the clock goes on, and each side tells its people.
    await fire.review(ids[0])
    police.clock.advance(days=31)
    for system, other in ((police, FIRE), (fire, POLICE)):
        await system.nudge(other)
        await system.tick()
    assert [(await police.exchange(id_))["state"] for id_ in ids] == ["overdue", "overdue"]
    assert [(await fire.exchange(id_))["state"] for id_ in ids] == ["decided", "decided"]
    assert (await fire.exchange(ids[1]))["outcome"] == "expired"
    told = "SELECT id FROM notice WHERE event = 'expired'"
    assert {id_ for (id_,) in await police.rows(told)} == set(ids)
    assert await fire.rows(told) == [(ids[1],)]
    assert await police.rows("SELECT id FROM message WHERE sender <> primary_system") == []

    after = await police.counts(*before)
    assert all(after[table] >= count for table, count in before.items())
    kept = (await police.rows("SELECT metadata FROM partner"))[0][0]
    assert kept == fire.own.metadata


async def door(system: System, other: System) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection on which `system` has shown its certificate to the other."""
    folder = system.directory / "tls"
    pinned = (other.directory / "tls" / "acm2.pem").read_text()
    context = tls.client_context(folder / "acm2.pem", folder / "acm2.key", [pinned])
    place = urlsplit(other.acm2)
    return await asyncio.open_connection(place.hostname, place.port, ssl=context)


async def status_of(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
    writer.write(b"GET /acm2/v1/metadata HTTP/1.1\r\nHost: acm\r\n\r\n")
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    await reader.readexactly(length)
    return int(head.split()[1])


async def test_a_removal_ends_open_connections_and_opens_no_new_ones(systems: Two) -> None:
    police, fire = systems
    reader, writer = await door(fire, police)
    assert await status_of(reader, writer) == 200
    await act(police, "suspension", FIRE, {})
    assert await status_of(reader, writer) == 200
    await act(police, "removal", FIRE, ENDS)
    async with asyncio.timeout(10):
        assert await reader.read() == b""
    writer.close()
    reader, writer = await door(fire, police)
    assert await status_of(reader, writer) == 403
    writer.close()
    await police.restart()
    reader, writer = await door(fire, police)
    with pytest.raises((ssl.SSLError, ConnectionError, asyncio.IncompleteReadError)):
        await status_of(reader, writer)
    writer.close()


@pytest.mark.law(6)
async def test_a_partner_that_was_away_hears_of_its_removal_and_is_then_left_alone(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, fire):
        await police.start()
        await act(police, "removal", FIRE, ENDS)
        shown = await becomes(police, FIRE, told=False, state="removed")
        await fire.start()

        async def heard() -> Any:
            police.clock.advance(minutes=20)
            await police.nudge(FIRE)
            return await partner(fire, POLICE)

        shown = await eventually(heard, lambda there: there["state_there"] == "removed")
        assert shown["reason_there"] == ENDS["reason"]
        last = (await becomes(police, FIRE, told=True))["last_success_at"]
        police.clock.advance(days=1)
        for system in (police, fire):
            await system.restart()
        await fire.stop()
        await police.nudge(FIRE)
        assert (await partner(police, FIRE))["last_success_at"] == last
        assert "last_error" not in await partner(police, FIRE)


async def test_a_removed_partner_comes_back_by_its_file_and_a_fresh_comparison(systems: Two) -> None:
    police, fire = systems
    _, accepted = await police.submit()
    await police.reaches(accepted["id"], "stored")
    await act(police, "removal", FIRE, ENDS)
    await becomes(fire, POLICE, state="removed")
    await fire.review(accepted["id"])
    await police.done("POST", "/partners", await fire.done("GET", "/partner-file"))
    shown = await partner(police, FIRE)
    assert (shown["state"], "reason_here" in shown) == ("offered", False)
    await becomes(fire, POLICE, state_there="offered")
    await act(police, "acceptance", FIRE, {"thumbprints": [fire.own.key.kid], "kinds": BOTH})
    await becomes(police, FIRE, state="established")
    await becomes(fire, POLICE, state="established")
    await police.reaches(accepted["id"], "answered")
    assert [event for event, _ in await events(police)][-5:].count("partner-added") == 1


async def test_both_may_remove_and_both_may_begin_anew(systems: Two) -> None:
    police, fire = systems
    await act(police, "removal", FIRE, ENDS)
    await becomes(fire, POLICE, state_there="removed")
    await act(fire, "removal", POLICE, ENDS)
    await files(police, fire)
    for one, other in ((police, fire), (fire, police)):
        await act(one, "acceptance", other.id, {"thumbprints": [other.own.key.kid], "kinds": BOTH})
    await becomes(police, FIRE, state="established")
    await becomes(fire, POLICE, state="established")
