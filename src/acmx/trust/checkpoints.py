"""The checkpoints that a journal is compared with: stored ones beside those kept elsewhere, signatures checked."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from heapq import merge

from acmx.domain.errors import AcmxError
from acmx.domain.records import Checkpoint, SignedCheckpoint
from acmx.trust.journal_check import Compared, Trouble
from acmx.trust.keys import is_among
from acmx.trust.sealing import read_checkpoint


class Checkpoints:
    """`stored` come the smallest first. `thumbprints`, if any, are the keys that may have signed (`is_among`).

    While it is iterated over it counts the `keys` that signed, and gathers `troubles`: those are left out.
    """

    def __init__(
        self,
        stored: Iterable[SignedCheckpoint],
        shipped: Iterable[SignedCheckpoint] = (),
        thumbprints: Collection[str] = (),
    ) -> None:
        self._stored = stored
        self._shipped = shipped
        self._thumbprints = thumbprints
        self._system: str | None = None
        self.keys: Counter[str] = Counter()
        self.troubles: list[Trouble] = []

    def __iter__(self) -> Iterator[Compared]:
        shipped = sorted(self._good(self._shipped, shipped=True), key=_size)
        yield from merge(self._good(self._stored, shipped=False), shipped, key=_size)

    def _good(self, signed: Iterable[SignedCheckpoint], *, shipped: bool) -> Iterator[Compared]:
        for one in signed:
            try:
                read = read_checkpoint(one)
            except AcmxError as error:
                self._note(0, f"a checkpoint that reads {one.checkpoint[:100]!r} is not good: {error}")
                continue
            if fault := self._fault(read, one.key.kid):
                self._note(read.size, f"the checkpoint of {read.size:,} rows {fault}")
                continue
            self.keys[one.key.kid] += 1
            yield Compared(read, shipped)

    def _fault(self, read: Checkpoint, kid: str) -> str | None:
        self._system = self._system or read.system
        if read.system != self._system:
            return f"is one of {read.system}, not of {self._system}"
        if self._thumbprints and not is_among(kid, self._thumbprints):
            return f"is signed by the key {kid}, which is none of those named"
        return None

    def _note(self, number: int, words: str) -> None:
        self.troubles.append(Trouble("checkpoint", number, words))


def _size(compared: Compared) -> int:
    return compared.checkpoint.size
