"""What `acmx doctor` says of the checkpoints that are shipped to a directory: whether they are of this database."""

import os
from pathlib import Path

from acmx.bootstrap.database import snapshot
from acmx.config import Config
from acmx.delivery import shipping
from acmx.domain.acm1 import Finding
from acmx.domain.findings import failed, ok, warning
from acmx.flows.evidence.fork import Roots, Shipped
from acmx.storage import lost_checkpoints
from acmx.storage.engine import Tx


def examine(directory: Path, config: Config) -> tuple[None, list[Finding]]:
    """Raises AcmxError, OSError."""
    if not config.audit.checkpoint_directory:
        return None, []
    place = directory / config.audit.checkpoint_directory
    if not (place.is_dir() and os.access(place, os.W_OK)):
        return None, [failed("checkpoints", f"cannot be written to {place}")]
    shipped, none = shipping.found(place, config.system), shipping.damaged(place)
    with snapshot(directory, config) as tx:
        lost = [one for one in Roots().lacking(tx, shipped) if not _acknowledged(tx, one)]
    if lost:
        last = f"the last one {lost[-1].file}, are of another history than the database holds"
        return None, [failed("checkpoints", f"{len(lost):,} in {place}, {last}")]
    if none:
        return None, [
            warning("checkpoints", f"no checkpoint is in {none[0]}, one of {len(none):,} in {place}")
        ]
    return None, [ok("checkpoints", f"are written to {place}")]


def _acknowledged(tx: Tx, one: Shipped) -> bool:
    known = lost_checkpoints.find(tx, one.checkpoint.size, one.checkpoint.root)
    return known is not None and known.acknowledged_at is not None
