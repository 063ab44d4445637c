"""Points in time: aware UTC datetimes of whole milliseconds; stored as milliseconds since 1970."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_END = datetime(9999, 1, 1, tzinfo=UTC)
BOUNDS = "must be from 1970 to 9998"
"""What `is_bounded` wants, in words."""
TOLERANCE = timedelta(minutes=5)
"""How far a clock may be from another one before one of the two is in doubt."""


def to_ms(moment: datetime) -> int:
    return (moment - _EPOCH) // _MILLISECOND


def from_ms(milliseconds: int) -> datetime:
    """What lies beyond the calendar is shown as its first or last moment."""
    return _EPOCH + min(max(milliseconds, _FIRST_MS), _LAST_MS) * _MILLISECOND


def is_bounded(moment: datetime) -> bool:
    """Whether an aware point in time can be told in every offset, and is one that people mean."""
    return _EPOCH <= moment < _END


def read(words: str) -> datetime:
    """ISO 8601 with an offset. Raises ValueError."""
    moment = datetime.fromisoformat(words)
    if moment.tzinfo is None:
        raise ValueError("must be a time with an offset")
    if not is_bounded(moment):
        raise ValueError(BOUNDS)
    return moment


_FIRST_MS, _LAST_MS = to_ms(datetime.min.replace(tzinfo=UTC)), to_ms(datetime.max.replace(tzinfo=UTC))


def whole(moment: datetime) -> datetime:
    """The same moment in UTC, cut to whole milliseconds."""
    return from_ms(to_ms(moment))


def text(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
