"""Every message that arrives, before its own flow: replay, place, order, version, sender (laws 2 and 3)."""

import re
from typing import Any

from msgspec import Struct

from acmx.domain.documents import convert, known_part, parse
from acmx.domain.errors import (
    InvalidMessage,
    NotEstablished,
    OutOfOrder,
    PlaceTaken,
    UnsupportedVersion,
    WrongPartner,
)
from acmx.domain.faults import Fault
from acmx.domain.messages import VERSION, AnyMessage, Question, Response, Revocation, Update
from acmx.flows.house import House
from acmx.storage.engine import Tx
from acmx.storage.exchange import messages
from acmx.storage.exchange.messages import Stored
from acmx.storage.partnership import partners

VERSIONS = re.compile(r"[0-9]{1,6}\.[0-9]{1,6}")


class Arrived(Struct, frozen=True):
    """A message whose certificate and signature have been checked; `peer` is the partner that sent it."""

    peer: str
    primary: str
    id: str
    n: int
    body: bytes
    digest: str
    signature: str


def admit(tx: Tx, arrived: Arrived) -> None:
    """Raises NotEstablished unless both systems have accepted the partnership, and neither has suspended it."""
    partner = partners.find(tx, arrived.peer)
    if partner is None or not partner.established:
        raise NotEstablished


def held(tx: Tx, arrived: Arrived) -> Stored | None:
    """The same message as it was taken before. Raises PlaceTaken where another one stands at this place."""
    there = messages.at(tx, arrived.primary, arrived.id, arrived.peer, arrived.n)
    if there is not None and there.digest != arrived.digest:
        raise PlaceTaken(held=there.digest)
    return there


def decode(house: House, arrived: Arrived) -> AnyMessage:
    """The message. Raises WrongPartner, InvalidMessage and UnsupportedVersion."""
    if arrived.primary not in (house.system, arrived.peer):
        raise WrongPartner(
            f"an exchange of {arrived.primary} is not between {arrived.peer} and {house.system}"
        )
    document = parse(arrived.body, InvalidMessage)
    message: AnyMessage = convert(_spoken_here(document), AnyMessage, InvalidMessage)  # type: ignore[arg-type]
    expected: tuple[tuple[str, object, object], ...] = (
        ("exchange", message.exchange, arrived.id),
        ("n", message.n, arrived.n),
        ("from", message.sender, arrived.peer),
        ("to", message.receiver, house.system),
    )
    if faults := [Fault(field, str(is_), f"must be {must}") for field, is_, must in expected if is_ != must]:
        raise InvalidMessage(faults)
    if isinstance(message, Response | Question | Update | Revocation) is (arrived.primary == arrived.peer):
        raise InvalidMessage([Fault("type", type(message).__name__.lower(), "is not this side's to send")])
    unknown = set(message.critical) - {"type", *message.__struct_encode_fields__}
    if faults := [Fault("critical", name, "is not understood here") for name in sorted(unknown)]:
        raise InvalidMessage(faults)
    return message


def _spoken_here(document: dict[str, Any]) -> dict[str, Any]:
    version = document.get("version")
    if not (isinstance(version, str) and VERSIONS.fullmatch(version)):
        raise InvalidMessage([Fault("version", str(version)[:50], "must be like 1.0")])
    major, _, minor = version.partition(".")
    ours, _, our_minor = VERSION.partition(".")
    if major != ours:
        raise UnsupportedVersion(f"{version} is not spoken here, {VERSION} is")
    if int(minor) > int(our_minor):
        return known_part(document, AnyMessage)
    return document


def in_order(tx: Tx, arrived: Arrived) -> None:
    """Raises OutOfOrder where the message before this one was neither taken nor finally refused."""
    before = arrived.n - 1
    if before and messages.at(tx, arrived.primary, arrived.id, arrived.peer, before) is None:
        raise OutOfOrder(f"message {before} of {arrived.peer} comes first")
