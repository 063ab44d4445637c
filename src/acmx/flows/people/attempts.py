"""Log-ons that failed: who has to wait before the next one, so that nobody can guess passwords.

Counted for a name from an address, for an address whatever the name, and for a name from wherever; the last one does
not hold where that person has logged on from before, so no stranger locks anybody out for good. Names that do not
exist are counted alike; who is sent by the OpenID provider has none here. All of an IPv6 network of 64 bits is one
address. Kept in memory: a restart forgets.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar

from msgspec import Struct

from acmx.domain.networks import network_of

FORGOTTEN_AFTER = 3600.0
LONGEST = 900.0
MOST = 10_000


class _Free(Struct, frozen=True):
    """How many failures cost nothing; each one after them makes the wait twice as long, from `first` seconds."""

    failures: int
    first: float = 30.0
    longest: float = LONGEST


HERE, ADDRESS, NAME = _Free(4), _Free(49), _Free(19, longest=60.0)


class _Failures(Struct):
    count: int = 0
    last: float = 0.0
    free_at: float = 0.0


Key = tuple[str | None, str | None]
T = TypeVar("T")


class Attempts:
    """`steady` gives seconds of a clock that nobody sets."""

    def __init__(self, steady: Callable[[], float]) -> None:
        self._steady = steady
        self._failures: OrderedDict[Key, _Failures] = OrderedDict()
        self._known: OrderedDict[Key, None] = OrderedDict()

    def wait(self, name: str | None, address: str) -> float:
        """Seconds until this name may be tried again from this address; 0 for now."""
        now = self._steady()
        held = [self._failures[key] for key in self._counted(name, address) if key in self._failures]
        return max([0.0, *(failures.free_at - now for failures in held)])

    def knows(self, name: str, address: str) -> bool:
        """Whether that person has logged on from there before."""
        return (name, network_of(address)) in self._known

    def failed(self, name: str | None, address: str) -> float:
        """One more; the seconds for which nobody may try this now."""
        for key, free in self._counted(name, address).items():
            self._count(key, free)
        return self.wait(name, address)

    def succeeded(self, name: str, address: str) -> None:
        address = network_of(address)
        self._failures.pop((name, address), None)
        _keep(self._known, (name, address), None)

    def unlock(self, name: str) -> None:
        """Forget the failures under this name, and those of the addresses they came from."""
        addresses = {address for known, address in self._failures if known == name}
        for key in [(name, None), *((of, a) for a in addresses for of in (name, None))]:
            self._failures.pop(key, None)

    def _counted(self, name: str | None, address: str) -> dict[Key, _Free]:
        address = network_of(address)
        if name is None:
            return {(None, address): ADDRESS}
        counted: dict[Key, _Free] = {(name, address): HERE, (None, address): ADDRESS}
        return counted if self.knows(name, address) else counted | {(name, None): NAME}

    def _count(self, key: Key, free: _Free) -> None:
        now = self._steady()
        failures = self._failures.get(key, _Failures())
        if now - failures.last > FORGOTTEN_AFTER:
            failures = _Failures()
        failures.count += 1
        failures.last = now
        beyond = failures.count - free.failures
        if beyond > 0:
            failures.free_at = now + min(free.longest, free.first * 2.0 ** min(beyond - 1, 10))
        _keep(self._failures, key, failures)


def _keep(places: OrderedDict[Key, T], key: Key, value: T) -> None:
    places[key] = value
    places.move_to_end(key)
    if len(places) > MOST:
        places.popitem(last=False)
