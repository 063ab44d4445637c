"""What time the partners say it is, asked of each once after a start: their word may hold the clock, never release it.

Half of those that answered, or more, have to disagree with the clock for it to be held. Who does not answer is waited
for no longer than the first try to reach it takes, and `WAIT` seconds in all; what it says later counts then.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Final

import structlog

from acmx.domain.moments import TOLERANCE, Clock, from_ms, text, to_ms
from acmx.flows.operations import suspend_expiry
from acmx.storage.clock_holds import ClockHold
from acmx.storage.engine import Store, Tx
from acmx.storage.partnership import partners

WAIT: Final = 60.0
_TOLERATED: Final = TOLERANCE.total_seconds() * 1000
log = structlog.get_logger()


class ClockVoices:
    """`name` is that of this machine's clock, `steady` gives seconds of one that nobody sets."""

    def __init__(self, clock: Clock, store: Store, name: str, steady: Callable[[], float]) -> None:
        self._clock = clock
        self._store = store
        self._name = name
        self._steady = steady
        self._awaited: set[str] | None = None
        self._ends = 0.0
        self._said: dict[str, int] = {}
        self._judged = False
        self._held = False

    def sure(self) -> bool:
        """Whether those that could be asked were heard, and what they said was weighed."""
        return self._judged

    def wait_for(self, partners: Iterable[str]) -> None:
        """These are asked from now on."""
        self._awaited = set(partners)
        self._ends = self._steady() + WAIT

    def wants(self, partner: str) -> bool:
        """Whether this partner has not said yet what time it is."""
        return partner not in self._said

    def silent(self, partner: str) -> None:
        """It was asked in vain."""
        if self._awaited is not None:
            self._awaited.discard(partner)

    def hear(self, partner: str, difference: int) -> None:
        """How far its clock is ahead of ours, in milliseconds."""
        self._said[partner] = difference
        self._judged = False
        self.silent(partner)

    async def judge(self) -> None:
        """Hold the clock where the partners say so. Raises TemporarilyUnavailable."""
        if self._judged or self._awaited is None or (self._awaited and self._steady() < self._ends):
            return
        said = dict(self._said)
        differ = {id_: ahead for id_, ahead in said.items() if abs(ahead) > _TOLERATED}
        if differ and len(differ) * 2 >= len(said) and not self._held:
            now = to_ms(self._clock())
            hold = ClockHold(self._name, now, _reason(now, differ, len(said)))
            log.error("the clock is in doubt: nothing expires until it is confirmed", reason=hold.reason)
            await self._store.write(partial(_hold, hold=hold, said=said))
            self._held = True
        self._judged = said == self._said


def _hold(tx: Tx, hold: ClockHold, said: Mapping[str, int]) -> None:
    for id_, difference in said.items():
        partners.clock_heard(tx, id_, difference)
    suspend_expiry.hold(tx, hold)


def _reason(now: int, differ: Mapping[str, int], of: int) -> str:
    partner, ahead = min(differ.items())
    return (
        f"the clock says {text(from_ms(now))}, but by the signed word of {partner} it is "
        f"{text(from_ms(now + ahead))}; {len(differ)} of the {of} partners that answered disagree with the clock"
    )
