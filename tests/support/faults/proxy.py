"""A TCP proxy that injects faults between two servers.

What passes is TLS and stays closed to it. So a message cannot be sent twice from here: a duplicate is made by
dropping the reply (`DROPPED_REPLY`), so that the sender repeats. A request is known by the lengths of TLS records.
"""

import asyncio
import socket
import ssl
import struct
from contextlib import suppress
from enum import Enum, auto

from bench.relay import Relay

LINGER_NOT = struct.pack("ii", 1, 0)
APPLICATION_DATA = 23
FINISHED = (53, 69)
"""The length of the record with which a client ends the handshake of TLS 1.3, with SHA-256 and with SHA-384."""

DELAY, DRIP, DRIP_BYTES = 0.1, 0.005, 100


class Fault(Enum):
    """What happens to open connections and to those that come."""

    NONE = auto()
    CUT = auto()
    """Each is reset."""
    DELAY = auto()
    """Every piece comes 100 ms later, in both directions."""
    HALF_OPEN = auto()
    """Those that are open lead nowhere for ever; new ones are not touched."""
    BLACK_HOLE = auto()
    """All are taken and lead nowhere for ever."""
    SLOW_DRIP = auto()
    """100 bytes every 5 ms."""
    RESET_AFTER_REQUEST = auto()
    """Every other request is handed on, and its connection reset in nearly the same moment."""
    DROPPED_REPLY = auto()
    """Every other request is handed on and answered, but the reply is dropped and the connection reset."""


RESET_AFTER = {Fault.RESET_AFTER_REQUEST: 0.005, Fault.DROPPED_REPLY: 0.15}


class Requests:
    """Whether bytes of a client hold a request: TLS records of application data after the end of the handshake."""

    def __init__(self) -> None:
        self._buffer = b""
        self._finished = False

    def in_(self, piece: bytes) -> bool:
        found = False
        self._buffer += piece
        while len(self._buffer) >= 5 and len(self._buffer) >= (end := 5 + int.from_bytes(self._buffer[3:5])):
            kind, self._buffer = self._buffer[0], self._buffer[end:]
            found = found or (self._finished and kind == APPLICATION_DATA)
            self._finished = self._finished or (kind == APPLICATION_DATA and end - 5 in FINISHED)
        return found


class Link:
    """One connection through the proxy."""

    def __init__(self, near: asyncio.StreamWriter, far: asyncio.StreamWriter) -> None:
        self.near = near
        self.far = far
        self.lost = False
        self.no_reply = False
        self.requests = Requests()

    def reset(self) -> None:
        for writer in (self.near, self.far):
            with suppress(OSError):
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
            writer.transport.abort()


class Proxy(Relay):
    """Leads to another port of the loopback address. `hits`: requests that a fault met."""

    def __init__(self) -> None:
        super().__init__()
        self.hits = 0
        self._target = 0
        self._requests = 0
        self._fault = Fault.NONE
        self._links: set[Link] = set()

    def lead_to(self, port: int) -> None:
        """From now on; what is open is reset."""
        self._do(self._lead_to(port))

    def inject(self, fault: Fault) -> None:
        self._do(self._inject(fault))

    def answer(self, page: bytes, context: ssl.SSLContext | None) -> None:
        """Stand in for an HTTP proxy: every request is answered with `page`, in TLS where there is a context."""
        self._do(self._answer(page, context))

    async def _lead_to(self, port: int) -> None:
        self._target = port
        self._reset_all()

    async def _inject(self, fault: Fault) -> None:
        self._fault = fault
        if fault is Fault.CUT:
            self._reset_all()
        elif fault in (Fault.HALF_OPEN, Fault.BLACK_HOLE):
            for link in self._links:
                link.lost = True

    async def _answer(self, page: bytes, context: ssl.SSLContext | None) -> None:
        async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(OSError):
                await reader.read(65_536)
                self.hits += 1
                writer.write(page)
                await writer.drain()
            writer.close()

        server = await asyncio.start_server(say, "127.0.0.1", 0, ssl=context)
        self._servers.append(server)
        await self._lead_to(server.sockets[0].getsockname()[1])

    async def _end(self) -> None:
        self._reset_all()
        await super()._end()

    def _reset_all(self) -> None:
        for link in self._links:
            link.reset()

    async def _take(self, reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            target = self._target
            there, far = await asyncio.open_connection("127.0.0.1", target)
            link = Link(near, far)
            if target != self._target:
                link.reset()
                return
            self._links.add(link)
            try:
                await self._lead(link, reader, there)
            finally:
                self._links.discard(link)
                link.far.close()
        near.close()

    async def _lead(self, link: Link, reader: asyncio.StreamReader, there: asyncio.StreamReader) -> None:
        if self._fault is Fault.CUT:
            link.reset()
            return
        link.lost = self._fault is Fault.BLACK_HOLE
        ways = [asyncio.create_task(self._there(link, reader)), asyncio.create_task(self._back(link, there))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _there(self, link: Link, reader: asyncio.StreamReader) -> None:
        while piece := await reader.read(65_536):
            if link.requests.in_(piece) and self._hits_this_one():
                link.no_reply = True
                self._loop.call_later(RESET_AFTER[self._fault], link.reset)
            if not link.lost:
                await self._hand_on(piece, link.far)

    async def _back(self, link: Link, there: asyncio.StreamReader) -> None:
        while piece := await there.read(65_536):
            if not (link.lost or link.no_reply):
                await self._hand_on(piece, link.near)

    def _hits_this_one(self) -> bool:
        self._requests += 1
        hit = self._fault in RESET_AFTER and self._requests % 2 == 0
        self.hits += hit
        return hit

    async def _hand_on(self, piece: bytes, sink: asyncio.StreamWriter) -> None:
        size = DRIP_BYTES if self._fault is Fault.SLOW_DRIP else len(piece)
        for at in range(0, len(piece), size):
            await asyncio.sleep({Fault.DELAY: DELAY, Fault.SLOW_DRIP: DRIP}.get(self._fault, 0))
            sink.write(piece[at : at + size])
            await sink.drain()
