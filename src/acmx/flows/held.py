"""What this system holds to give away: the current server identity information."""

import msgspec

from acmx.domain.server_identity import ServerIdentity
from acmx.kinds import GIVING
from acmx.kinds.catalogue import Held
from acmx.storage import catalogues
from acmx.storage.engine import Tx
from acmx.storage.exchanges import Exchange


def current_catalogue(tx: Tx) -> Held | None:
    stored = catalogues.current(tx)
    if stored is None:
        return None
    identity = msgspec.json.decode(stored.body, type=ServerIdentity)
    return Held(stored.version, identity, tuple(filter(None, stored.missing.split(","))))


def version_to_give(tx: Tx, exchange: Exchange) -> int:
    """The version of it that an approval here would give away; 0 where it would give nothing."""
    if exchange.role == "primary" or exchange.kind in GIVING:
        return 0
    return catalogues.current_version(tx)
