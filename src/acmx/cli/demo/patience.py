"""Waiting for what another process does."""

import time
from collections.abc import Callable
from typing import TypeVar

from acmx.domain.errors import NotYet

T = TypeVar("T")
PATIENCE = 20.0
LOOK_AGAIN = 0.02


def eventually(look: Callable[[], T | None], what: str) -> T:
    """What `look` gives once it gives something. Raises NotYet after 20 s."""
    ends = time.monotonic() + PATIENCE
    while not (found := look()):
        if time.monotonic() > ends:
            raise NotYet(f"waited in vain for {what}")
        time.sleep(LOOK_AGAIN)
    return found
