"""One caller that sends far too much: what it costs is bounded, and nobody else waits for it."""

import asyncio
import ssl
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from acmx.domain.messages import PROBLEM
from acmx.domain.moments import text
from acmx.trust import tls
from support.faults.addresses import from_address
from support.partner.by_hand import BEYOND, ByHand
from support.systems.acm2 import audited, fire_alone, is_refusal, police_asking
from support.systems.systems import PASSWORD, POLICE, START, System, eventually, two_systems

MIB = 1024 * 1024


async def kept(system: System) -> list[Any]:
    found = (await system.done("GET", "/audit?limit=1000", account="auditor"))["items"]
    rows = [(e["actor"], e["detail"]) for e in found if e["event"] == "refused"]
    return sorted((actor, d["type"], d.get("count", 1), d.get("since", "")) for actor, d in rows)


@pytest.mark.law(10)
async def test_refusals_of_a_partner_are_one_row_a_minute_with_their_count(tmp_path: Path) -> None:
    type_ = "invalid-message"

    async with fire_alone(tmp_path) as (fire, police, coast):
        for _ in range(30):
            is_refusal(await police.put(fire, police.request(fire, users=[])), type_, final=True)
        await coast.put(fire, coast.request(fire, users=[]))
        assert await kept(fire) == [(BEYOND, type_, 1, ""), (POLICE, type_, 1, "")]
        stored = await fire.rows("SELECT COUNT(*) FROM message WHERE type = 'refused'")
        assert stored == [(31,)]
        fire.clock.advance(minutes=1)
        begun = text(START)
        await eventually(lambda: kept(fire), lambda rows: (POLICE, type_, 29, begun) in rows)
        for _ in range(3):
            await police.put(fire, police.request(fire, users=[]))
        assert len(await kept(fire)) == 3
        await fire.restart()
        assert (POLICE, type_, 3, text(fire.clock())) in await kept(fire)


async def test_refusals_that_are_not_final_are_counted_too(tmp_path: Path) -> None:
    async with police_asking(tmp_path) as (police, fire, _coast, _id, request):
        for _ in range(20):
            answer = await fire.put(police, fire.response(police, request, n=2))
            is_refusal(answer, "out-of-order", final=False)
        assert [entry["type"] for entry in await audited(police)] == ["out-of-order"]
        police.clock.advance(minutes=1)
        await fire.put(police, fire.response(police, request, n=2))
        assert [entry.get("count") for entry in await audited(police)] == [None, 19]


async def unfinished(
    stack: AsyncExitStack, port: int, context: ssl.SSLContext, head: bytes, size: int
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A body of which all but the last byte is sent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="x")
    stack.callback(writer.transport.abort)
    writer.write(head + f"Content-Length: {size}\r\n\r\n".encode() + b" " * (size - 1))
    return reader, writer


def anybody(system: System) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=system.directory / "tls" / "acm1.pem")
    context.check_hostname = False
    return context


async def test_unfinished_bodies_of_one_account_are_bounded_and_others_are_taken(tmp_path: Path) -> None:
    head = b"POST /acm1/v1/requests HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer requester\r\nIdempotency-Key: k\r\n"

    async with two_systems(tmp_path, start=False) as (police, _), AsyncExitStack() as stack:
        await police.start()
        bodies, context = police.server._acm1.bodies, anybody(police)
        ends = [await unfinished(stack, police.server.ports[0], context, head, 8 * MIB) for _ in range(6)]
        firsts = [asyncio.create_task(reader.readline()) for reader, _ in ends]
        await eventually(lambda: bodies._held.total(), lambda held: held == 4 * (8 * MIB - 1))
        refused = [task.result() for task in firsts if task.done()]
        assert refused == [b"HTTP/1.1 429 Too Many Requests\r\n"] * 2
        status, problem = await police.submit(account="requester")
        assert (status, problem["type"]) == (429, PROBLEM + "too-much-at-once")
        assert (await police.submit(account="admin"))[0] == 201
        for _, writer in ends:
            writer.transport.abort()
        await eventually(lambda: bodies._held.total(), lambda held: held == 0)
        assert (await police.submit("again", account="requester"))[0] == 201
        await asyncio.gather(*firsts)


async def test_log_ons_of_one_address_do_not_fill_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = b"POST /acm1/v1/sessions HTTP/1.1\r\nHost: x\r\n"

    async with two_systems(tmp_path, start=False) as (police, _), AsyncExitStack() as stack:
        await police.start()
        log_ons, context = police.server._acm1.log_ons, anybody(police)
        ends = [await unfinished(stack, police.server.ports[0], context, head, 65_536) for _ in range(20)]
        answers = [asyncio.create_task(reader.readline()) for reader, _ in ends]
        await asyncio.wait(answers, return_when=asyncio.FIRST_COMPLETED)
        assert b"429" in next(task.result() for task in answers if task.done())
        assert log_ons._held.total() <= MIB
        for task in answers:
            task.cancel()


async def test_log_ons_from_many_addresses_are_answered_soon_and_who_is_known_comes_first(
    tmp_path: Path,
) -> None:
    async with two_systems(tmp_path, start=False) as (police, _), AsyncExitStack() as stack:
        await police.start()
        turns = police.server._passwords._turns
        known, new, *others = [
            await stack.enter_async_context(from_address(police, f"127.0.9.{n}")) for n in range(1, 23)
        ]
        assert (await known("reviewer", PASSWORD))[0] == 201
        turns._takes = 3.0
        async with turns.turn("one at work"), turns.turn("another"):
            burst = [asyncio.create_task(guess("nobody", "wrong")) for guess in others]
            refused = await eventually(
                lambda: [task.result() for task in burst if task.done()], lambda done: len(done) == 9
            )
            assert {*refused, await new("reviewer", PASSWORD)} == {(429, "17")}
            first = asyncio.create_task(known("reviewer", PASSWORD))
            await eventually(lambda: len(turns._since), lambda waiting: waiting == 12)
        assert (await first)[0] == 201
        assert [task.done() for task in burst].count(False) > 5
        answers = await asyncio.gather(*burst)
        assert [status for status, _ in answers].count(401) == 11
        assert (await new("reviewer", PASSWORD))[0] == 201


async def test_unfinished_bodies_of_one_partner_are_bounded_and_others_are_taken(tmp_path: Path) -> None:
    async with fire_alone(tmp_path) as (fire, police, coast), AsyncExitStack() as stack:
        bodies = fire.server._acm2.bodies
        head = b"POST /acm2/v1/partnership HTTP/1.1\r\nHost: x\r\n"
        ends = [
            await unfinished(stack, fire.server.ports[1], as_partner(police, fire), head, 8 * MIB)
            for _ in range(6)
        ]
        firsts = [asyncio.create_task(reader.readline()) for reader, _ in ends]
        await eventually(lambda: bodies._held.total(), lambda held: held == 4 * (8 * MIB - 1))
        answer = await police.put(fire, police.request(fire))
        assert (answer.status, answer.typ, answer.problem) == (429, None, "too-much-at-once")
        assert answer.headers["Retry-After"] == "5"
        assert (await coast.put(fire, coast.request(fire))).status == 200
        for _, writer in ends:
            writer.transport.abort()
        await eventually(lambda: bodies._held.total(), lambda held: held == 0)
        assert (await police.put(fire, police.request(fire))).status == 200
        await asyncio.gather(*firsts)


def as_partner(them: ByHand, system: System) -> ssl.SSLContext:
    return tls.client_context(
        them.certificate, them.key, [(system.directory / "tls" / "acm2.pem").read_text()]
    )
