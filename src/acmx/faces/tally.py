"""What strangers send that is no request: one line of the log for a reason, an address and a minute, with a count."""

import asyncio

import structlog

_MINUTE = 60.0
_MOST = 1024
OTHERS = "others"
"""Where more than so many addresses come within a minute, the rest of them."""
log = structlog.get_logger()


class Tally:
    """The first of a minute is told at once, the others together when the minute is over."""

    def __init__(self) -> None:
        self._more: dict[tuple[str, str], int] = {}

    def note(self, reason: str, address: str) -> None:
        if (reason, address) not in self._more and len(self._more) >= _MOST:
            address = OTHERS
        if (reason, address) in self._more:
            self._more[reason, address] += 1
        else:
            self._tell(reason, address, 1)

    def _tell(self, reason: str, address: str, count: int) -> None:
        log.warning("no HTTP request", reason=reason, address=address, count=count)
        self._more[reason, address] = 0
        asyncio.get_running_loop().call_later(_MINUTE, self._minute_over, reason, address)

    def _minute_over(self, reason: str, address: str) -> None:
        if count := self._more.pop((reason, address)):
            self._tell(reason, address, count)
