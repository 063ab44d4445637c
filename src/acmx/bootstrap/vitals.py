"""The signs of life of a server: its supervised loops, and whether its journal is the one that was shipped."""

import asyncio
from collections.abc import Callable

from acmx.delivery.supervisor import Beat, Supervisor
from acmx.domain.acm1 import Component, Finding
from acmx.storage.engine import Store

EVERY = 2.0
WRITER_WITHIN = 30.0


class Vitals:
    """What is asked for at /health; `stopping` once the server was told to stop, `expiring` as was seen last.

    `forked`: what is wrong with the history of the journal, None for nothing; `ended`: which certificates have.
    """

    def __init__(
        self, supervisor: Supervisor, ended: Callable[[], list[str]], forked: Callable[[], str | None]
    ) -> None:
        self._supervisor = supervisor
        self._ended = ended
        self._forked = forked
        self.stopping = False
        self.expiring: list[Finding] = []

    def components(self) -> list[Component]:
        loops = [
            Component(loop.component, loop.trouble is None, loop.of or None, loop.trouble)
            for loop in self._supervisor.loops
        ]
        ended, forked = ", ".join(self._ended()) or None, self._forked()
        return [
            *loops,
            Component("certificates", ended is None, trouble=ended),
            Component("journal", forked is None, trouble=forked),
        ]

    def alive(self) -> bool:
        """False where a loop is stuck or dead, which starting anew would mend."""
        return not any(loop.stuck for loop in self._supervisor.loops)

    def ready(self) -> bool:
        loops = self._supervisor.loops
        return bool(loops) and not self.stopping and all(part.ok for part in self.components())


async def ask_writer(store: Store, beat: Beat) -> None:
    """A plan that changes nothing: that it returns shows that the writer goes on, and to the same database."""
    while True:
        await store.write(lambda _tx: None)
        beat(WRITER_WITHIN)
        await asyncio.sleep(EVERY)
