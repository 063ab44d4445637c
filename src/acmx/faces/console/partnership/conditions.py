"""How it stands with a partner, in one word and one colour, and what is to be done about it."""

from datetime import datetime

from msgspec import Struct

from acmx.domain.acm1 import Partner
from acmx.domain.findings import SOON_DAYS

TONES = {
    "established": "good",
    "certificate-ends": "due",
    "change": "due",
    "no-contact": "bad",
    "waits": "going",
    "ended-there": "bad",
    "suspended-there": "bad",
    "suspended-here": "bad",
    "to-compare": "due",
    "removed": "over",
}
"""Words of the table `condition` of the texts, and their colours."""
NEEDS_SOMEBODY = frozenset({"certificate-ends", "change", "no-contact", "ended-there", "to-compare"})
_HERE = {"removed": "removed", "offered": "to-compare", "suspended": "suspended-here"}
_THERE = {"removed": "ended-there", "suspended": "suspended-there", "offered": "waits"}


class Seen(Struct, frozen=True):
    """A partner with its condition, and the days until the first of its certificates ends."""

    partner: Partner
    condition: str
    days: int

    @property
    def tone(self) -> str:
        return TONES[self.condition]

    @property
    def needs_somebody(self) -> bool:
        return self.condition in NEEDS_SOMEBODY


def seen(partner: Partner, now: datetime) -> Seen:
    days = min((certificate.ends_at - now).days for certificate in partner.certificates)
    return Seen(partner, _condition(partner, days), days)


def _condition(partner: Partner, days: int) -> str:
    """What keeps the partnership from working comes first, then what keeps the link from it."""
    if not_established := _HERE.get(partner.state_here) or _THERE.get(partner.state_there):
        return not_established
    if partner.last_error:
        return "no-contact"
    if partner.change_waits:
        return "change"
    return "certificate-ends" if days < SOON_DAYS else "established"
