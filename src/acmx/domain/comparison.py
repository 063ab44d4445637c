"""What two systems tell each other of the exchanges they have in common (docs/protocol.md, section 4.4)."""

from typing import Annotated

from msgspec import Meta, Struct, field

from acmx.domain.exchange import Role
from acmx.domain.messages import Moment, Short

UUID7 = "^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"


class Standing(Struct, frozen=True):
    """A stored message: whose it is within the exchange, its number, type and digest."""

    sender: Role
    n: Annotated[int, Meta(ge=1, le=999_999)]
    type: Annotated[str, Meta(max_length=32)]
    digest: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class Common(Struct, frozen=True):
    """An exchange as the sender of the page holds it; `role` is the sender's."""

    primary: Short
    exchange: Annotated[str, Meta(pattern=UUID7)]
    role: Role
    state: Annotated[str, Meta(max_length=32)]
    messages: tuple[Standing, ...]

    @property
    def key(self) -> tuple[str, str]:
        return self.primary, self.exchange


class ExchangesPage(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="exchanges"):
    """Exchanges by key (primary, exchange); `next` is the `after` of the next page, absent on the last."""

    version: str
    sender: Short = field(name="from")
    receiver: Short = field(name="to")
    created_at: Moment
    items: tuple[Common, ...]
    next: Short | None = None


def key_of(after: str) -> tuple[str, str]:
    """The key that a `next` or an `after` names; an empty one comes before all."""
    primary, _, id_ = after.partition("/")
    return primary, id_
