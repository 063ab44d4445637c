"""The Merkle tree over the journal (RFC 9162, section 2.1): SHA-256, byte 0 before a leaf, byte 1 before two nodes.

Numbers of leaves count from 1 here, as people count the rows of the journal.
"""

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

BLOCK_LEVEL = 8
BLOCK = 1 << BLOCK_LEVEL
"""The roots of this many leaves are stored, so that a proof among millions of rows reads thousands."""


def leaf(content: bytes) -> bytes:
    return sha256(b"\0" + content).digest()


def parent(left: bytes, right: bytes) -> bytes:
    return sha256(b"\1" + left + right).digest()


class Tree:
    """A tree that grows leaf by leaf. `peaks` are the roots of the full trees in it, the largest first."""

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = ()) -> None:
        self.size = size
        self.peaks = list(peaks)

    def append(self, hash_: bytes) -> bytes | None:
        """The root of a block of 256 leaves, where this one completes it."""
        block = None
        self.size += 1
        level, top = 0, hash_
        while not self.size >> level & 1:
            top = parent(self.peaks.pop(), top)
            level += 1
            if level == BLOCK_LEVEL:
                block = top
        self.peaks.append(top)
        return block

    @property
    def root(self) -> bytes:
        return joined(self.peaks)


def peaks_of(hashes: Iterable[bytes]) -> list[bytes]:
    tree = Tree()
    for hash_ in hashes:
        tree.append(hash_)
    return tree.peaks


def joined(peaks: Sequence[bytes]) -> bytes:
    """The root over full trees, the largest first."""
    if not peaks:
        return sha256(b"").digest()
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = parent(peak, root)
    return root


def proof(number: int, size: int, root_of: Callable[[int, int], bytes]) -> list[bytes]:
    """What is beside the way from leaf `number` up to the root of `size` leaves.

    `root_of(start, end)` gives the root of the leaves start + 1 to end.
    """
    found = [root_of(*aside) for aside, _ in _way(number, size)]
    return found[::-1]


def proven_root(hash_: bytes, number: int, size: int, beside: Sequence[bytes]) -> bytes | None:
    """The root that the leaf and its proof lead to; None where the proof has the wrong length."""
    way = _way(number, size)
    if len(way) != len(beside):
        return None
    for (_, is_left), other in zip(reversed(way), beside, strict=True):
        hash_ = parent(other, hash_) if is_left else parent(hash_, other)
    return hash_


def _way(number: int, size: int) -> list[tuple[tuple[int, int], bool]]:
    """From the root down: the range of leaves beside the way, and whether it lies left of it."""
    way: list[tuple[tuple[int, int], bool]] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + (1 << (end - start - 1).bit_length() - 1)
        if number <= middle:
            way.append(((middle, end), False))
            end = middle
        else:
            way.append(((start, middle), True))
            start = middle
    return way
