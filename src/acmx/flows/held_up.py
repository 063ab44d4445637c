"""What a message in the outbox waits for: its own next attempt, and the link to its partner."""

import msgspec

from acmx.storage.outbox import Queued
from acmx.storage.partners import Partner


def held_up(queued: Queued, partner: Partner | None) -> Queued:
    """The message with the partner's back-off, and the error of the link where that is down."""
    back_off = (partner and partner.next_attempt_at) or 0
    return msgspec.structs.replace(
        queued,
        next_attempt_at=max(queued.next_attempt_at, back_off),
        last_error=(partner and partner.last_error) or queued.last_error,
    )
