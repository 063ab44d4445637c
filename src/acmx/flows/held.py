"""What this system holds to give away: the current server identity information."""

import msgspec

from acmx.domain.server_identity import ServerIdentity
from acmx.kinds.catalogue import Held
from acmx.storage import catalogues
from acmx.storage.engine import Tx


def current_catalogue(tx: Tx) -> Held | None:
    stored = catalogues.current(tx)
    if stored is None:
        return None
    identity = msgspec.json.decode(stored.body, type=ServerIdentity)
    return Held(stored.version, identity, tuple(filter(None, stored.missing.split(","))))
