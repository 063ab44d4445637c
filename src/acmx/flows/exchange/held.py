"""What this system holds to give away: the current server identity information."""

import msgspec

from acmx.domain.moments import to_ms
from acmx.domain.server_identity import ServerIdentity
from acmx.flows.exchange.grant import Standing
from acmx.kinds import GIVING
from acmx.kinds.catalogue import Held, version_of
from acmx.storage import holdings
from acmx.storage.engine import Tx
from acmx.storage.exchange.exchanges import Exchange


def current_catalogue(tx: Tx) -> Held | None:
    stored = holdings.current(tx)
    if stored is None:
        return None
    identity = msgspec.json.decode(stored.body, type=ServerIdentity)
    return Held(stored.version, identity, tuple(filter(None, stored.missing.split(","))))


def version_to_give(tx: Tx, exchange: Exchange) -> int:
    """The version of it that an approval here would give away; 0 where it would give nothing."""
    if exchange.role == "primary" or exchange.kind in GIVING:
        return 0
    return holdings.current_version(tx)


def version_told(tx: Tx, stands: Standing) -> int | None:
    """The version of it that the last message states; None where none is given.

    Where that number is not below ours, but ours was entered after the message, it was given twice, as a restore had
    lost it: then the one before ours, so that ours is told.
    """
    stated, ours = version_of(stands.content), holdings.current(tx)
    if stated is None or ours is None or stated < ours.version:
        return stated
    said_at = to_ms(stands.updated_at or stands.response.created_at)
    return ours.version - 1 if ours.entered_at >= said_at else stated
