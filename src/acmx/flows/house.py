"""What every flow knows of the MC system it serves."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from uuid_utils import uuid7

from acmx.domain.acm1 import Service
from acmx.domain.identities import Realms
from acmx.domain.moments import Clock
from acmx.provisioning.names import PROFILES, Profile

DELIVERY_AFTER_END = timedelta(days=90)


def mint_id() -> str:
    return str(uuid7())


@dataclass(frozen=True)
class House:
    """This MC system: its id, its users' realms, its clock, how long a request may wait, when
    people are reminded of it (before its end) or somebody else is told (after its arrival), how often a checkpoint
    of the journal is kept, how long bodies are kept after the end, the user profiles of the MC services whose users are
    provisioned, whether there is a CMS to put them on, and whether the clock shows no sign of being wrong."""

    system: str
    realms: Realms
    clock: Clock
    expiry: timedelta = timedelta(days=30)
    longest_expiry: timedelta = timedelta(days=366)
    remind_before: tuple[timedelta, ...] = (timedelta(hours=72), timedelta(hours=24))
    escalate_after: timedelta | None = None
    checkpoint_every: timedelta = timedelta(hours=1)
    retention: timedelta = timedelta(days=730)
    profiles: Mapping[Service, Profile] = field(default_factory=lambda: PROFILES)
    has_cms: bool = False
    mint: Callable[[], str] = mint_id
    sure_of_clock: Callable[[], bool] = lambda: True
