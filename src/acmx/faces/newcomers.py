"""Connections that ask for nothing: nobody waits for their answers, and each costs memory."""

import asyncio
from collections.abc import Callable, Iterator

from acmx.domain.networks import network_of
from acmx.faces.proxied import Address


class Newcomer:
    """A connection from its acceptance to its first request; `end` ends it, whatever it waits for."""

    __slots__ = ("client", "end", "network", "too_slow")

    end: Callable[[], object]
    too_slow: asyncio.TimerHandle

    def __init__(self, client: Address) -> None:
        self.client = client
        self.network = network_of(client[0])


class Newcomers:
    """At most `most`, and `most_of_one` of one network.

    Whoever has most loses the oldest for the next one: a client that speaks has asked before that, a silent one never.
    """

    def __init__(self, most: int, most_of_one: int) -> None:
        self._most, self._most_of_one = most, most_of_one
        self._of: dict[str, dict[Newcomer, None]] = {}
        self._count = 0

    def __iter__(self) -> Iterator[Newcomer]:
        return iter([newcomer for known in self._of.values() for newcomer in known])

    def enter(self, newcomer: Newcomer) -> Newcomer | None:
        """The one that has to go for it, and has left."""
        known = self._of.setdefault(newcomer.network, {})
        known[newcomer] = None
        self._count += 1
        if len(known) <= self._most_of_one:
            if self._count <= self._most:
                return None
            known = max(self._of.values(), key=len)
        oldest = next(iter(known))
        self.leave(oldest)
        return oldest

    def leave(self, newcomer: Newcomer) -> None:
        """Once it has asked, or has gone; a second time nothing happens."""
        known = self._of.get(newcomer.network, {})
        if newcomer in known:
            del known[newcomer]
            self._count -= 1
            if not known:
                del self._of[newcomer.network]
