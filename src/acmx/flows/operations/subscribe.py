"""A server that starts says anew who is told what; what waits for a channel that is gone is dropped."""

from collections.abc import Iterable

from acmx.storage import deliveries, subscriptions
from acmx.storage.engine import Tx
from acmx.storage.subscriptions import Subscription


def apply(tx: Tx, subscribed: Iterable[Subscription], channels: Iterable[str]) -> None:
    subscriptions.replace(tx, subscribed)
    deliveries.drop_other_channels(tx, channels, "the channel is no longer configured")
