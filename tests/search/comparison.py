"""What a comparison of both sides puts back after a restore."""

from collections.abc import Iterator

from acmx.domain.exchange import UNDECIDED, Event, Role, State
from acmx.flows.reconciliation.compare import SENT_WHILE, UNRELEASED
from search.link import FOREIGN, Link
from search.worlds import LATER, OTHER, Act, Body, Side, World, name_of, over, standing, to

E, S = Event, State

ORDER = {
    type_: rank
    for rank, types in enumerate(
        (("request",), ("question",), ("answer",), ("response",), LATER, ("withdrawal",)), 1
    )
    for type_ in types
}
"""In which order a comparison puts messages back."""


class Comparison(Link):
    """Either side fetches what the other holds."""

    def compares(self, world: World) -> Iterator[Act]:
        """Once a side was restored, or a clock is ahead, either compares at any time; one that finds nothing changes
        nothing."""
        if self.bounds.compared and (world.a.life or world.b.life or max(world.a.clock, world.b.clock) > 0):
            for role, other in OTHER.items():
                before = world.side(role)
                for refuses in (False, True) if self.bounds.refusal else (False,):
                    side = self.compared(before, world.side(other), refuses=refuses)
                    if side != before:
                        then = self.without_late(world, role) if before.due else world
                        yield Act(f"{name_of(role)}: compares", then.with_(side), link=True, compares=True)

    def without_late(self, world: World, role: Role) -> World:
        """What the restored process had under way arrives before its first comparison, or never."""
        taken = {word.body for word in world.side(OTHER[role]).got}
        letters = frozenset(b for b in world.letters if b.sender != role or b in taken)
        words = frozenset(word for word in world.words if word.body.sender == role)
        return world._replace(letters=letters, words=words)

    def compared(self, side: Side, other: Side, *, refuses: bool) -> Side:
        """`refuses`: a request that the other side names is refused finally."""
        there = self.listed(other) if self.names(other, side) else frozenset[Body]()
        known = {*self.held(side), *side.fell}
        withdrew = other.role == "primary" and other.state is S.WITHDRAWN
        places = {(body.sender, body.n) for body in there}
        answered = any(body.type == "response" for body in there)
        then, aside = side._replace(due=False, compared=side.clock), list[Body]()
        if side.state in UNRELEASED and there:
            then = self.was_released(then)
        for body in sorted(there - known, key=lambda body: _order(body, withdrew=withdrew)):
            if (
                refuses
                and side.role == "partner"
                and body.type == "request"
                and then.state is None
                and not answered
            ):
                then = self.keep(then, body, FOREIGN)
                continue
            then, displaced = self.put_back(then, body, answered=answered)
            aside += displaced
        again = {
            body.n
            for body in set(side.sent) & set(then.sent)
            if (body.sender, body.n) not in places and side.state in SENT_WHILE[body.type] and not withdrew
        }
        held_there = {body.n for body in there & set(side.sent)}
        then = then._replace(waiting=then.waiting | again, tried=then.tried | held_there)
        then, aside = self.changes_of(then, aside)
        return self.anew(self.ended(then, side, other, answered=answered), aside)

    def changes_of(self, side: Side, aside: list[Body]) -> tuple[Side, list[Body]]:
        """What changes a response that lost its place leaves its own: it is taken after that response alone."""
        responses = [[body.type for body in bodies].count("response") for bodies in (aside, side.sent)]
        changes = [body for body in side.sent if body.type in LATER] if responses == [1, 0] else []
        for change in changes:
            side = self.without(side, change)
        return side, [*aside, *changes]

    def names(self, other: Side, asks: Side) -> bool:
        """Whether the other side speaks of the exchange: it is open there, or ended after the time asked from."""
        return not over(other) or other.ended >= self.since(asks)

    def since(self, asks: Side) -> int:
        """The last comparison, unless that lies in the future."""
        return asks.compared if asks.compared <= asks.clock else -1

    def ended(self, side: Side, before: Side, other: Side, *, answered: bool) -> Side:
        """The other side holds the exchange for withdrawn, and this one is not told by any message."""
        if other.state is not S.WITHDRAWN or answered:
            return side
        asked = {body.n for body in side.sent if body.type == "withdrawal"}
        if before.state is S.DECIDED or (side.state is S.WITHDRAWING and not asked & side.waiting):
            moved = self.move(side, E.WITHDRAWAL_STANDS)
            return self.undecided(moved) if moved else side
        return side

    def undecided(self, side: Side) -> Side:
        """A response that nobody will ever take is told no more."""
        side = side._replace(waiting=frozenset(), outcome=None)
        for body in side.sent:
            if body.type == "response" or body.type in LATER:
                side = self.without(side, body)._replace(fell=side.fell | {body})
        return side

    def anew(self, side: Side, aside: list[Body]) -> Side:
        """What lost its place to an older message of its own is said under the next number, if it still matters."""
        for body in aside:
            if self.matters(side, body):
                event = E.RESTORED if body.type == "response" else self.minted(side, body)
                moved = self.move(side, event) or self.move(side, E.RESTORED)
                side = self.mint(moved, body.type, body.text) if moved else side
        return side

    def matters(self, side: Side, body: Body) -> bool:
        if body.type == "question":
            return side.state in UNDECIDED
        if body.type in LATER:
            return body.type == "update" or not standing(side)[1]
        said = {b.text for b in side.sent if b.type == body.type}
        if body.type == "answer" and (body.text in said or self.minted(side, body) is E.RESTORED):
            return False
        return side.state in SENT_WHILE[body.type] and (body.type == "answer" or not said)

    def listed(self, side: Side) -> frozenset[Body]:
        """What a side names: all that it took, and of its own what was sent."""
        if side.state in (None, S.QUEUED, S.REFUSED_BY_PARTNER, *UNRELEASED):
            return frozenset()
        if side.role == "primary" and side.state is S.WITHDRAWN and len(side.sent) == 1:
            return frozenset()
        heard = {word.body.type for word in side.got}
        sent = (
            {"request"} if side.role == "primary" and heard else {"question"} if "answer" in heard else set()
        )
        unsent = side.waiting - side.tried
        return frozenset(self.held(side)) - {b for b in side.sent if b.n in unsent and b.type not in sent}

    def put_back(self, side: Side, body: Body, *, answered: bool) -> tuple[Side, list[Body]]:
        """The side, and what of its own it displaced."""
        aside = list[Body]()
        held = next((b for b in self.held(side) if (b.sender, b.n) == (body.sender, body.n)), None)
        if held is not None and not held.type == body.type == "response":
            if body.sender != side.role or body.type == "request":
                return self.falls(side, body), aside
            aside.append(held)
            side = self.falls(self.without(side, held), held)
        other = next((b for b in self.held(side) if b.type == body.type == "response"), None)
        if other is not None:
            return self.settles(side, other, body), aside
        if body.sender == side.role:
            return self.put_back_own(side, body), aside
        for then, reply in self.taken(side, body):
            if not (answered and then.waiting > side.waiting):
                return self.keep(then, body, reply), aside
        return side, aside

    def was_released(self, side: Side) -> Side:
        moved = self.move(side, E.RESTORED)
        return moved._replace(waiting=moved.waiting | {1}, tried=moved.tried | {1}) if moved else side

    def falls(self, side: Side, body: Body) -> Side:
        told = self.move(side, E.CONTRADICTED) or side
        return told._replace(fell=told.fell | {body})

    def put_back_own(self, side: Side, body: Body) -> Side:
        moved = self.move(side, self.minted(side, body)) or self.move(side, _late(body))
        if moved is None:
            return side
        waiting = moved.waiting - {1} if body.type == "withdrawal" else moved.waiting
        outcome = body.text if body.type == "response" else moved.outcome
        return self.stands(moved._replace(waiting=waiting, outcome=outcome), body)

    def stands(self, side: Side, body: Body) -> Side:
        """A body of its own at its place: the other side has it, and is asked for its word again."""
        sent = tuple(sorted((*side.sent, body), key=lambda b: b.n))
        return side._replace(sent=sent, waiting=side.waiting | {body.n}, tried=side.tried | {body.n})

    def minted(self, side: Side, body: Body) -> Event:
        """What a message of its own stands for."""
        match body.type:
            case "request":
                return E.SUBMITTED
            case "withdrawal":
                return E.WITHDRAWAL_ASKED
            case "question":
                return E.QUESTION_ASKED
            case "answer":
                last = max((w.body for w in side.got if w.body.type == "question"), default=None)
                return E.ANSWER_SENT if last and body.text == to(last) else E.RESTORED
            case "update":
                return E.UPDATE_SENT
            case "revocation":
                return E.REVOKED
        return E.EXPIRED if body.text == "expired" else E.REVIEWED

    def precedes(self, side: Side, body: Body, held: Body) -> bool:
        """Whether `body` has the earlier `created_at`: what was minted before the restore, by clocks that are right."""
        del side
        return (body.dated, body.life) < (held.dated, held.life)

    def settles(self, side: Side, held: Body, body: Body) -> Side:
        """Of two responses the earlier stands."""
        moved = self.move(side, E.RECONCILED) if self.precedes(side, body, held) else None
        if moved is None:
            return self.falls(side, body)
        moved = self.without(moved, held)._replace(fell=moved.fell | {held}, outcome=body.text)
        return self.stands(moved, body) if body.sender == side.role else self.keep(moved, body, "stored")


def _order(body: Body, *, withdrew: bool) -> tuple[int, int]:
    """In which order a comparison takes what it fetched."""
    if withdrew and body.type == "withdrawal":
        return 0, 0
    return ORDER[body.type], body.n


def _late(body: Body) -> Event:
    """The event of a message of its own where the exchange has gone on."""
    return E.RECONCILED if body.type == "response" else E.RESTORED
