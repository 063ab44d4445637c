"""The sealed journal, the evidence of an exchange, and the end of retention."""

from datetime import datetime

from acmx.domain import moments
from acmx.domain.acm1 import Acknowledged
from acmx.domain.errors import FaultyInput
from acmx.domain.faults import Fault
from acmx.domain.records import Checkpoints, EvidenceFile, Purged, SealedRows, SignedCheckpoint
from acmx.faces.acm1.calls import Call
from acmx.flows.evidence import acknowledge_fork, audit, evidence, purge, seal


async def get_rows(call: Call) -> SealedRows:
    """Export the journal as it is sealed, oldest first."""
    after, limit, since = call.after() or 0, call.limit(), _since(call)
    if not after:
        await call.write(lambda tx: audit.note_export(call.desk.house, tx, call.caller))
    return await call.read(lambda tx: audit.rows(tx, after=after, limit=limit, since=since))


async def get_checkpoints(call: Call) -> Checkpoints:
    """List the stored checkpoints of the journal, the smallest first."""
    after, limit, system = call.after() or 0, call.limit(), call.desk.house.system
    return await call.read(lambda tx: audit.checkpoints(tx, system, after=after, limit=limit))


async def get_checkpoint(call: Call) -> SignedCheckpoint:
    """Seal the journal, and give its newest checkpoint."""
    await _seal(call)
    return await call.read(lambda tx: audit.last_checkpoint(tx, call.desk.house.system))


async def post_acknowledgement(call: Call) -> Acknowledged:
    """Say why the journal forked."""
    return await call.write(lambda tx: acknowledge_fork.apply(call.desk.house, tx, call.caller, call.given))


async def post_evidence(call: Call) -> EvidenceFile:
    """Make the evidence of one exchange; it is journalled who took it."""
    house, own, caller, name = call.desk.house, call.desk.own, call.caller, call.named("id")
    await call.write(lambda tx: evidence.note(house, tx, caller, name))
    await _seal(call)
    return await call.read(lambda tx: evidence.make(house, tx, own, caller, name))


async def post_purge(call: Call) -> Purged:
    """Remove what has reached the end of its retention, or only count it."""
    house = call.desk.house
    if call.given.dry_run:
        return await call.read(lambda tx: purge.look(house, tx))
    return await call.write(lambda tx: purge.apply(house, tx, call.caller))


async def _seal(call: Call) -> None:
    await seal.seal(call.desk.house, call.desk.store, call.desk.own)


def _since(call: Call) -> datetime | None:
    value = call.request.query_params.get("since")
    if value is None:
        return None
    try:
        return moments.read(value)
    except ValueError:
        raise FaultyInput([Fault("since", value[:50], "must be a time with an offset")]) from None
