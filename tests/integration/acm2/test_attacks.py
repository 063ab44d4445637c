"""Attacks over the wire, one test each. Others lie beside what they attack: docs/security.md lists them all."""

import asyncio
import gzip
import ssl
from pathlib import Path
from typing import Any

import msgspec
import pytest
from uuid_utils import uuid7

from acmx.domain.messages import PROBLEM
from acmx.domain.moments import text
from acmx.faces.body import LIMIT
from acmx.trust.signatures import body_digest
from support.partner.by_hand import BEYOND, Answer, ByHand, pin
from support.systems.acm2 import fire_alone
from support.systems.permits import ACM2
from support.systems.systems import FIRE, POLICE, System, submission, two_systems


def refused(answer: Answer, *types: str) -> None:
    assert answer.typ == "acm-refusal"
    assert answer.problem in types, answer.document


async def asked(fire: System, by: ByHand, path: str) -> tuple[int, Any]:
    async with by.connected(fire) as http, http.get(fire.acm2 + path) as reply:
        return reply.status, msgspec.json.decode(await reply.read())


# Signatures


async def stated(fire: System, by: ByHand, seal: str | None, **changes: Any) -> int:
    statement = {
        "type": "partnership",
        "version": "1.0",
        "from": by.id,
        "to": fire.id,
        "created_at": text(by.clock()),
        "state": "suspended",
        "metadata_digest": body_digest(by.own.metadata),
        "versions": ["1.0"],
    }
    body = msgspec.json.encode(statement | changes)
    now = int(by.clock().timestamp())
    signature = by.own.sign(body, to=fire.id, typ="acm-partnership", now=now) if seal is None else seal
    headers = {"ACM-Signature": signature} if signature else {}
    url = f"{fire.acm2}/partnership"
    async with by.connected(fire) as http, http.post(url, data=body, headers=headers) as reply:
        return reply.status


async def test_a_statement_that_was_stripped_of_its_signature_changes_nothing(tmp_path: Path) -> None:
    async with fire_alone(tmp_path) as (fire, police, _):
        assert await stated(fire, police, "") == 401
        partner = await fire.done("GET", f"/partners/{POLICE}")
        assert partner["state_there"] == "accepted"
        assert await stated(fire, police, None) == 200
        partner = await fire.done("GET", f"/partners/{POLICE}")
        assert partner["state_there"] == "suspended"


async def test_what_one_partner_signed_is_not_taken_from_another(tmp_path: Path) -> None:
    """The coast guard has got hold of a letter of the police, and sends it byte for byte."""

    async with fire_alone(tmp_path) as (fire, police, coast):
        request = msgspec.json.encode(police.request(fire))
        id_ = msgspec.json.decode(request)["exchange"]
        seal = police.sealed(request, FIRE, f"{POLICE}/{id_}", 1)
        refused(await police.put(fire, request, seal=seal, shown=coast), "bad-signature")
        as_theirs = await police.put(fire, request, at=(BEYOND, id_, 1), seal=seal, shown=coast)
        refused(as_theirs, "bad-signature")
        assert await fire.counts("exchange", "message") == {"exchange": 0, "message": 0}


async def test_what_was_signed_for_one_place_is_not_taken_at_another(tmp_path: Path) -> None:
    async with fire_alone(tmp_path) as (fire, police, _):
        request = msgspec.json.encode(police.request(fire))
        id_ = msgspec.json.decode(request)["exchange"]
        seal = police.sealed(request, FIRE, f"{POLICE}/{id_}", 1)
        assert (await police.put(fire, request, seal=seal)).status == 200
        for place in ((POLICE, str(uuid7()), 1), (POLICE, id_, 2), (FIRE, id_, 1)):
            refused(await police.put(fire, request, at=place, seal=seal), "bad-signature")
        assert await fire.counts("exchange", "message") == {"exchange": 1, "message": 1}


async def test_a_letter_of_ones_own_is_not_taken_back(tmp_path: Path) -> None:
    """The police send the fire service what the fire service itself has signed (reflection)."""

    async with fire_alone(tmp_path) as (fire, police, _):
        body = msgspec.json.encode(police.request(fire))
        id_ = msgspec.json.decode(body)["exchange"]
        seal = fire.own.sign(
            body,
            to=FIRE,
            typ="acm-message",
            now=int(fire.clock().timestamp()),
            exchange=f"{POLICE}/{id_}",
            n=1,
        )
        refused(await police.put(fire, body, seal=seal), "bad-signature")


# Another's exchanges


@pytest.mark.law(10)
async def test_a_partner_cannot_find_out_which_exchanges_there_are_with_others(tmp_path: Path) -> None:
    async with fire_alone(tmp_path) as (fire, police, coast):
        request = police.request(fire)
        assert (await police.put(fire, request)).status == 200
        there, not_there = request["exchange"], str(uuid7())

        def seen(answer: Answer) -> dict[str, Any]:
            own = ("exchange", "digest", "created_at")
            return {name: value for name, value in answer.document.items() if name not in own}

        for primary in (POLICE, FIRE):
            answers = []
            for id_ in (there, not_there):
                response = coast.response(fire, msgspec.json.encode(request), exchange=id_)
                answers.append(await coast.put(fire, response, at=(primary, id_, 1)))
            assert seen(answers[0]) == seen(answers[1])
            for sender in ("primary", "partner"):
                paths = [f"/exchanges/{primary}/{id_}/messages/{sender}/1" for id_ in (there, not_there)]
                found = [await asked(fire, coast, path) for path in paths]
                assert found[0] == found[1]
                assert found[0][0] == 404
        status, page = await asked(fire, coast, "/exchanges?since=2026-01-01T00:00:00Z")
        assert (status, page["items"]) == (200, [])


@pytest.mark.law(10)
async def test_a_response_to_what_another_was_asked_says_nothing_about_it(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, _):
        coast = ByHand.new(tmp_path, police.clock)
        await pin(police, coast.own.metadata)
        await police.start()
        _, accepted = await police.submit()
        request = (await police.rows("SELECT body FROM message"))[0][0]
        for exchange in (accepted["id"], str(uuid7())):
            response = coast.response(police, request, exchange=exchange)
            refused(await coast.put(police, response), "unknown-exchange")
        assert (await police.exchange(accepted["id"]))["state"] == "queued"


@pytest.mark.law(10)
async def test_a_partner_that_knows_another_s_id_does_not_occupy_it(tmp_path: Path) -> None:
    """What it sends there is refused, and no part of what the two others compare."""

    async with fire_alone(tmp_path) as (fire, police, coast):
        request = police.request(fire)
        place = POLICE, request["exchange"], 1
        refused(await coast.put(fire, b"{}", at=place), "wrong-partner")
        assert (await police.put(fire, request)).status == 200
        refused(await coast.put(fire, b"[]", at=(POLICE, request["exchange"], 2)), "wrong-partner")
        _, page = await asked(fire, police, "/exchanges?since=2026-01-01T00:00:00Z")
        told = [(m["sender"], m["n"], m["digest"]) for m in page["items"][0]["messages"]]
        assert told == [("primary", 1, body_digest(msgspec.json.encode(request)))]


ALIKE = [
    f"sip:officer.1@{FIRE}",
    f"sip:officer.1@sub.{POLICE}",
    f"sip:officer.1@{POLICE}.evil.example",
    f"sip:officer.1@{POLICE}.",
    f"sip:officer.1@{POLICE}:5060@{FIRE}",
    f"sip:officer.1%40{POLICE}@{FIRE}",
    "sip:officer.1@" + POLICE.replace("o", "\u043e", 1),
    "sip:officer.1@" + POLICE.replace("i", "\u0131"),
    "sip:officer.1@" + POLICE.replace("-", "\u2010"),
    f"sip:officer.1@{POLICE}\u200b",
    f"\uff53ip:officer.1@{POLICE}",
    "tel:+1666550100",
    "tel:100;phone-context=mc.county-fire.example",
]


@pytest.mark.law(10)
@pytest.mark.parametrize("user", ALIKE)
async def test_a_partner_cannot_claim_a_user_that_is_not_its_own(user: str, tmp_path: Path) -> None:
    async with fire_alone(tmp_path) as (fire, police, _):
        answer = await police.put(fire, police.request(fire, users=[user]))
        refused(answer, "foreign-user", "invalid-message")
        assert answer.document["final"]
        assert await fire.counts("exchange") == {"exchange": 0}


# HTTP


async def spoken(port: int, context: ssl.SSLContext, said: bytes) -> bytes:
    """The first answer to these bytes, headers and all."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="x")
    try:
        writer.write(said)
        async with asyncio.timeout(5):
            return await reader.readuntil(b"\r\n\r\n")
    finally:
        writer.transport.abort()


def anybody(system: System) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=system.directory / "tls" / "acm1.pem")
    context.check_hostname = False
    return context


PATHS = [
    "/acm1/v1/audit/",
    "/acm1/v1//audit",
    "//acm1/v1/audit",
    "/acm1/v1/./audit",
    "/acm1/v1/requests/../audit",
    "/acm1/v1/requests/%2e%2e/audit",
    "/acm1/v1/requests/..%2faudit",
    "/acm1/v1/audit;x=1",
    "/acm1/v1/audit%00",
    "/acm1/v1/AUDIT",
    "/ACM1/v1/audit",
    "/acm2/v1/metadata",
    "/acm1/v1/requests/..%2f..%2f..%2fetc%2fpasswd",
]


@pytest.mark.law(10)
async def test_no_way_of_writing_a_path_or_a_host_leads_around_the_check_of_who_calls(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, _):
        await police.start()
        port, context = police.server.ports[0], anybody(police)
        for target in [*PATHS, "/acm1/v1/audit", "https://evil.example/acm1/v1/audit"]:
            for more in ("", "X-Forwarded-For: 127.0.0.1\r\nX-Original-URL: /health/live\r\n"):
                said = f"GET {target} HTTP/1.1\r\nHost: evil.example\r\n{more}\r\n"
                answer = await spoken(port, context, said.encode())
                status = answer.split()[1]
                assert status in {b"403", b"404", b"400"}, (target, answer)
                assert b"evil" not in answer
                assert b"ocation:" not in answer


SMUGGLED = {
    "two lengths": b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "a length and chunks": b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "an unknown transfer coding": b"Transfer-Encoding: gzip\r\n\r\nhello",
    "a length that is none": b"Content-Length: +5\r\n\r\nhello",
    "a folded header": b"X: a\r\n b\r\nContent-Length: 0\r\n\r\n",
    "a space before the colon": b"Content-Length : 5\r\n\r\nhello",
    "a bare line feed": b"X: a\nContent-Length: 5\r\n\r\nhello",
}


@pytest.mark.parametrize("name", SMUGGLED)
async def test_a_message_whose_end_is_in_doubt_is_refused(name: str, tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, _):
        await police.start()
        said = b"POST /acm1/v1/sessions HTTP/1.1\r\nHost: x\r\n" + SMUGGLED[name]
        answer = await spoken(police.server.ports[0], anybody(police), said)
        assert answer.split()[1] == b"400", answer


async def test_a_compressed_body_is_not_unpacked(tmp_path: Path) -> None:
    """Not one that would be a good request, and not one that unpacks to a hundred times what is allowed."""

    async with two_systems(tmp_path, start=False) as (police, fire):
        await fire.start()
        await police.start()
        good, bomb = msgspec.json.encode(submission()), b" " * (LIMIT * 100)
        for coding in ("gzip", "deflate", "br"):
            for packed in (gzip.compress(good), gzip.compress(bomb, 9)):
                headers = {"Content-Encoding": coding, "Idempotency-Key": "k"}
                status, problem = await police.call("POST", "/requests", packed, **headers)
                assert (status, problem["type"]) == (422, PROBLEM + "invalid-input")
        assert await police.counts("exchange") == {"exchange": 0}


async def test_a_compressed_message_is_refused_as_the_bytes_that_were_signed(tmp_path: Path) -> None:
    async with fire_alone(tmp_path) as (fire, police, _):
        request = police.request(fire)
        packed = gzip.compress(msgspec.json.encode(request))
        place = POLICE, request["exchange"], 1
        answer = await police.put(fire, packed, at=place, headers={"Content-Encoding": "gzip"})
        refused(answer, "invalid-message")
        assert answer.document["digest"] == body_digest(packed)


# Who may call ACM-2


@pytest.mark.law(10)
async def test_every_route_of_acm_2_is_in_the_table_and_takes_no_more_than_it_says(tmp_path: Path) -> None:
    """Of a partner that was offered, accepted by one side, or suspended by either."""
    id_ = str(uuid7())
    since = "/exchanges?since=2026-01-01T00:00:00Z"
    stored = f"/exchanges/{POLICE}/{id_}/messages/primary/1"

    async with fire_alone(tmp_path) as (fire, police, _):
        app = fire.server._face2._config.app
        served = {f"{m} {route.path}" for route in app.routes for m in route.methods - {"HEAD"}}
        assert served == set(ACM2)
        for here in ("offered", "accepted", "suspended"):
            for there in ("offered", "accepted", "suspended"):
                sql = f"UPDATE partner SET state_here = '{here}', state_there = '{there}'"
                await fire.store.write(lambda tx, sql=sql: tx.execute(sql))
                open_ = here == there == "accepted"
                request = police.request(fire)
                answer = await police.put(fire, request)
                assert (answer.status == 200) is open_
                assert open_ or answer.problem == "not-established"
                closed = PROBLEM + "not-established"
                for path, type_ in ((since, "exchanges"), (stored, PROBLEM + "unknown-exchange")):
                    _, said = await asked(fire, police, path)
                    assert said["type"] == (type_ if open_ else closed)
                assert (await asked(fire, police, "/metadata"))[0] == 200
        assert await fire.counts("exchange") == {"exchange": 1}
