"""At A: the partner gives something else now; the asker is told, and what is on the CMS may follow by itself."""

import msgspec
from msgspec import Struct

from acmx.domain.errors import Contradiction, InvalidMessage, OutOfOrder, UnknownExchange
from acmx.domain.exchange import Event, transition
from acmx.domain.messages import Update
from acmx.domain.moments import to_ms, whole
from acmx.flows.acm2 import replies
from acmx.flows.acm2.arrivals import Arrived, in_order
from acmx.flows.exchange import outgoing
from acmx.flows.exchange.change import move
from acmx.flows.exchange.grant import Standing, standing
from acmx.flows.exchange.response import GRANTED, read_request
from acmx.flows.house import House
from acmx.flows.provisioning import reprovision
from acmx.kinds import kind_named
from acmx.storage.engine import Tx
from acmx.storage.exchange import exchanges, messages
from acmx.storage.exchange.exchanges import Exchange
from acmx.storage.exchange.messages import Stored


class Plan(Struct, frozen=True):
    """The exchange as it was read, the update, and its receipt."""

    exchange: Exchange
    update: Stored
    receipt: bytes


def prepare(house: House, tx: Tx, arrived: Arrived, update: Update) -> Plan:
    """Raises InvalidMessage (final); UnknownExchange, OutOfOrder, Contradiction (sent again)."""
    exchange, stands = changed(house, tx, arrived, Event.UPDATE)
    request = messages.at(tx, arrived.primary, arrived.id, house.system, 1)
    if request is None:
        raise UnknownExchange
    asked = read_request(request)
    response = msgspec.structs.replace(stands.response, content=update.content)
    kind_named(asked.kind).validate_response(asked, response, InvalidMessage)
    now = whole(house.clock())
    receipt = replies.receipt(house, arrived, "stored", now)
    return Plan(exchange, replies.taken(arrived, "update", receipt, to_ms(now)), receipt)


def apply(tx: Tx, plan: Plan) -> bytes:
    """The receipt. Raises StaleError where the exchange has changed since it was read."""
    exchange, update = plan.exchange, plan.update
    outgoing.keep(tx, update)
    at, detail = update.stored_at, {"digest": update.digest, "n": update.n}
    received = max(exchange.received_n, update.n)
    moved = move(tx, exchange, Event.UPDATE, exchange.partner, at, detail={**detail}, received_n=received)
    if moved.grant_state == "live":
        reprovision.want(tx, moved, at)
    return plan.receipt


def changed(house: House, tx: Tx, arrived: Arrived, event: Event) -> tuple[Exchange, Standing]:
    """The exchange that the partner changes, and what stands in it.

    Raises UnknownExchange, OutOfOrder where the response is not here, Contradiction; InvalidMessage where it granted
    nothing.
    """
    exchange = exchanges.find(tx, arrived.primary, arrived.id)
    if exchange is None or exchange.partner != arrived.peer or arrived.primary != house.system:
        raise UnknownExchange
    in_order(tx, arrived)
    stands = standing(messages.of_exchange(tx, arrived.primary, arrived.id))
    if stands is None:
        raise OutOfOrder("the response comes first")
    if transition(exchange.role, exchange.state, event) is None:
        raise Contradiction(f"the exchange is {exchange.state} here")
    if stands.response.outcome not in GRANTED:
        raise InvalidMessage([], "nobody was approved")
    return exchange, stands
