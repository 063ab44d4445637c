"""What stands before several servers: TCP as it is, a new connection to the next one that takes it."""

import asyncio
from collections.abc import Collection
from contextlib import suppress
from itertools import cycle

from bench.relay import Relay


class Balancer(Relay):
    """Leads each connection on to one of several ports of the loopback address."""

    def __init__(self) -> None:
        super().__init__()
        self._ports: Collection[int] = ()
        self._turn = cycle([0])

    def lead_to(self, *ports: int) -> None:
        self._ports, self._turn = ports, cycle(ports)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in self._ports:
            try:
                there, far = await asyncio.open_connection("127.0.0.1", next(self._turn))
            except OSError:
                continue
            await asyncio.gather(_hand_on(reader, far), _hand_on(there, writer))
            return
        writer.close()


async def _hand_on(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Until the source ends; then the other way has nothing to say any more either."""
    with suppress(OSError):
        while piece := await source.read(65_536):
            sink.write(piece)
            await sink.drain()
    sink.close()
