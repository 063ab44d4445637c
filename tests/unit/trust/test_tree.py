"""The Merkle tree against RFC 9162 and the vectors of Certificate Transparency."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acmx.trust.tree import BLOCK, Tree, joined, leaf, peaks_of, proof, proven_root

INPUTS = [
    bytes.fromhex(text) for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657")
] + [bytes(range(0x60, 0x70))]
ROOTS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


def leaves(count: int) -> list[bytes]:
    return [leaf(str(n).encode()) for n in range(count)]


def defined(hashes: list[bytes]) -> bytes:
    """MTH, word by word as section 2.1.1 defines it."""
    if not hashes:
        return sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return sha256(b"\1" + defined(hashes[:k]) + defined(hashes[k:])).digest()


@pytest.mark.parametrize("size", ROOTS)
def test_the_roots_are_those_of_certificate_transparency(size: int) -> None:
    assert joined(peaks_of(map(leaf, INPUTS[:size]))).hex() == ROOTS[size]


@given(st.integers(0, 700))
def test_a_root_is_what_the_rfc_defines(size: int) -> None:
    assert joined(peaks_of(leaves(size))) == defined(leaves(size))


def test_a_tree_goes_on_from_its_peaks_and_gives_each_block() -> None:
    tree, blocks = Tree(), []
    for hash_ in leaves(2 * BLOCK + 3):
        tree = Tree(tree.size, tree.peaks)
        blocks.append(tree.append(hash_))
    assert tree.root == defined(leaves(2 * BLOCK + 3))
    assert [(n, block) for n, block in enumerate(blocks, 1) if block] == [
        (BLOCK, defined(leaves(BLOCK))),
        (2 * BLOCK, defined(leaves(2 * BLOCK)[BLOCK:])),
    ]


@given(st.data())
def test_a_proof_leads_from_its_leaf_to_the_root_and_from_no_other(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 300))
    number = data.draw(st.integers(1, size))
    all_leaves = leaves(size)
    beside = proof(number, size, lambda start, end: defined(all_leaves[start:end]))
    assert len(beside) <= size.bit_length()
    assert proven_root(all_leaves[number - 1], number, size, beside) == defined(all_leaves)
    assert proven_root(leaf(b"another"), number, size, beside) != defined(all_leaves)
    other = data.draw(st.integers(1, size))
    if other != number:
        assert proven_root(all_leaves[number - 1], other, size, beside) != defined(all_leaves)
    assert proven_root(all_leaves[number - 1], number, size, [*beside, beside[0] if beside else b""]) is None
