"""A partner asks what this system holds of their common exchanges, and for stored messages byte for byte."""

from acmx.domain.comparison import Common, ExchangesPage, Standing, key_of
from acmx.domain.documents import encode
from acmx.domain.errors import NotEstablished, UnknownExchange
from acmx.domain.exchange import Role, State
from acmx.domain.messages import VERSION
from acmx.flows.house import House
from acmx.storage.engine import Tx
from acmx.storage.exchange import compared, exchanges, messages
from acmx.storage.exchange.exchanges import Exchange
from acmx.storage.exchange.messages import Stored
from acmx.storage.partnership import partners

PAGE = 200
NEVER_TOLD = (State.AWAITING_RELEASE, State.REFUSED_HERE, State.REFUSED_BY_PARTNER)


def page(house: House, tx: Tx, peer: str, *, since: int, after: str = "", limit: int = PAGE) -> bytes:
    """A page of what is open, has a live grant, or ended after `since` (milliseconds). Raises NotEstablished."""
    _admit(tx, peer)
    found = compared.page(tx, peer, since=since, after=key_of(after), upto=None, limit=limit + 1)
    told = (_common(tx, house.system, exchange) for exchange in found[:limit])
    last = found[limit - 1] if len(found) > limit else None
    return encode(
        ExchangesPage(
            version=VERSION,
            sender=house.system,
            receiver=peer,
            created_at=house.clock(),
            items=tuple(common for common in told if common.messages),
            next=f"{last.primary_system}/{last.id}" if last else None,
        )
    )


def message(house: House, tx: Tx, peer: str, *, primary: str, id_: str, sender: Role, n: int) -> Stored:
    """A message of an exchange with `peer`. Raises NotEstablished, UnknownExchange."""
    _admit(tx, peer)
    exchange = exchanges.find(tx, primary, id_)
    if exchange is None or exchange.partner != peer:
        raise UnknownExchange
    system = house.system if exchange.role == sender else peer
    told = {(place.sender, place.n) for place in _told(tx, house.system, exchange)}
    stored = messages.at(tx, primary, id_, system, n)
    if stored is None or (system, n) not in told:
        raise UnknownExchange("there is no such message")
    if not stored.body:
        raise UnknownExchange("its body was removed at the end of its retention")
    return stored


def _admit(tx: Tx, peer: str) -> None:
    partner = partners.find(tx, peer)
    if partner is None or not partner.established:
        raise NotEstablished


def _common(tx: Tx, system: str, exchange: Exchange) -> Common:
    other: Role = "partner" if exchange.role == "primary" else "primary"
    told = tuple(
        Standing(exchange.role if place.sender == system else other, place.n, place.type, place.digest)
        for place in _told(tx, system, exchange)
    )
    return Common(exchange.primary_system, exchange.id, exchange.role, str(exchange.state), told)


def _told(tx: Tx, system: str, exchange: Exchange) -> list[messages.Place]:
    """What never left this system is not told: it may still be taken back at once.

    Whatever this system remembers, a request to which the partner has said something was sent, and so was a question
    that it answered.
    """
    never_sent = exchange.role == "primary" and exchange.state is State.WITHDRAWN and exchange.sent_n == 1
    if never_sent or exchange.state in NEVER_TOLD:
        return []
    places = messages.places(tx, exchange.primary_system, exchange.id, system, exchange.partner)
    heard = {place.type for place in places if place.sender != system}
    sent = (
        {"request"} if exchange.role == "primary" and heard else {"question"} if "answer" in heard else set()
    )
    return [place for place in places if not place.waiting or place.type in sent]
