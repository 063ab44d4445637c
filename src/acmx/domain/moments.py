"""Points in time: aware UTC datetimes of whole milliseconds; stored as milliseconds since 1970."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
TOLERANCE = timedelta(minutes=5)
"""How far a clock may be from another one before one of the two is in doubt."""


def to_ms(moment: datetime) -> int:
    return (moment - _EPOCH) // _MILLISECOND


def from_ms(milliseconds: int) -> datetime:
    return _EPOCH + milliseconds * _MILLISECOND


def whole(moment: datetime) -> datetime:
    """The same moment in UTC, cut to whole milliseconds."""
    return from_ms(to_ms(moment))


def text(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
