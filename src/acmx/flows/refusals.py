"""What a face refused before any flow saw it: one journal row per actor, reason and minute."""

from functools import partial

from acmx.domain.errors import TemporarilyUnavailable
from acmx.domain.moments import to_ms
from acmx.flows.house import House
from acmx.storage import journal
from acmx.storage.engine import Store

MINUTE = 60_000
LONGEST = 200
ANYBODY = "somebody"


class Refusals:
    """Counts what was refused, so that nobody can fill the journal from outside."""

    def __init__(self, house: House, store: Store) -> None:
        self._house = house
        self._store = store
        self._minute = 0
        self._written: set[tuple[str, str]] = set()

    async def note(self, actor: str, reason: str, **detail: str) -> None:
        """A refusal that cannot be journalled is a refusal all the same."""
        now = to_ms(self._house.clock())
        if now // MINUTE != self._minute:
            self._minute = now // MINUTE
            self._written.clear()
        if (actor, reason) in self._written:
            return
        self._written.add((actor, reason))
        cut = {name: value[:LONGEST] for name, value in detail.items()}
        try:
            await self._store.write(
                partial(journal.write, at=now, event="refused", actor=actor, type=reason, **cut)  # type: ignore[arg-type]
            )
        except TemporarilyUnavailable:
            self._written.discard((actor, reason))
