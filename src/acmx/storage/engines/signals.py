"""Signals as they are kept for the other processes on the same database: JSON, a list."""

from collections.abc import Hashable, Iterable

import msgspec

from acmx.storage.accounts import Unlocked
from acmx.storage.clock_holds import ClockRight
from acmx.storage.deliveries import ToTell
from acmx.storage.engine import Missed
from acmx.storage.exchange.outbox import Outgoing
from acmx.storage.journal import Journalled
from acmx.storage.notices import Notice
from acmx.storage.partnership.partners import PartnerChanged
from acmx.storage.policies import PolicyChanged
from acmx.storage.provisionings import JobChanged

Signal = (
    ClockRight
    | Journalled
    | JobChanged
    | Notice
    | Outgoing
    | PartnerChanged
    | PolicyChanged
    | ToTell
    | Unlocked
)

_decoder = msgspec.json.Decoder(list[Signal])


def encode(signals: Iterable[Hashable]) -> str:
    """What was journalled is of no interest to the others."""
    told = {Journalled() if isinstance(signal, Journalled) else signal for signal in signals}
    return msgspec.json.encode(list(told)).decode()


def decode(kept: str) -> frozenset[Hashable]:
    """What a newer acmx says may not be understood: then everything is looked at."""
    try:
        return frozenset(_decoder.decode(kept))
    except msgspec.ValidationError:
        return frozenset({Missed()})
