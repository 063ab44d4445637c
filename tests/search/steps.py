"""One step of one side: along the table, into a place, into the outbox."""

from acmx.domain.exchange import Event, State, transition
from search.worlds import EVERY_LAW, Body, Bounds, Broken, Side, Table, Word

S = State

OWED = {
    "primary": (
        (S.MORE_INFORMATION, S.OVERDUE, S.ANSWERED, S.REFUSED_BY_PARTNER, S.REFUSED_HERE, S.WITHDRAWN),
        "asker",
    ),
    "partner": ((S.DECIDED, S.WITHDRAWN), "reviewers"),
}
"""Who is owed a notice when an exchange comes to one of these states by another's act, or ends (law 7)."""


class Steps:
    """What the flows of both sides are made of."""

    def __init__(
        self, bounds: Bounds, table: Table = transition, laws: frozenset[int | str] = EVERY_LAW
    ) -> None:
        self.bounds = bounds
        self.table = table
        self.laws = laws

    def must(self, law: int | str, holds: object, what: str) -> None:
        if not holds and law in self.laws:
            raise Broken(law, what)

    def held(self, side: Side) -> list[Body]:
        return [*side.sent, *(word.body for word in side.got)]

    def without(self, side: Side, body: Body) -> Side:
        waiting = side.waiting - {body.n} if body.sender == side.role else side.waiting
        return side._replace(
            sent=tuple(b for b in side.sent if b != body),
            got=tuple(word for word in side.got if word.body != body),
            waiting=waiting,
            tried=side.tried - {body.n} if body.sender == side.role else side.tried,
        )

    def move(self, side: Side, event: Event) -> Side | None:
        """None where the table does not admit it."""
        row = self.table(side.role, side.state, event)
        if row is None:
            return None
        states, audience = OWED[side.role]
        if row.target is not side.state and row.target in states and side.state is not None:
            self.must(
                7,
                audience in row.tells,
                f"{side.state} becomes {row.target}, and nobody tells the {audience}",
            )
        return side._replace(state=row.target, ended=side.clock)

    def mint(self, side: Side, type_: str, text: str = "") -> Side:
        n = max((body.n for body in side.sent), default=0) + 1
        body = Body(side.role, n, type_, text, side.life, side.clock)
        return side._replace(sent=(*side.sent, body), waiting=side.waiting | {body.n})

    def keep(self, side: Side, body: Body, reply: str) -> Side:
        return side._replace(got=tuple(sorted((*side.got, Word(body, reply)))))
