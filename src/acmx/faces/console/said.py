"""What an error says, taken apart: its title is on top, and faults are listed."""

from acmx.domain.errors import AcmxError, FaultyInput
from acmx.domain.faults import Fault

SHOWN_FAULTS = 100
_UNSHOWN = frozenset({"faults", "faults_total", "instance"})


def detail_of(error: AcmxError) -> str:
    """What it says besides title and faults."""
    faults = error.faults if isinstance(error, FaultyInput) else []
    return "" if error.detail == "; ".join(map(str, faults[:3])) else error.detail


def members_of(error: AcmxError) -> dict[str, str | int]:
    """Whatever else it carries that people can read."""
    return {
        name: value
        for name, value in error.members.items()
        if name not in _UNSHOWN and isinstance(value, str | int)
    }


def faults_of(error: AcmxError) -> list[Fault]:
    return error.faults[:SHOWN_FAULTS] if isinstance(error, FaultyInput) else []
