"""The signs of life of a server: its supervised loops."""

import asyncio
from collections.abc import Callable

from acmx.delivery.supervisor import Beat, Supervisor
from acmx.domain.acm1 import Component, Finding
from acmx.storage.engine import Store

EVERY = 5.0
WRITER_WITHIN = 30.0


class Vitals:
    """What is asked for at /health; `stopping` once the server was told to stop, `expiring` as was seen last."""

    def __init__(self, supervisor: Supervisor, ended: Callable[[], list[str]]) -> None:
        """`ended`: which certificates have."""
        self._supervisor = supervisor
        self._ended = ended
        self.stopping = False
        self.expiring: list[Finding] = []

    def components(self) -> list[Component]:
        loops = [
            Component(loop.component, loop.trouble is None, loop.of or None, loop.trouble)
            for loop in self._supervisor.loops
        ]
        ended = ", ".join(self._ended()) or None
        return [*loops, Component("certificates", ended is None, trouble=ended)]

    def alive(self) -> bool:
        """False where a loop is stuck or dead, which starting anew would mend."""
        return not any(loop.stuck for loop in self._supervisor.loops)

    def ready(self) -> bool:
        loops = self._supervisor.loops
        well = bool(loops) and all(loop.trouble is None for loop in loops)
        return well and not self.stopping and not self._ended()


async def ask_writer(store: Store, beat: Beat) -> None:
    """A plan that changes nothing, so nothing is fsynced: that it returns shows that the writer goes on."""
    while True:
        await store.write(lambda _tx: None)
        beat(WRITER_WITHIN)
        await asyncio.sleep(EVERY)
