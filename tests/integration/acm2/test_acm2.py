"""ACM-2 on the wire: who is let in, what is refused and how, and what a replay gets (laws 2, 3 and 5)."""

import asyncio
import ssl
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from acmx.trust.signatures import body_digest
from support.partner.by_hand import BEYOND, ByHand
from support.systems.acm2 import ANOTHER, audited, exchanges, fire_alone, is_refusal, police_asking
from support.systems.systems import FIRE, POLICE, START, System, eventually

NOW = int(START.timestamp())


@pytest.mark.law(1)
@pytest.mark.step(3, 4, 5)
async def test_a_request_is_stored_and_the_stored_indication_is_signed(tmp_path: Path) -> None:
    async with fire_alone(tmp_path) as (fire, police, _):
        request = msgspec.json.encode(police.request(fire))
        answer = await police.put(fire, request)
        receipt = answer.document
        assert (answer.status, answer.typ, receipt["type"]) == (200, "acm-receipt", "receipt")
        assert (receipt["status"], receipt["digest"]) == ("stored", body_digest(request))
        assert (receipt["from"], receipt["to"]) == (FIRE, POLICE)
        kept = await fire.rows("SELECT body, digest, reply FROM message")
        assert kept == [(request, body_digest(request), answer.body)]
        assert (await exchanges(fire))[0]["state"] == "pending"


# Who is let in


def nobody() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def turned_away(fire: System, context: ssl.SSLContext) -> None:
    async with aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.ClientError):
            await http.get(f"{fire.acm2}/metadata", ssl=context)


@pytest.mark.law(10)
async def test_without_a_certificate_or_with_an_unknown_one_nobody_gets_in(tmp_path: Path) -> None:
    async with fire_alone(tmp_path) as (fire, police, _):
        stranger = ByHand.new(tmp_path, fire.clock, "mc.stranger.example")
        unknown = nobody()
        unknown.load_cert_chain(stranger.certificate, stranger.key)
        for _ in range(3):
            await turned_away(fire, nobody())
            await turned_away(fire, unknown)
        rows = await eventually(lambda: audited(fire), lambda rows: len(rows) >= 2)
        assert {row["type"] for row in rows} == {
            "peer did not return a certificate",
            "self-signed certificate",
        }
        assert {(row["actor"], row["address"]) for row in rows} == {("acm2", "127.0.0.1")}
        assert len(rows) == 2
        fire.clock.advance(minutes=1)
        rows = await eventually(lambda: audited(fire), lambda rows: len(rows) == 4)
        assert min(row["count"] for row in rows[2:]) >= 2
        assert (await police.put(fire, police.request(fire))).status == 200


@pytest.mark.law(5)
async def test_a_certificate_and_a_signature_of_two_partners_are_refused(tmp_path: Path) -> None:
    async with fire_alone(tmp_path) as (fire, police, coast):
        answer = await police.put(fire, police.request(fire), shown=coast)
        refusal = is_refusal(answer, "bad-signature", final=False)
        assert refusal["to"] == BEYOND
        assert await fire.counts("exchange", "message") == {"exchange": 0, "message": 0}
        assert (await audited(fire))[0]["actor"] == BEYOND


BAD_SEALS: dict[str, dict[str, Any]] = {
    "none": {"seal": None},
    "no JWS": {"seal": "a.b.c"},
    "nothing but dots": {"seal": ".."},
    "very long": {"seal": "x" * 9_000},
    "for another receiver": {"to": POLICE},
    "for another exchange": {"exchange": f"{POLICE}/{ANOTHER}"},
    "for another number": {"n": 2},
    "of another type": {"typ": "acm-receipt"},
    "of no exchange": {"exchange": None, "n": None},
}


@pytest.mark.law(2)
@pytest.mark.parametrize("name", BAD_SEALS)
async def test_a_signature_must_be_this_partners_for_this_message(name: str, tmp_path: Path) -> None:
    async with fire_alone(tmp_path) as (fire, police, _):
        request = police.request(fire)
        refusal = is_refusal(await police.put(fire, request, **BAD_SEALS[name]), "bad-signature", final=False)
        assert refusal["digest"] == body_digest(msgspec.json.encode(request))
        assert await fire.counts("exchange", "message") == {"exchange": 0, "message": 0}
        assert [row["type"] for row in await audited(fire)] == ["bad-signature"]
        assert (await police.put(fire, request)).status == 200


@pytest.mark.law(2)
async def test_a_signature_over_another_body_is_refused(tmp_path: Path) -> None:
    async with fire_alone(tmp_path) as (fire, police, _):
        request = police.request(fire)
        seal = police.sealed(msgspec.json.encode(request), FIRE, f"{POLICE}/{request['exchange']}", 1)
        answer = await police.put(fire, request | {"purpose": "forged"}, seal=seal)
        is_refusal(answer, "bad-signature", final=False)


@pytest.mark.law(2)
async def test_only_a_signature_of_the_future_is_refused_for_its_time(tmp_path: Path) -> None:
    async with fire_alone(tmp_path) as (fire, police, _):
        request = police.request(fire)
        refusal = is_refusal(await police.put(fire, request, now=NOW + 301), "clock-ahead", final=False)
        assert (refusal["signed_at"], refusal["received_at"]) == (
            "2026-11-23T08:05:01Z",
            "2026-11-23T08:00:00Z",
        )
        assert (await police.put(fire, request, now=NOW + 300)).status == 200
        assert (await police.put(fire, police.request(fire), now=NOW - 30 * 86_400)).status == 200


# Replay and order


@pytest.mark.law(3)
@pytest.mark.step(5)
async def test_a_replay_gets_the_same_receipt_with_a_new_signature(tmp_path: Path) -> None:
    async with fire_alone(tmp_path) as (fire, police, _):
        request = police.request(fire)
        first = await police.put(fire, request)
        evidence = await fire.rows("SELECT signature FROM message")
        fire.clock.advance(days=3)
        again = await asyncio.gather(*(police.put(fire, request) for _ in range(4)))
        assert {answer.body for answer in again} == {first.body}
        assert all(answer.signature != first.signature for answer in again)
        assert await fire.counts("exchange", "message") == {"exchange": 1, "message": 1}
        assert await fire.rows("SELECT signature FROM message") == evidence


@pytest.mark.law(3)
async def test_the_same_request_at_the_same_time_is_stored_once(tmp_path: Path) -> None:
    async with fire_alone(tmp_path) as (fire, police, _):
        request = police.request(fire)
        answers = await asyncio.gather(*(police.put(fire, request) for _ in range(8)))
        assert {answer.status for answer in answers} == {200}
        assert len({answer.body for answer in answers}) == 1
        assert await fire.counts("exchange", "message") == {"exchange": 1, "message": 1}


@pytest.mark.law(3)
async def test_another_body_at_a_taken_place_is_told_what_is_held(tmp_path: Path) -> None:
    async with fire_alone(tmp_path) as (fire, police, _):
        request = police.request(fire)
        first = await police.put(fire, request)
        answer = await police.put(fire, request | {"purpose": "changed"})
        refusal = is_refusal(answer, "place-taken", final=False)
        assert answer.status == 409
        assert refusal["held"] == body_digest(msgspec.json.encode(request))
        assert refusal["digest"] != refusal["held"]
        assert (await audited(fire))[0]["type"] == "place-taken"
        assert (await police.put(fire, request)).body == first.body


@pytest.mark.law(3)
async def test_a_final_refusal_stands_for_every_replay(tmp_path: Path) -> None:
    async with fire_alone(tmp_path) as (fire, police, _):
        request = police.request(fire, users=[f"sip:officer.1@{POLICE}", "sip:spy@elsewhere.example"])
        first = await police.put(fire, request)
        refusal = is_refusal(first, "foreign-user", final=True)
        assert "sip:spy@elsewhere.example" in refusal["detail"]
        assert await fire.counts("exchange", "message") == {"exchange": 0, "message": 1}
        fire.clock.advance(days=1)
        again = await police.put(fire, request)
        assert again.body == first.body
        assert again.signature != first.signature
        assert [row["final"] for row in await audited(fire)] == [True]
        is_refusal(await police.put(fire, request | {"purpose": "x"}), "place-taken", final=False)


@pytest.mark.law(3)
@pytest.mark.step(14)
async def test_a_gap_is_out_of_order_until_it_is_filled(tmp_path: Path) -> None:
    async with police_asking(tmp_path) as (police, fire, _, id_, request):
        second = fire.response(police, request, n=2)
        is_refusal(await fire.put(police, second), "out-of-order", final=False)
        is_refusal(await fire.put(police, second), "out-of-order", final=False)
        assert (await fire.put(police, fire.response(police, request))).status == 200
        assert (await police.exchange(id_))["state"] == "answered"


@pytest.mark.law(3)
async def test_a_retryable_refusal_is_not_kept(tmp_path: Path) -> None:
    async with fire_alone(tmp_path) as (fire, police, _):
        request = police.request(fire)
        await fire.done("POST", f"/partners/{POLICE}/suspension", {})
        is_refusal(await police.put(fire, request), "not-established", final=False)
        assert await fire.counts("message") == {"message": 0}
        await fire.done("POST", f"/partners/{POLICE}/resumption")
        assert (await police.put(fire, request)).status == 200
