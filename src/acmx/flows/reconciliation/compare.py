"""Comparing one exchange with what the partner says of it: what is to be fetched, sent again, or ended.

A pure decision over their page and our rows; `put_back` carries it out, `delivery/comparison.py` talks to the
partner. Why it is as it is: docs/decisions/0009-reconciliation.md.
"""

from collections.abc import Collection

from msgspec import Struct

from acmx.domain.comparison import Common, Standing
from acmx.domain.errors import WrongPartner
from acmx.domain.exchange import UNANSWERED, State
from acmx.storage import journal
from acmx.storage.engine import Tx
from acmx.storage.exchange import contradictions, exchanges, messages, outbox
from acmx.storage.exchange.exchanges import Exchange
from acmx.storage.exchange.messages import Place

SENT_WHILE: dict[str, Collection[State]] = {
    "request": UNANSWERED,
    "withdrawal": (State.WITHDRAWING, State.WITHDRAWN),
    "question": (State.MORE_INFORMATION,),
    "answer": UNANSWERED,
    "response": (State.DECIDED, State.DELIVERED),
    "update": (State.DELIVERED,),
    "revocation": (State.DELIVERED,),
}
"""In which states a message of ours that the partner lacks is sent again; in others it has no effect any more."""


UNRELEASED = (State.AWAITING_RELEASE, State.REFUSED_HERE)
"""What never left, as far as we remember; if the partner holds the request, it was released before a restore."""


class Difference(Struct, frozen=True):
    """What to do about one exchange.

    `fetch`: what they hold and we do not, or otherwise; `again`: numbers of our messages that they lack; `sent`:
    numbers of ours that they hold though we never sent them, as far as we remember; `withdrawn`: they hold the
    exchange for withdrawn and have no answer, and no message will tell us any more.
    """

    primary: str
    id: str
    peer: str
    fetch: tuple[Standing, ...] = ()
    again: tuple[int, ...] = ()
    sent: tuple[int, ...] = ()
    withdrawn: bool = False
    peer_withdrew: bool = False

    @property
    def any(self) -> bool:
        return bool(self.fetch or self.again or self.sent or self.withdrawn)

    def sender_of(self, standing: Standing, system: str) -> str:
        """The MC system ID of the sender of one of their messages; `system` is our own."""
        other = self.peer if self.primary == system else system
        return self.primary if standing.sender == "primary" else other


def listed(tx: Tx, system: str, peer: str, theirs: Common, began: int) -> Difference:
    """Raises WrongPartner where the exchange is not between these two systems."""
    primary, id_ = theirs.key
    exchange = exchanges.find(tx, primary, id_)
    if primary not in (system, peer) or (exchange is not None and exchange.partner != peer):
        raise WrongPartner(f"{primary}/{id_} is not between {system} and {peer}")
    if (theirs.role == "primary") is not (primary == peer):
        raise WrongPartner(f"{peer} is not the {theirs.role} of {primary}/{id_}")
    return _difference(tx, system, peer, exchange, theirs, began)


def unlisted(tx: Tx, system: str, exchange: Exchange, began: int) -> Difference:
    """The partner does not name the exchange."""
    role = "partner" if exchange.role == "primary" else "primary"
    nothing = Common(exchange.primary_system, exchange.id, role, "", ())  # type: ignore[arg-type]
    return _difference(tx, system, exchange.partner, exchange, nothing, began)


def _difference(
    tx: Tx, system: str, peer: str, exchange: Exchange | None, theirs: Common, began: int
) -> Difference:
    key = primary, id_ = theirs.key
    found = Difference(primary, id_, peer)
    places = messages.places(tx, *key, system, peer)
    known = {(p.sender, p.n, p.digest) for p in places} | contradictions.digests(tx, *key)
    there = {(found.sender_of(s, system), s.n): s for s in theirs.messages}
    fetch = tuple(s for (sender, n), s in there.items() if (sender, n, s.digest) not in known)
    ours = [p for p in places if p.sender == system]
    unsent = exchange is not None and exchange.state in UNRELEASED
    sent = tuple(
        p.n
        for p in ours
        if (p.waiting or unsent) and (s := there.get((system, p.n))) and s.digest == p.digest
    )
    lacking = [p for p in ours if (system, p.n) not in there]
    answered = any(s.type == "response" for s in theirs.messages)
    peer_withdrew = theirs.role == "primary" and theirs.state == State.WITHDRAWN
    return Difference(
        primary,
        id_,
        peer,
        fetch,
        _again(tx, exchange, lacking, began) if exchange and not peer_withdrew else (),
        sent,
        theirs.state == State.WITHDRAWN
        and not answered
        and exchange is not None
        and waits_in_vain(tx, exchange),
        peer_withdrew,
    )


def waits_in_vain(tx: Tx, exchange: Exchange) -> bool:
    """Where the other side holds the exchange for withdrawn: a decision, or a withdrawal that had its receipt."""
    queued = outbox.of_exchange(tx, exchange.primary_system, exchange.id)
    asking = any(q.type == "withdrawal" for q in queued)
    return exchange.state is State.DECIDED or (exchange.state is State.WITHDRAWING and not asking)


def _again(tx: Tx, exchange: Exchange, lacking: list[Place], began: int) -> tuple[int, ...]:
    """What happened while the two were comparing says nothing: it may be on its way."""
    wanted = [p.n for p in lacking if exchange.state in SENT_WHILE.get(p.type, ())]
    key = exchange.primary_system, exchange.id
    if not wanted or journal.last_at(tx, *key) >= began:
        return ()
    queued = {q.n for q in outbox.of_exchange(tx, *key)}
    return tuple(n for n in wanted if n not in queued)
