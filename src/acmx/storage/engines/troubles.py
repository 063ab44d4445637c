"""What the troubles of an engine mean to whoever asked for something."""

from collections.abc import Mapping
from typing import Final

from acmx.domain.errors import TemporarilyUnavailable

DAMAGED: Final = "The database is damaged: see acmx doctor, and restore a backup."
NOT_CONFIRMED: Final = (
    "It is written, but the synchronous standby has not confirmed it: a failover may lose it."
)
Reasons = Mapping[type[Exception], str]
"""Why the store cannot be used, by the error of the engine's library; the first that fits."""


def in_plain_words(error: Exception, reasons: Reasons) -> Exception:
    """TemporarilyUnavailable where there is a reason, every other error as it is."""
    reason = next((reason for kind, reason in reasons.items() if isinstance(error, kind)), None)
    if reason is None:
        return error
    unavailable = TemporarilyUnavailable(reason)
    unavailable.__cause__ = error
    return unavailable
