"""Points in time as people write them on the command line: ISO 8601; without an offset, where this machine is."""

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Annotated

from cyclopts import Parameter, Token

from acmx.domain.moments import BOUNDS, is_bounded

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_FORM = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:.*")


def moment(words: str, *, ends: bool = False) -> datetime:
    """A date alone is the beginning of that day, or its end. Raises ValueError."""
    try:
        if _DAY.fullmatch(words):
            found = _at_midnight(date.fromisoformat(words) + timedelta(days=ends))
        elif _FORM.fullmatch(words):
            given = datetime.fromisoformat(words)
            found = given.astimezone() if given.tzinfo else _here(given)
        else:
            raise ValueError(words)
    except _TwiceError as error:
        raise ValueError(f"{words!r} {error}") from None
    except OverflowError:
        raise ValueError(f"{words!r} {BOUNDS}") from None
    except ValueError:
        raise ValueError(f"{words!r} is no time, such as 2027-03-31 or 2027-03-31T18:00+01:00") from None
    if not is_bounded(found):
        raise ValueError(f"{words!r} {BOUNDS}")
    return found


class _TwiceError(Exception):
    """The hour is left out here, or comes twice, as clocks change."""


def _at_midnight(day: date) -> datetime:
    """Where clocks change at midnight, the first moment of the day."""
    return datetime.combine(day, time()).astimezone()


def _here(given: datetime) -> datetime:
    first, second = (given.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    if first == second:
        return first.astimezone()
    if first.astimezone().replace(tzinfo=None) != given:
        raise _TwiceError("does not exist here: the clocks go forward then; write the offset")
    raise _TwiceError("comes twice here: the clocks go back then; write the offset")


def _read(_kind: type[datetime], tokens: tuple[Token, ...], *, ends: bool) -> datetime:
    return moment(tokens[0].value, ends=ends)


Beginning = Annotated[
    datetime | None, Parameter(converter=partial(_read, ends=False), metavar="TIME", n_tokens=1)
]
"""A date alone is the beginning of that day."""
End = Annotated[datetime | None, Parameter(converter=partial(_read, ends=True), metavar="TIME", n_tokens=1)]
"""A date alone is the end of that day."""
