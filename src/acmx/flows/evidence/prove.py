"""Proofs that rows of the journal lie under the root of a checkpoint: log-size, from stored hashes alone."""

from functools import cache, partial

from acmx.storage import seals
from acmx.storage.engine import Tx
from acmx.trust.tree import BLOCK, joined, peaks_of, proof


class Prover:
    """Proofs in the tree over the first `size` rows. It lives no longer than `tx`."""

    def __init__(self, tx: Tx, size: int) -> None:
        self._size = size
        self._blocks = seals.blocks(tx, size // BLOCK)
        self._hashes = cache(partial(seals.hashes, tx))
        self._root_of = cache(self._root)

    def proof(self, number: int) -> list[bytes]:
        return proof(number, self._size, self._root_of)

    def _root(self, start: int, end: int) -> bytes:
        """Whole blocks count as they are stored; what is less than a block is made from its rows."""
        first, last = start // BLOCK, end // BLOCK
        if end - start < BLOCK:
            rows = self._hashes(first * BLOCK, min((first + 1) * BLOCK, self._size))
            return joined(peaks_of(rows[start % BLOCK : end - first * BLOCK]))
        rest = self._hashes(last * BLOCK, end) if end % BLOCK else []
        return joined(peaks_of(self._blocks[first:last]) + peaks_of(rest))
