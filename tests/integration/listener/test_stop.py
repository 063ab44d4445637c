"""How a listener stops: what is under way is answered, and nobody can hold it up."""

import asyncio
import contextlib
import ssl

import aiohttp
import pytest

from support.partner.parties import GRACE, Face, asked, says_who_called, serving, showing_none, streams

pytestmark = pytest.mark.sqlite


async def read_and_cut_off(face: Face, context: ssl.SSLContext) -> None:
    async with aiohttp.ClientSession() as session, session.get(face.url, ssl=context) as stream:
        assert await stream.content.read(3) == b":\n\n"
        await asyncio.wait_for(face.listener.stop(GRACE), GRACE + 3)
        with pytest.raises(aiohttp.ClientError):
            await stream.content.read()


def test_a_stop_tells_an_open_stream_that_the_connection_is_gone(party, run) -> None:
    us, told = party("us"), []

    async def listens(scope, receive, send) -> None:
        await streams(send)
        await receive()
        told.append(await receive())

    async def scenario() -> None:
        async with serving(us, asks=False, app=listens) as face:
            await read_and_cut_off(face, showing_none(us))
            assert told == [{"type": "http.disconnect"}]

    run(scenario())


def test_a_stop_takes_bounded_time_while_a_stream_does_not_listen(party, run) -> None:
    us = party("us")

    async def never_ends(scope, receive, send) -> None:
        await streams(send)
        await asyncio.Event().wait()

    async def scenario() -> None:
        async with serving(us, asks=False, app=never_ends) as face:
            await read_and_cut_off(face, showing_none(us))

    run(scenario())


def test_a_stop_takes_bounded_time_while_a_client_says_nothing(party, run) -> None:
    us = party("us")

    async def scenario() -> None:
        async with serving(us, asks=False) as face:
            reader, writer = await asyncio.open_connection("127.0.0.1", face.listener.port)
            await asked(face, showing_none(us))
            await asyncio.wait_for(face.listener.stop(GRACE), GRACE + 3)
            with contextlib.suppress(ConnectionError):
                assert await asyncio.wait_for(reader.read(), 1) == b""
            writer.close()
            assert face.refused.empty()

    run(scenario())


def test_a_request_under_way_is_answered_before_the_stop(party, run) -> None:
    us = party("us")

    async def scenario() -> None:
        begun, go_on = asyncio.Event(), asyncio.Event()

        async def slow(scope, receive, send) -> None:
            begun.set()
            await go_on.wait()
            await says_who_called(scope, receive, send)

        async with serving(us, asks=False, app=slow) as face:
            port = face.listener.port
            answer = asyncio.create_task(asked(face, showing_none(us)))
            await begun.wait()
            stop = asyncio.create_task(face.listener.stop(10))
            await asyncio.wait([stop], timeout=0.1)
            assert not stop.done()
            go_on.set()
            assert await answer == repr({"peer_certificate": None})
            await stop
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", port)

    run(scenario())


def test_a_stop_does_not_wait_for_an_idle_connection(party, run) -> None:
    us = party("us")

    async def scenario() -> None:
        async with serving(us, asks=False) as face, aiohttp.ClientSession() as session:
            async with session.get(face.url, ssl=showing_none(us)) as answer:
                await answer.read()
            await asyncio.wait_for(face.listener.stop(10), 5)

    run(scenario())
