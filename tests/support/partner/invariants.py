"""What must hold of the two sides of every exchange, whatever has happened."""

from collections.abc import Iterable

import msgspec

from acmx.domain.exchange import Event, State, transition
from support.partner.sides import Held, Letter

ENDED_WITHOUT_ANSWER = (State.REFUSED_HERE, State.REFUSED_BY_PARTNER, State.WITHDRAWN)
NO_WAY_BACK = {
    State.REFUSED_HERE: (),
    State.REFUSED_BY_PARTNER: (),
    State.WITHDRAWN: (),
    State.ANSWERED: (State.RETRIEVED,),
    State.RETRIEVED: (),
    State.DECIDED: (State.DELIVERED,),
    State.DELIVERED: (),
}
TOGETHER = {
    (State.STORED, State.PENDING),
    (State.OVERDUE, State.PENDING),
    (State.MORE_INFORMATION, State.MORE_INFORMATION),
    (State.OVERDUE, State.MORE_INFORMATION),
    (State.ANSWERED, State.DELIVERED),
    (State.RETRIEVED, State.DELIVERED),
    (State.WITHDRAWN, State.WITHDRAWN),
    (State.WITHDRAWN, None),
    (State.REFUSED_BY_PARTNER, None),
    (State.REFUSED_HERE, None),
    (State.AWAITING_RELEASE, None),
}


def changed_along_the_table(held: Held) -> None:
    for id_, exchange in held.exchanges.items():
        state = None
        for entry in held.journal[id_]:
            if entry.event in set(Event):
                row = transition(exchange.role, state, Event(entry.event))
                assert row is not None, (state, entry)
                assert msgspec.json.decode(entry.detail)["state"] == row.target
                state = row.target
        assert exchange.state is state


def what_falls_due_can_happen(held: Held) -> None:
    for exchange in held.exchanges.values():
        event = Event.GRANT_ENDED if exchange.grant_state == "live" else Event.EXPIRED
        assert exchange.due_at is None or transition(exchange.role, exchange.state, event), exchange


def nothing_unreleased_has_left(held: Held, sent: Iterable[Letter]) -> None:
    unreleased = {State.AWAITING_RELEASE, State.REFUSED_HERE}
    assert all(held.exchanges[letter.queued.id].state not in unreleased for letter in sent)


def nothing_is_lost(before: Held, now: Held) -> None:
    for id_, entries in before.journal.items():
        assert now.journal[id_][: len(entries)] == entries, (entries, now.journal[id_])
    for id_, stored in before.messages.items():
        bodies = {(m.sender, m.n): m.body for m in now.messages[id_]}
        assert all(bodies[m.sender, m.n] == m.body for m in stored)


def no_final_state_is_left(before: Held, now: Held) -> None:
    for id_, exchange in before.exchanges.items():
        if exchange.state in NO_WAY_BACK:
            assert now.exchanges[id_].state in (exchange.state, *NO_WAY_BACK[exchange.state])
        assert exchange.outcome in (None, now.exchanges[id_].outcome)


def there_is_one_outcome(police: Held, fire: Held) -> None:
    """Law 2: what A holds of a response is what B sent, byte for byte."""
    for id_, exchange in police.exchanges.items():
        at_fire = fire.exchanges.get(id_)
        sent = [m.body for m in fire.messages.get(id_, ()) if m.type == "response"]
        arrived = [m.body for m in police.messages[id_] if m.type == "response"]
        assert len(sent) == (at_fire is not None and at_fire.outcome is not None)
        assert arrived in ([], sent)
        assert exchange.outcome is None or (at_fire and exchange.outcome == at_fire.outcome)
        if exchange.state is State.WITHDRAWN:
            assert at_fire is None or at_fire.state is State.WITHDRAWN


def what_was_said_is_heard(police: Held, fire: Held) -> None:
    """Every question and answer that has its receipt is kept at both sides, byte for byte."""
    for id_ in police.messages.keys() & fire.messages.keys():
        for sender, receiver in ((police, fire), (fire, police)):
            there = {(m.sender, m.n): m for m in receiver.messages[id_]}
            for said in sender.messages[id_]:
                if said.type in ("question", "answer") and said.reply is not None and said.signature is None:
                    assert there[said.sender, said.n].body == said.body


def ends_of(police: Held, fire: Held) -> set[tuple[State, State | None]]:
    partners = {id_: exchange.state for id_, exchange in fire.exchanges.items()}
    return {(exchange.state, partners.get(id_)) for id_, exchange in police.exchanges.items()}
