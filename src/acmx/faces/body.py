"""Reading a request body: never more than 8 MiB of it, and of all that one caller sends only so much at a time."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import ClientDisconnect, Request

from acmx.domain.errors import FaultyInput, TooLarge, TooMuchAtOnce

LIMIT = 8 * 1024 * 1024
MIB = 1024 * 1024


class Bodies:
    """Bytes of bodies that arrive or are being answered: at most `in_all`, and `of_one` of each caller."""

    def __init__(self, of_one: int, in_all: int) -> None:
        self._of_one, self._in_all = of_one, in_all
        self._held: Counter[str] = Counter()

    @asynccontextmanager
    async def of(self, whose: str, request: Request, limit: int = LIMIT) -> AsyncIterator[bytes]:
        """The body, counted until it is answered.

        Raises TooLarge, before anything is read where the length is declared; TooMuchAtOnce; FaultyInput where the
        client left.
        """
        declared = request.headers.get("content-length", "0")
        if not declared.isdecimal() or int(declared) > limit:
            raise TooLarge
        parts: list[bytes] = []
        size = 0
        try:
            async for part in request.stream():
                size += len(part)
                self._held[whose] += len(part)
                if size > limit:
                    raise TooLarge
                if self._held[whose] > self._of_one or self._held.total() > self._in_all:
                    raise TooMuchAtOnce(retry_after=5)
                parts.append(part)
            body = b"".join(parts)
            parts.clear()
            yield body
        except ClientDisconnect:
            raise FaultyInput([], "the body did not arrive whole") from None
        finally:
            self._held[whose] -= size
            if not self._held[whose]:
                del self._held[whose]


def of_known() -> Bodies:
    """For callers whom we know, an account or a partner: four whole bodies of each, sixteen in all."""
    return Bodies(32 * MIB, 128 * MIB)


def of_strangers() -> Bodies:
    """For whoever logs on, by network."""
    return Bodies(MIB, 16 * MIB)
