"""Which events are told to whom by which channel, as the configuration has it since the server started."""

from collections.abc import Iterable

import msgspec

from acmx.domain.exchange import Audience
from acmx.storage import rows
from acmx.storage.engine import Tx


class Subscription(msgspec.Struct, frozen=True):
    """`recipient` None stands for the person meant, at the own address; `bundle_ms`: how long it may be held back."""

    audience: Audience
    event: str
    channel: str
    recipient: str | None
    bundle_ms: int


_INSERT = rows.insert("subscription", Subscription)
_SELECT = f"SELECT {rows.columns(Subscription)} FROM subscription"  # noqa: S608


def replace(tx: Tx, subscriptions: Iterable[Subscription]) -> None:
    tx.execute("DELETE FROM subscription")
    for subscription in subscriptions:
        tx.execute(_INSERT, rows.params(subscription))


def to(tx: Tx, audience: Audience, event: str) -> list[Subscription]:
    return rows.many(
        Subscription,
        tx.rows(
            f"{_SELECT} WHERE audience = :audience AND event = :event", {"audience": audience, "event": event}
        ),
    )
