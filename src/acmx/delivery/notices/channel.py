"""A way to tell people who are not looking. What is told is never more than which exchange, which event and when."""

from typing import Protocol

from acmx.storage.deliveries import Parcel


class Channel(Protocol):
    """One target with a back-off of its own: the mail server, or the receiver of one webhook."""

    name: str
    most: int
    """How many tellings go into one parcel."""

    async def reach(self) -> str:
        """Go to the target and tell it nothing; where and how that was, in plain words. Raises TargetDown."""
        ...

    async def deliver(self, parcel: Parcel) -> None:
        """Returns once the target has taken the parcel. Raises TargetDown, NotTaken, NeverTaken."""


class TargetDown(Exception):
    """The target did not take anything: everything for it waits."""


class NotTaken(Exception):
    """The target did not take this parcel now: it alone is tried again later."""


class NeverTaken(Exception):
    """The target will never take this parcel."""
