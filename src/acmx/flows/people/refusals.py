"""What was refused: the first of an actor for a reason at once, the others as one row a minute with their count.

Kept in memory until then: a crash forgets the count of a minute, never a row that says that there was something.
"""

from functools import partial

from msgspec import Struct

from acmx.domain.errors import TemporarilyUnavailable
from acmx.domain.moments import from_ms, text, to_ms
from acmx.flows.house import House
from acmx.storage import journal
from acmx.storage.engine import Store, Tx

SECOND, MINUTE = 1000, 60_000
LONGEST = 200
MOST = 10_000
AT_ONCE = 100
ANYBODY = "somebody"
Key = tuple[str, str]


class _More(Struct):
    """How many there were since then (milliseconds) that no row says yet."""

    since: int
    count: int = 0


class Refusals:
    """Counts what was refused, so that nobody can fill the journal from outside."""

    def __init__(self, house: House, store: Store) -> None:
        self._house = house
        self._store = store
        self._more: dict[Key, _More] = {}
        self._looked_at = 0

    def first(self, actor: str, reason: str) -> bool:
        """Count one; whether it is to be written down now. `missed` takes that back."""
        key = self._key(actor, reason)
        if key in self._more:
            self._more[key].count += 1
            return False
        self._more[key] = _More(to_ms(self._house.clock()))
        return True

    def missed(self, actor: str, reason: str) -> None:
        """The first could not be written down: it is counted with the others."""
        self._more[self._key(actor, reason)].count += 1

    async def note(self, actor: str, reason: str, **detail: str) -> None:
        """A refusal that cannot be journalled is a refusal all the same."""
        await self.write_counts()
        if not self.first(actor, reason):
            return
        now = to_ms(self._house.clock())
        cut = {name: value[:LONGEST] for name, value in detail.items()}
        try:
            await self._store.write(
                partial(journal.write, at=now, event="refused", actor=actor, type=reason, **cut)  # type: ignore[arg-type]
            )
        except TemporarilyUnavailable:
            self.missed(actor, reason)

    async def write_counts(self, *, whole_minutes: bool = True) -> None:
        """Those of minutes that have passed, or all. What cannot be written now is left for the next time."""
        now = to_ms(self._house.clock())
        if whole_minutes and 0 <= now - self._looked_at < SECOND:
            return
        self._looked_at = now
        over = [key for key, more in self._more.items() if not whole_minutes or now - more.since >= MINUTE]
        for n in range(0, len(over), AT_ONCE):
            await self._write(over[n : n + AT_ONCE], now)

    async def _write(self, keys: list[Key], now: int) -> None:
        written = {key: _More(more.since, more.count) for key in keys if (more := self._more.pop(key, None))}
        counted = {key: more for key, more in written.items() if more.count}
        for key in counted:
            self._more.setdefault(key, _More(now))
        if not counted:
            return
        try:
            await self._store.write(partial(_keep, now=now, counted=counted))
        except TemporarilyUnavailable:
            for key, more in counted.items():
                later = self._more[key]
                later.since, later.count = more.since, more.count + later.count

    def _key(self, actor: str, reason: str) -> Key:
        known = (actor, reason) in self._more or len(self._more) < MOST
        return (actor, reason) if known else (ANYBODY, reason)


def _keep(tx: Tx, now: int, counted: dict[Key, _More]) -> None:
    for (actor, reason), more in counted.items():
        since = text(from_ms(more.since))
        journal.write(tx, now, "refused", actor, type=reason, count=more.count, since=since)
