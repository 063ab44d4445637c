"""Checkpoints that were shipped tell of a history of the journal; where the database holds another one, it forked.

That is so after a restore from a backup, and where somebody has cut off or rewritten the journal: the two look alike,
so a person says which it was (`acknowledge_fork`).
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from acmx.domain.moments import from_ms, text, to_ms
from acmx.domain.records import Checkpoint
from acmx.domain.telling import JOURNAL_FORKED
from acmx.flows.house import House
from acmx.storage import journal, lost_checkpoints, notices, seals
from acmx.storage.engine import Tx
from acmx.storage.lost_checkpoints import Lost
from acmx.trust.tree import BLOCK, Tree, joined, peaks_of

MOST = 10_000
"""So many are kept until somebody acknowledges them: more than a year of one each hour."""


class Shipped(Struct, frozen=True):
    """A checkpoint of this system that was found in a file; `kid` names the key that signed it."""

    file: str
    checkpoint: Checkpoint
    kid: str


class Roots:
    """The roots of this journal at growing sizes: each block is read once."""

    def __init__(self) -> None:
        self._blocks = Tree()

    def lacking(self, tx: Tx, found: Iterable[Shipped]) -> list[Shipped]:
        """Those of another history. They come the smallest first, also over several calls."""
        size = seals.head(tx).size
        return [
            one
            for one in found
            if one.checkpoint.size > size or one.checkpoint.root != self._root(tx, one.checkpoint.size)
        ]

    def _root(self, tx: Tx, size: int) -> str:
        for hash_ in seals.blocks(tx, size // BLOCK, start=self._blocks.size):
            self._blocks.append(hash_)
        rest = (hash_ or b"" for hash_ in seals.hashes(tx, size - size % BLOCK, size))
        return joined([*self._blocks.peaks, *peaks_of(rest)]).hex()


def record(house: House, tx: Tx, lost: Sequence[Shipped]) -> int:
    """Keep, journal and tell operators of those that were not known; how many."""
    now = to_ms(house.clock())
    room = MOST - lost_checkpoints.count_open(tx)
    new = [one for one in lost[: max(room, 0)] if lost_checkpoints.insert(tx, _lost(one, now))]
    if not new:
        return 0
    last = new[-1].checkpoint
    made = text(last.created_at)
    journal.write(
        tx,
        now,
        "journal-forked",
        "sealer",
        rows=seals.head(tx).size,
        checkpoints=len(new),
        first=new[0].checkpoint.size,
        last=last.size,
        root=last.root,
        created_at=made,
    )
    subject = f"checkpoint of {made} over {last.size} rows ({last.root[:16]})"
    notices.put_for_operators(tx, now, house.system, subject, JOURNAL_FORKED, 1)
    return len(new)


def standing(tx: Tx) -> str | None:
    """What nobody has acknowledged yet, in plain words."""
    last = lost_checkpoints.last_open(tx)
    if last is None:
        return None
    count = lost_checkpoints.count_open(tx)
    return (
        f"the database holds another history than {count:,} of the shipped checkpoints, the last of "
        f"{text(from_ms(last.created_at))} over {last.size:,} rows ({last.file}): it was restored, set back or "
        "rewritten. Who knows why: acmx audit acknowledge --reason TEXT"
    )


def _lost(one: Shipped, now: int) -> Lost:
    read = one.checkpoint
    return Lost(read.size, read.root, one.kid, to_ms(read.created_at), one.file, now)
