"""Steps 8 and 16: the notice that something is pending, without content, as server-sent events (laws 7 and 8).

The stream says «look again» on every connect and whenever something may have changed for this person; hints that
nobody has read yet are one hint. The list is the truth.
"""

import asyncio
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import partial

import msgspec
from starlette.types import ASGIApp, Receive, Scope, Send

from acmx.domain.errors import AcmxError
from acmx.domain.moments import Clock, to_ms
from acmx.faces.acm1.authentication import Authentication
from acmx.flows.operations.list_notices import meant
from acmx.storage.engine import Missed
from acmx.storage.notices import Notice
from acmx.trust.roles import Caller

HEARTBEAT = 15.0
_BEAT = b": still here\n\n"


@dataclass(eq=False, slots=True)
class _Stream:
    """Who listens. There may be many: a future while it waits is a fifth of an asyncio.Event."""

    caller: Caller
    hint: bool = True
    gone: bool = False
    awake: bool = True
    waiter: asyncio.Future[None] | None = None

    def wake(self) -> None:
        self.awake = True
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)

    async def rest(self) -> None:
        """Until somebody wakes it, or has since the last rest."""
        if not self.awake:
            self.waiter = asyncio.get_running_loop().create_future()
            await self.waiter
        self.awake = False

    def end(self) -> None:
        self.gone = True
        self.wake()


class Bell:
    """The open streams, and when each person was last told."""

    def __init__(self, clock: Clock, authentication: Authentication) -> None:
        self._clock = clock
        self._authentication = authentication
        self._streams: set[_Stream] = set()
        self._told: dict[str, int] = {}

    @property
    def clients(self) -> int:
        """How many streams are open."""
        return len(self._streams)

    def told_at(self, mc_service_id: str) -> int | None:
        """Milliseconds of the last notice to this person since the server started."""
        return self._told.get(mc_service_id)

    def ring(self, signals: frozenset[Hashable]) -> None:
        """Tell whom the committed notices mean."""
        missed, notices = Missed() in signals, [signal for signal in signals if isinstance(signal, Notice)]
        if not missed and not notices:
            return
        for stream in self._streams:
            if missed or any(meant(stream.caller, notice.audience, notice.person) for notice in notices):
                stream.hint = True
                stream.wake()

    async def keep_beating(self, heard: Callable[[float], None]) -> None:
        """One sweep for all streams, so that proxies keep them open and dead ones are found."""
        while True:
            heard(4 * HEARTBEAT)
            await asyncio.sleep(HEARTBEAT)
            for stream in self._streams:
                stream.wake()

    def close(self) -> None:
        """End every stream."""
        for stream in self._streams:
            stream.end()

    def answer(self, token: str, caller: Caller) -> ASGIApp:
        """The stream of this caller, as the response to a request; it ends when the token does."""
        return partial(self._stream, token, caller)

    async def _stream(self, token: str, caller: Caller, _scope: Scope, receive: Receive, send: Send) -> None:
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store")],
            }
        )
        stream = _Stream(caller)
        self._streams.add(stream)
        watch = asyncio.create_task(_until_gone(receive, stream))
        try:
            await self._tell(token, stream, send)
        finally:
            watch.cancel()
            self._streams.discard(stream)

    async def _tell(self, token: str, stream: _Stream, send: Send) -> None:
        while True:
            await stream.rest()
            if stream.gone or not await self._still_known(token):
                await send({"type": "http.response.body", "body": b"", "more_body": False})
                return
            hint, stream.hint = stream.hint, False
            if hint:
                self._told[stream.caller.mc_service_id] = to_ms(self._clock())
            await send(
                {"type": "http.response.body", "body": _hint(stream) if hint else _BEAT, "more_body": True}
            )

    async def _still_known(self, token: str) -> bool:
        try:
            await self._authentication.holder(token)
        except AcmxError:
            return False
        return True


def _hint(stream: _Stream) -> bytes:
    data = msgspec.json.encode({"mc_service_id": stream.caller.mc_service_id})
    return b"event: look-again\ndata: " + data + b"\n\n"


async def _until_gone(receive: Receive, stream: _Stream) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    stream.end()
