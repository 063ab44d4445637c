"""What two systems tell each other of the exchanges they have in common (docs/protocol/comparison.md)."""

from typing import Annotated

from msgspec import Meta, Struct, field

from acmx.domain import meanings
from acmx.domain.exchange import Role
from acmx.domain.messages import Moment, Short

UUID7 = "^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"


class Standing(Struct, frozen=True):
    """A stored message: whose it is within the exchange, its number, type and digest."""

    sender: Annotated[Role, Meta(description="whose message it is")]
    n: Annotated[int, Meta(ge=1, le=999_999, description="its number")]
    type: Annotated[str, Meta(max_length=32, description="its type; `refused` where it was refused finally")]
    digest: Annotated[str, Meta(pattern="^[0-9a-f]{64}$"), meanings.DIGEST_OF_BODY]


class Common(Struct, frozen=True):
    """An exchange as the sender of the page holds it; `role` is the sender's."""

    primary: Annotated[Short, meanings.PRIMARY]
    exchange: Annotated[str, Meta(pattern=UUID7), Meta(description="UUID of version 7 in lower case")]
    role: Annotated[Role, Meta(description="role of the system that says this")]
    state: Annotated[str, Meta(max_length=32, description="its state there (docs/protocol/rules.md#states)")]
    messages: Annotated[
        tuple[Standing, ...],
        Meta(
            description="every message of both sides that is stored there, without those that were never sent"
        ),
    ]

    @property
    def key(self) -> tuple[str, str]:
        return self.primary, self.exchange


class ExchangesPage(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="exchanges"):
    """Exchanges by key (primary, exchange)."""

    version: Annotated[str, meanings.VERSION]
    sender: Annotated[Short, Meta(description="MC system ID of the system that says this")] = field(
        name="from"
    )
    receiver: Annotated[Short, Meta(description="MC system ID of the system that asked")] = field(name="to")
    created_at: Annotated[Moment, Meta(description="when this was said")]
    items: Annotated[
        tuple[Common, ...],
        Meta(description="the exchanges in the order of (primary, exchange), compared as text"),
    ]
    next: Annotated[Short | None, Meta(description="the `after` of the next page; absent on the last")] = None


def key_of(after: str) -> tuple[str, str]:
    """The key that a `next` or an `after` names; an empty one comes before all."""
    primary, _, id_ = after.partition("/")
    return primary, id_
