"""What stands before several servers: TCP as it is, a new connection to the next one that takes it."""

import asyncio
import threading
from collections.abc import Collection, Coroutine
from contextlib import suppress
from itertools import cycle
from typing import Any, Self


class Balancer:
    """Listens on `port` of the loopback address, in a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._ports: Collection[int] = ()
        self._turn = cycle([0])
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        self._do(self._listen())
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def lead_to(self, *ports: int) -> None:
        self._ports, self._turn = ports, cycle(ports)

    def _do(self, work: Coroutine[Any, Any, Any]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _end(self) -> None:
        self._server.close()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

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
