"""The head of a message at both faces: how large it may be, what is said of one that is none, and the answer's own."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from acmx.faces import tally
from acmx.faces.http import HEAD_LIMIT
from acmx.trust import tls
from support.systems.acm2 import fire_alone
from support.systems.systems import System

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
FACES = {"acm1": "/health/live", "acm2": "/acm2/v1/metadata"}
GARBAGE = b"no request at all\r\n\r\n"


@asynccontextmanager
async def connected(tmp_path: Path, face: str) -> AsyncIterator[tuple[System, Streams]]:
    async with fire_alone(tmp_path) as (fire, police, _):
        yield fire, await dial(fire, face, police.certificate, police.key)


async def dial(fire: System, face: str, certificate: Path, key: Path) -> Streams:
    if face == "acm1":
        context = ssl.create_default_context(cafile=fire.directory / "tls" / "acm1.pem")
    else:
        context = tls.client_context(certificate, key, [(fire.directory / "tls" / "acm2.pem").read_text()])
    context.check_hostname = False
    port = fire.server.ports[face == "acm2"]
    return await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="127.0.0.1")


def head(face: str, size: int, method: str = "GET", *fields: str) -> bytes:
    lines = [f"{method} {FACES[face]} HTTP/1.1", "Host: x", *fields, "X: "]
    start = "\r\n".join(lines).encode()
    return start + b"a" * (size - len(start) - 4) + b"\r\n\r\n"


async def status(streams: Streams) -> int:
    """Of the next answer, which is read to its end."""
    reader, _ = streams
    line, *fields = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    (length,) = [
        int(field.partition(":")[2]) for field in fields if field.lower().startswith("content-length")
    ]
    await reader.readexactly(length)
    return int(line.split()[1])


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("piece", [HEAD_LIMIT * 2, HEAD_LIMIT - 1, 4_096])
async def test_a_head_at_its_limit_is_taken_and_a_byte_more_is_not(
    tmp_path: Path, face: str, piece: int
) -> None:
    async with connected(tmp_path, face) as (_, streams):
        for size, expected in ((HEAD_LIMIT, 200), (HEAD_LIMIT + 1, 400)):
            sent = head(face, size)
            for start in range(0, size, piece):
                streams[1].write(sent[start : start + piece])
                await streams[1].drain()
            assert await status(streams) == expected
        streams[1].close()


@pytest.mark.parametrize("face", FACES)
async def test_a_body_does_not_count_whatever_the_head_before_it(tmp_path: Path, face: str) -> None:
    async with connected(tmp_path, face) as (_, streams):
        body = bytes(3 * HEAD_LIMIT)
        length = f"Content-Length: {len(body)}"
        for size, expected in ((HEAD_LIMIT, 405), (1_000, 405), (HEAD_LIMIT + 1, 400)):
            streams[1].write(head(face, size, "POST", length) + body)
            assert await status(streams) == expected
        streams[1].transport.abort()


BEFORE = {
    "no body": lambda face: head(face, 300),
    "a body": lambda face: head(face, 300, "POST", "Content-Length: 5") + b"12345",
    "the end of a head in it": lambda face: head(face, 300, "POST", "Content-Length: 8") + b"\r\n\r\n" * 2,
    "chunks": lambda face: (
        head(face, 300, "POST", "Transfer-Encoding: chunked") + b"6\r\na\r\n\r\nb\r\n0\r\nAfter: a\r\n\r\n"
    ),
}


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("before", BEFORE)
async def test_the_limit_is_exact_for_a_head_in_the_same_read_as_the_message_before(
    tmp_path: Path, face: str, before: str
) -> None:
    first = BEFORE[before](face)
    async with fire_alone(tmp_path) as (fire, police, _):
        for size in (HEAD_LIMIT, HEAD_LIMIT + 1):
            streams = await dial(fire, face, police.certificate, police.key)
            streams[1].write(first * 2 + head(face, size) + first)
            answers = [await status(streams)]
            while 400 not in answers and len(answers) < 4:
                answers.append(await status(streams))
            assert (400 in answers) == (size > HEAD_LIMIT)
            streams[1].transport.abort()


@pytest.mark.parametrize("piece", [1, 2, 3, 5, 7])
async def test_a_message_ends_where_it_ends_however_it_comes_in_pieces(tmp_path: Path, piece: int) -> None:
    async with connected(tmp_path, "acm1") as (_, streams):
        sent = b"".join(message("acm1") for message in BEFORE.values())
        for start in range(0, len(sent), piece):
            streams[1].write(sent[start : start + piece])
            await streams[1].drain()
        assert [await status(streams) for _ in BEFORE] == [200, 405, 405, 405]
        streams[1].write(head("acm1", HEAD_LIMIT))
        assert await status(streams) == 200
        streams[1].transport.abort()


def test_what_is_no_request_is_told_once_a_minute_with_address_and_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    minutes = []

    async def scenario() -> None:
        async with fire_alone(tmp_path) as (fire, police, _):
            for face in FACES:
                with capture_logs() as said:
                    for sent in (GARBAGE, GARBAGE, GARBAGE, head(face, HEAD_LIMIT + 1)):
                        streams = await dial(fire, face, police.certificate, police.key)
                        streams[1].write(sent)
                        assert await status(streams) == 400
                        streams[1].close()
                    assert shown(said) == [
                        ("Invalid HTTP request received.", "127.0.0.1", 1),
                        ("The head of the message is too large.", "127.0.0.1", 1),
                    ]
                    for over in minutes[-2:]:
                        over()
                    assert shown(said)[2:] == [("Invalid HTTP request received.", "127.0.0.1", 2)]
                    minutes[-1]()
                    assert len(shown(said)) == 3

    def later(loop, delay, callback, *args):
        if callback.__name__ != "_minute_over":
            return real(loop, delay, callback, *args)
        minutes.append(lambda: callback(*args))
        return None

    real = asyncio.BaseEventLoop.call_later
    monkeypatch.setattr(asyncio.BaseEventLoop, "call_later", later)
    asyncio.run(scenario())


def shown(said: list) -> list[tuple[str, str, int]]:
    return [
        (line["reason"], line["address"], line["count"])
        for line in said
        if line["event"] == "no HTTP request"
    ]


def test_an_upgrade_that_nobody_offers_is_told_the_same_way(tmp_path: Path, caplog) -> None:
    async def scenario() -> None:
        async with connected(tmp_path, "acm1") as (_, streams):
            with capture_logs() as said:
                streams[1].write(head("acm1", 500, "GET", "Connection: upgrade", "Upgrade: websocket"))
                assert await status(streams) == 200
            assert [count for _, _, count in shown(said)] == [1]
            streams[1].close()

    asyncio.run(scenario())
    assert not [record for record in caplog.records if record.name.startswith("uvicorn")]


async def test_many_addresses_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tally, "_MOST", 2)

    counted = tally.Tally()
    with capture_logs() as said:
        for n in range(5):
            counted.note("garbage", f"192.0.2.{n}")
    assert [address for _, address, _ in shown(said)] == ["192.0.2.0", "192.0.2.1", tally.OTHERS]


@pytest.mark.parametrize(
    "path", ["/console/sign-in", "/acm1/v1/", "/health/live", "/nowhere", "/acm1/v1/requests"]
)
async def test_browsers_are_told_to_come_by_tls_alone(tmp_path: Path, path: str) -> None:
    async with (
        fire_alone(tmp_path) as (fire, _, _),
        fire.http.get(fire.url.removesuffix("/acm1/v1") + path) as reply,
    ):
        assert reply.headers["Strict-Transport-Security"] == "max-age=31536000"
