"""The sealer's work: rows of the journal are numbered, hashed into the tree, and what stands then is signed.

Two sealers do no harm: the head is compared and set, and the one that comes second prepares anew.
"""

from contextlib import suppress
from functools import partial

from msgspec import Struct

from acmx.domain.moments import to_ms
from acmx.domain.partnership import PublishedKey
from acmx.domain.records import SignedCheckpoint
from acmx.flows.carry_out import StaleError
from acmx.flows.house import House
from acmx.storage import seals
from acmx.storage.engine import Store, Tx
from acmx.storage.partnership import held_metadata
from acmx.storage.seals import Head, Kept, Row
from acmx.trust.own import Own
from acmx.trust.pinned import pinned
from acmx.trust.sealing import line, sign_checkpoint
from acmx.trust.signatures import kid_of
from acmx.trust.tree import BLOCK, Tree, leaf

AT_ONCE = 256
KEEP_AFTER_ROWS = 10_000


class Plan(Struct, frozen=True):
    """`rows` are (serial, number, hash), `blocks` (number, hash)."""

    old: Head
    new: Head
    rows: list[tuple[int, int, bytes]]
    blocks: list[tuple[int, bytes]]
    checkpoint: Kept
    own: Own


async def seal(house: House, store: Store, own: Own) -> None:
    """Until no row is unsealed."""
    while plan := await store.read(partial(prepare, house, own)):
        with suppress(StaleError):
            await store.write(partial(apply, plan=plan))


def prepare(house: House, own: Own, tx: Tx) -> Plan | None:
    """None where every row is sealed."""
    head = seals.head(tx)
    found = seals.after(tx, head.serial, AT_ONCE)
    if not found:
        return None
    tree = Tree(head.size, head.split)
    sealed, blocks = [], []
    for row in found:
        hash_ = leaf(line_of(row, tree.size + 1))
        block = tree.append(hash_)
        sealed.append((row.serial, tree.size, hash_))
        if block is not None:
            blocks.append((tree.size // BLOCK - 1, block))
    at = to_ms(house.clock())
    signed = sign_checkpoint(own, tree.size, tree.root, at)
    last = seals.last_checkpoint(tx, kept=True)
    every = int(house.checkpoint_every.total_seconds() * 1000)
    kept = last is None or at >= last.at + every or tree.size >= last.size + KEEP_AFTER_ROWS
    checkpoint = Kept(tree.size, at, signed.checkpoint, signed.signature, kept)
    return Plan(
        head, Head(tree.size, found[-1].serial, b"".join(tree.peaks)), sealed, blocks, checkpoint, own
    )


def apply(tx: Tx, plan: Plan) -> None:
    """Raises StaleError where another sealer was there first."""
    if not seals.advance(tx, plan.old, plan.new):
        raise StaleError
    for serial, number, hash_ in plan.rows:
        if not seals.seal(tx, serial, number, hash_):
            raise StaleError
    for number, hash_ in plan.blocks:
        seals.put_block(tx, number, hash_)
    seals.put_checkpoint(tx, plan.checkpoint)
    own = plan.own
    held_metadata.keep(tx, own.system, own.metadata_digest, own.metadata)


def line_of(row: Row, number: int | None) -> bytes:
    return line(number, row.at, row.event, row.actor, row.primary_system, row.id, row.detail)


def signed(tx: Tx, system: str, kept: Kept) -> SignedCheckpoint:
    """A stored checkpoint with the key that made it."""
    kid = kid_of(kept.signature)
    for metadata in held_metadata.of(tx, system):
        for key in pinned(metadata).metadata.keys:
            if key.kid == kid:
                return SignedCheckpoint(kept.body, kept.signature, PublishedKey(key.kid, key.x))
    raise LookupError(kid)
