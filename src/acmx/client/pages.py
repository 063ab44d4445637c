"""Every page of a list, one after the other."""

from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar


class Paged(Protocol):
    """A page; `next` is the `after` of the next one, None on the last."""

    @property
    def next(self) -> str | None: ...


P = TypeVar("P", bound=Paged)


def pages(page: Callable[[str | None], P]) -> Iterator[P]:
    """The pages that `page(after)` fetches, the first with None."""
    after: str | None = None
    while True:
        fetched = page(after)
        yield fetched
        if fetched.next is None:
            return
        after = fetched.next
