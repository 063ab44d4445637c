"""The signs of life of a server: its supervised loops."""

import asyncio

from acmx.delivery.supervisor import Beat, Supervisor
from acmx.domain.acm1 import Component, Finding
from acmx.storage.engine import Store

EVERY = 2.0
WRITER_WITHIN = 30.0


class Vitals:
    """What is asked for at /health; `stopping` once the server was told to stop, `expiring` as was seen last."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self.stopping = False
        self.expiring: list[Finding] = []

    def components(self) -> list[Component]:
        return [
            Component(loop.component, loop.trouble is None, loop.of or None, loop.trouble)
            for loop in self._supervisor.loops
        ]

    def alive(self) -> bool:
        """False where a loop is stuck or dead, which starting anew would mend."""
        return not any(loop.stuck for loop in self._supervisor.loops)

    def ready(self) -> bool:
        loops = self._supervisor.loops
        return bool(loops) and not self.stopping and all(loop.trouble is None for loop in loops)


async def ask_writer(store: Store, beat: Beat) -> None:
    """A plan that changes nothing: that it returns shows that the writer goes on, and to the same database."""
    while True:
        await store.write(lambda _tx: None)
        beat(WRITER_WITHIN)
        await asyncio.sleep(EVERY)
