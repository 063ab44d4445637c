"""ACM-2 on the wire: who is let in, what is refused and how, and what a replay gets (laws 2, 3 and 5)."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from uuid_utils import uuid7

from acmx.domain.messages import PROBLEM
from acmx.faces.body import LIMIT
from acmx.trust.signatures import body_digest
from by_hand import BEYOND, Answer, ByHand, pin
from systems import FIRE, POLICE, START, System, eventually, two_systems

NOW = int(START.timestamp())


@asynccontextmanager
async def fire_alone(tmp_path: Path) -> AsyncIterator[tuple[System, ByHand, ByHand]]:
    """The fire service with two partners that the test speaks for: the police and the coast guard."""
    async with two_systems(tmp_path, start=False) as (police, fire):
        coast = ByHand.new(tmp_path, fire.clock)
        await pin(fire, coast.own.metadata)
        await fire.start()
        yield fire, ByHand.of(police), coast


@asynccontextmanager
async def police_asking(tmp_path: Path) -> AsyncIterator[tuple[System, ByHand, ByHand, str, bytes]]:
    """The police who have asked the fire service, for which the test speaks; the exchange's id and the request."""
    async with two_systems(tmp_path, start=False) as (police, fire):
        coast = ByHand.new(tmp_path, fire.clock)
        await pin(police, coast.own.metadata)
        await police.start()
        _, accepted = await police.submit()
        found = await police.rows("SELECT body FROM message")
        yield police, ByHand.of(fire), coast, accepted["id"], found[0][0]


def is_refusal(answer: Answer, type_: str, *, final: bool) -> Any:
    """The refusal, which is a signed problem document."""
    document = answer.document
    assert (answer.typ, document["type"]) == ("acm-refusal", PROBLEM + type_), document
    assert (answer.status, document["final"]) == (document["status"], final)
    assert document["title"]
    assert answer.headers["Content-Type"] == "application/problem+json"
    return document


def is_unsigned(answer: Answer, status: int, type_: str) -> None:
    """No word of the partner: it did not reach the one who signs."""
    assert (answer.status, answer.typ, answer.problem) == (status, None, type_)


async def audited(system: System, event: str = "refused") -> list[Any]:
    """The details of these journal rows with their actors, oldest first."""
    found = (await system.done("GET", "/audit", account="auditor"))["items"]
    return [e["detail"] | {"actor": e["actor"]} for e in reversed(found) if e["event"] == event]


async def exchanges(system: System) -> list[Any]:
    return (await system.done("GET", "/requests"))["items"]


@pytest.mark.law(1)
@pytest.mark.step(3, 4, 5)
def test_a_request_is_stored_and_the_stored_indication_is_signed(tmp_path: Path) -> None:
    async def scenario() -> None:
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

    asyncio.run(scenario())


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
def test_without_a_certificate_or_with_an_unknown_one_nobody_gets_in(tmp_path: Path) -> None:
    async def scenario() -> None:
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
            await turned_away(fire, nobody())
            await eventually(lambda: audited(fire), lambda rows: len(rows) == 3)
            assert (await police.put(fire, police.request(fire))).status == 200

    asyncio.run(scenario())


@pytest.mark.law(5)
def test_a_certificate_and_a_signature_of_two_partners_are_refused(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with fire_alone(tmp_path) as (fire, police, coast):
            answer = await police.put(fire, police.request(fire), shown=coast)
            refusal = is_refusal(answer, "bad-signature", final=False)
            assert refusal["to"] == BEYOND
            assert await fire.counts("exchange", "message") == {"exchange": 0, "message": 0}
            assert (await audited(fire))[0]["actor"] == BEYOND

    asyncio.run(scenario())


ANOTHER = str(uuid7())
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
def test_a_signature_must_be_this_partners_for_this_message(name: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with fire_alone(tmp_path) as (fire, police, _):
            request = police.request(fire)
            refusal = is_refusal(
                await police.put(fire, request, **BAD_SEALS[name]), "bad-signature", final=False
            )
            assert refusal["digest"] == body_digest(msgspec.json.encode(request))
            assert await fire.counts("exchange", "message") == {"exchange": 0, "message": 0}
            assert [row["type"] for row in await audited(fire)] == ["bad-signature"]
            assert (await police.put(fire, request)).status == 200

    asyncio.run(scenario())


@pytest.mark.law(2)
def test_a_signature_over_another_body_is_refused(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with fire_alone(tmp_path) as (fire, police, _):
            request = police.request(fire)
            seal = police.sealed(msgspec.json.encode(request), FIRE, f"{POLICE}/{request['exchange']}", 1)
            answer = await police.put(fire, request | {"purpose": "forged"}, seal=seal)
            is_refusal(answer, "bad-signature", final=False)

    asyncio.run(scenario())


@pytest.mark.law(2)
def test_only_a_signature_of_the_future_is_refused_for_its_time(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with fire_alone(tmp_path) as (fire, police, _):
            request = police.request(fire)
            refusal = is_refusal(await police.put(fire, request, now=NOW + 301), "clock-ahead", final=False)
            assert (refusal["signed_at"], refusal["received_at"]) == (
                "2026-11-23T08:05:01Z",
                "2026-11-23T08:00:00Z",
            )
            assert (await police.put(fire, request, now=NOW + 300)).status == 200
            assert (await police.put(fire, police.request(fire), now=NOW - 30 * 86_400)).status == 200

    asyncio.run(scenario())


# Replay and order


@pytest.mark.law(3)
@pytest.mark.step(5)
def test_a_replay_gets_the_same_receipt_with_a_new_signature(tmp_path: Path) -> None:
    async def scenario() -> None:
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

    asyncio.run(scenario())


@pytest.mark.law(3)
def test_the_same_request_at_the_same_time_is_stored_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with fire_alone(tmp_path) as (fire, police, _):
            request = police.request(fire)
            answers = await asyncio.gather(*(police.put(fire, request) for _ in range(8)))
            assert {answer.status for answer in answers} == {200}
            assert len({answer.body for answer in answers}) == 1
            assert await fire.counts("exchange", "message") == {"exchange": 1, "message": 1}

    asyncio.run(scenario())


@pytest.mark.law(3)
def test_another_body_at_a_taken_place_is_told_what_is_held(tmp_path: Path) -> None:
    async def scenario() -> None:
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

    asyncio.run(scenario())


@pytest.mark.law(3)
def test_a_final_refusal_stands_for_every_replay(tmp_path: Path) -> None:
    async def scenario() -> None:
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

    asyncio.run(scenario())


@pytest.mark.law(3)
@pytest.mark.step(14)
def test_a_gap_is_out_of_order_until_it_is_filled(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with police_asking(tmp_path) as (police, fire, _, id_, request):
            second = fire.response(police, request, n=2)
            is_refusal(await fire.put(police, second), "out-of-order", final=False)
            is_refusal(await fire.put(police, second), "out-of-order", final=False)
            assert (await fire.put(police, fire.response(police, request))).status == 200
            assert (await police.exchange(id_))["state"] == "answered"

    asyncio.run(scenario())


@pytest.mark.law(3)
def test_a_retryable_refusal_is_not_kept(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with fire_alone(tmp_path) as (fire, police, _):
            request = police.request(fire)
            await fire.done("POST", f"/partners/{POLICE}/suspension", {})
            is_refusal(await police.put(fire, request), "not-established", final=False)
            assert await fire.counts("message") == {"message": 0}
            await fire.done("POST", f"/partners/{POLICE}/resumption")
            assert (await police.put(fire, request)).status == 200

    asyncio.run(scenario())


# Whose exchange


@pytest.mark.law(10)
def test_a_message_of_an_exchange_between_others_is_refused_for_good(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with fire_alone(tmp_path) as (fire, police, coast):
            request = police.request(fire)
            await police.put(fire, request)
            theirs = coast.request(fire, exchange=request["exchange"])
            answer = await coast.put(fire, theirs, at=(POLICE, request["exchange"], 1))
            is_refusal(answer, "wrong-partner", final=True)
            assert (await exchanges(fire))[0]["state"] == "pending"
            assert (await coast.put(fire, theirs)).status == 200
            assert await fire.counts("exchange") == {"exchange": 2}

    asyncio.run(scenario())


@pytest.mark.law(10)
@pytest.mark.step(14)
def test_a_response_is_taken_only_from_the_partner_that_was_asked(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with police_asking(tmp_path) as (police, fire, coast, id_, request):
            answer = await coast.put(police, coast.response(police, request))
            is_refusal(answer, "unknown-exchange", final=False)
            assert (await police.exchange(id_))["state"] == "queued"
            assert (await fire.put(police, fire.response(police, request))).status == 200

    asyncio.run(scenario())


@pytest.mark.step(14)
def test_a_response_to_nothing_known_may_come_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with police_asking(tmp_path) as (police, fire, _, _, request):
            unknown = fire.response(police, request, exchange=str(uuid7()))
            is_refusal(await fire.put(police, unknown), "unknown-exchange", final=False)
            assert await police.counts("message") == {"message": 1}

    asyncio.run(scenario())


A, B = f"sip:officer.1@{POLICE}", f"sip:officer.2@{POLICE}"
BAD_RESPONSES: dict[str, tuple[dict[str, Any], str]] = {
    "answers another request": ({"answers": "0" * 64}, "answers"),
    "has another asker": ({"asker": {"mc_service_id": A}}, "asker"),
    "leaves a user out": ({"verdicts": [{"approved": False, "users": [A]}]}, "verdicts"),
    "names nobody": ({"verdicts": []}, "verdicts"),
    "names a user twice": ({"verdicts": [{"approved": False, "users": [A, B, A]}]}, "verdicts"),
    "names a stranger": ({"verdicts": [{"approved": False, "users": [A, B, "sip:c@d.example"]}]}, "verdicts"),
    "approves by its outcome alone": ({"outcome": "approved"}, "outcome"),
    "approves by its verdicts alone": ({"verdicts": [{"approved": True, "users": [A, B]}]}, "outcome"),
    "expires what it approves": (
        {"outcome": "expired", "verdicts": [{"approved": True, "users": [A, B]}]},
        "outcome",
    ),
    "discloses what it declines": ({"content": {"services": []}}, "content"),
    "approves without content": (
        {"outcome": "approved", "verdicts": [{"approved": True, "users": [A, B]}]},
        "content",
    ),
}


@pytest.mark.law(3)
@pytest.mark.step(14)
@pytest.mark.parametrize("name", BAD_RESPONSES)
def test_a_response_that_does_not_fit_its_request_is_refused_for_good(name: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with police_asking(tmp_path) as (police, fire, _, id_, request):
            changes, field = BAD_RESPONSES[name]
            answer = await fire.put(police, fire.response(police, request, **changes))
            faults = is_refusal(answer, "invalid-message", final=True)["faults"]
            assert field in [fault["field"] for fault in faults]
            assert (await police.exchange(id_))["state"] == "queued"

    asyncio.run(scenario())


# What is said


BAD_BODIES: dict[str, tuple[Any, str]] = {
    "nothing": (b"", ""),
    "malformed JSON": (b"{", ""),
    "a list": (b"[]", ""),
    "deep nesting": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, ""),
    "invalid UTF-8": (b'{"type": "\xff"}', ""),
    "a duplicate member": (b'{"type": "request", "type": "response"}', "type"),
    "no type": ({"type": None}, ""),
    "an unknown type": ({"type": "poem"}, "type"),
    "a type that is none": ({"type": ["request"]}, "type"),
    "no version": ({"version": None}, "version"),
    "a version that is none": ({"version": "one"}, "version"),
    "a version of 5,000 digits": ({"version": "1." + "9" * 5000}, "version"),
    "an unknown member": ({"colour": "red"}, ""),
    "an unknown member inside": ({"asker": {"mc_service_id": A, "colour": "red"}}, "asker"),
    "something critical": ({"critical": ["colour"]}, "critical"),
    "a wrong type": ({"purpose": 1}, "purpose"),
    "another number than its place": ({"n": 2}, "n"),
    "another exchange than its place": ({"exchange": ANOTHER}, "exchange"),
    "another sender than its certificate": ({"from": BEYOND}, "from"),
    "another receiver": ({"to": BEYOND}, "to"),
    "no users": ({"users": []}, "users"),
    "no SIP URI": ({"users": ["officer.1"]}, "users[0]"),
    "an unknown content": ({"content": {"colour": "red"}}, "content"),
}


@pytest.mark.law(3)
@pytest.mark.parametrize("name", BAD_BODIES)
def test_a_message_that_does_not_follow_the_protocol_is_refused_for_good(name: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with fire_alone(tmp_path) as (fire, police, _):
            request = police.request(fire)
            given, field = BAD_BODIES[name]
            body = given if isinstance(given, bytes) else msgspec.json.encode(without_none(request | given))
            place = POLICE, request["exchange"], 1
            answer = await police.put(fire, body, at=place)
            faults = is_refusal(answer, "invalid-message", final=True)["faults"]
            assert faults[0]["field"] == field
            assert faults[0]["rule"]
            assert (await police.put(fire, body, at=place)).body == answer.body
            assert await fire.counts("exchange", "message") == {"exchange": 0, "message": 1}
            assert len(await audited(fire)) == 1

    def without_none(document: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in document.items() if value is not None}

    asyncio.run(scenario())


def test_a_message_of_a_newer_minor_version_may_say_more(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with fire_alone(tmp_path) as (fire, police, _):
            more = {"version": "1.7", "colour": "red", "asker": {"mc_service_id": A, "shoe_size": 44}}
            answer = await police.put(fire, police.request(fire, **more))
            assert answer.document["type"] == "receipt"
            answer = await police.put(fire, police.request(fire, **more, critical=["colour"]))
            refusal = is_refusal(answer, "invalid-message", final=True)
            assert refusal["faults"][0] == {
                "field": "critical",
                "value": "colour",
                "rule": "is not understood here",
            }
            answer = await police.put(fire, police.request(fire, **more, critical=["purpose"]))
            assert answer.document["type"] == "receipt"

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("changes", "type_"),
    [({"version": "2.0"}, "unsupported-version"), ({"kind": "group-identity"}, "unsupported-kind")],
)
def test_what_is_not_spoken_here_is_refused_for_good(
    changes: dict[str, Any], type_: str, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with fire_alone(tmp_path) as (fire, police, _):
            is_refusal(await police.put(fire, police.request(fire, **changes)), type_, final=True)

    asyncio.run(scenario())


def test_each_side_sends_its_own_types_of_message(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with police_asking(tmp_path) as (police, fire, _, id_, request):
            own = fire.request(police, exchange=id_)
            answer = await fire.put(police, own, at=(POLICE, id_, 1))
            assert is_refusal(answer, "invalid-message", final=True)["faults"][0]["field"] == "type"
            response = fire.response(police, request)
            answer = await fire.put(police, response, at=(FIRE, id_, 1))
            assert is_refusal(answer, "invalid-message", final=True)["faults"][0]["field"] == "type"

    asyncio.run(scenario())


def test_an_asserted_identity_and_a_body_above_8_mib_reach_nobody_who_signs(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with fire_alone(tmp_path) as (fire, police, _):
            request = police.request(fire)
            asserted = {"X-3GPP-Asserted-Identity": "sip:anybody@a.example"}
            is_unsigned(await police.put(fire, request, headers=asserted), 403, "asserted-identity")
            place = POLICE, request["exchange"], 1
            is_unsigned(await police.put(fire, b" " * (LIMIT + 1), at=place), 413, "too-large")
            rows = [(row["type"], row["actor"]) for row in await audited(fire)]
            assert rows == [("asserted-identity", POLICE), ("too-large", POLICE)]
            assert (await police.put(fire, request)).status == 200

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "place",
    [(POLICE, "00000000-0000-4000-8000-000000000000", 1), (POLICE, "x", 1), (POLICE, ANOTHER.upper(), 1)],
)
def test_there_is_no_place_without_a_uuid_of_version_7(place: tuple[str, str, int], tmp_path: Path) -> None:
    async def scenario() -> None:
        async with fire_alone(tmp_path) as (fire, police, _):
            is_unsigned(await police.put(fire, police.request(fire), at=place), 404, "not-found")

    asyncio.run(scenario())
