"""Messages at ACM-2 that are refused: for whose exchange they are, or for what they say."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
from uuid_utils import uuid7

from acmx.faces.body import LIMIT
from support.partner.by_hand import BEYOND
from support.systems.acm2 import (
    ANOTHER,
    audited,
    exchanges,
    fire_alone,
    is_refusal,
    is_unsigned,
    police_asking,
)
from support.systems.systems import FIRE, POLICE

# Whose exchange


@pytest.mark.law(10)
async def test_a_message_of_an_exchange_between_others_is_refused_for_good(tmp_path: Path) -> None:
    async with fire_alone(tmp_path) as (fire, police, coast):
        request = police.request(fire)
        await police.put(fire, request)
        theirs = coast.request(fire, exchange=request["exchange"])
        answer = await coast.put(fire, theirs, at=(POLICE, request["exchange"], 1))
        is_refusal(answer, "wrong-partner", final=True)
        assert (await exchanges(fire))[0]["state"] == "pending"
        assert (await coast.put(fire, theirs)).status == 200
        assert await fire.counts("exchange") == {"exchange": 2}


@pytest.mark.law(10)
@pytest.mark.step(14)
async def test_a_response_is_taken_only_from_the_partner_that_was_asked(tmp_path: Path) -> None:
    async with police_asking(tmp_path) as (police, fire, coast, id_, request):
        answer = await coast.put(police, coast.response(police, request))
        is_refusal(answer, "unknown-exchange", final=False)
        assert (await police.exchange(id_))["state"] == "queued"
        assert (await fire.put(police, fire.response(police, request))).status == 200


@pytest.mark.step(14)
async def test_a_response_to_nothing_known_may_come_again(tmp_path: Path) -> None:
    async with police_asking(tmp_path) as (police, fire, _, _, request):
        unknown = fire.response(police, request, exchange=str(uuid7()))
        is_refusal(await fire.put(police, unknown), "unknown-exchange", final=False)
        assert await police.counts("message") == {"message": 1}


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
async def test_a_response_that_does_not_fit_its_request_is_refused_for_good(
    name: str, tmp_path: Path
) -> None:
    async with police_asking(tmp_path) as (police, fire, _, id_, request):
        changes, field = BAD_RESPONSES[name]
        answer = await fire.put(police, fire.response(police, request, **changes))
        faults = is_refusal(answer, "invalid-message", final=True)["faults"]
        assert field in [fault["field"] for fault in faults]
        assert (await police.exchange(id_))["state"] == "queued"


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


async def test_a_message_of_a_newer_minor_version_may_say_more(tmp_path: Path) -> None:
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


@pytest.mark.parametrize(
    ("changes", "type_"),
    [({"version": "2.0"}, "unsupported-version"), ({"kind": "group-identity"}, "unsupported-kind")],
)
async def test_what_is_not_spoken_here_is_refused_for_good(
    changes: dict[str, Any], type_: str, tmp_path: Path
) -> None:
    async with fire_alone(tmp_path) as (fire, police, _):
        is_refusal(await police.put(fire, police.request(fire, **changes)), type_, final=True)


async def test_each_side_sends_its_own_types_of_message(tmp_path: Path) -> None:
    async with police_asking(tmp_path) as (police, fire, _, id_, request):
        own = fire.request(police, exchange=id_)
        answer = await fire.put(police, own, at=(POLICE, id_, 1))
        assert is_refusal(answer, "invalid-message", final=True)["faults"][0]["field"] == "type"
        response = fire.response(police, request)
        answer = await fire.put(police, response, at=(FIRE, id_, 1))
        assert is_refusal(answer, "invalid-message", final=True)["faults"][0]["field"] == "type"


async def test_an_asserted_identity_and_a_body_above_8_mib_reach_nobody_who_signs(tmp_path: Path) -> None:
    async with fire_alone(tmp_path) as (fire, police, _):
        request = police.request(fire)
        asserted = {"X-3GPP-Asserted-Identity": "sip:anybody@a.example"}
        is_unsigned(await police.put(fire, request, headers=asserted), 403, "asserted-identity")
        place = POLICE, request["exchange"], 1
        is_unsigned(await police.put(fire, b" " * (LIMIT + 1), at=place), 413, "too-large")
        rows = [(row["type"], row["actor"]) for row in await audited(fire)]
        assert rows == [("asserted-identity", POLICE), ("too-large", POLICE)]
        assert (await police.put(fire, request)).status == 200


@pytest.mark.parametrize(
    "place",
    [(POLICE, "00000000-0000-4000-8000-000000000000", 1), (POLICE, "x", 1), (POLICE, ANOTHER.upper(), 1)],
)
async def test_there_is_no_place_without_a_uuid_of_version_7(
    place: tuple[str, str, int], tmp_path: Path
) -> None:
    async with fire_alone(tmp_path) as (fire, police, _):
        is_unsigned(await police.put(fire, police.request(fire), at=place), 404, "not-found")
