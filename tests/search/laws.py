"""What must hold."""

from acmx.domain.exchange import State
from search.comparison import Comparison
from search.worlds import Act, Body, Broken, Side, World, name_of, pair, standing

S = State

AGREED = {
    (S.STORED, S.PENDING),
    (S.OVERDUE, S.PENDING),
    (S.MORE_INFORMATION, S.MORE_INFORMATION),
    (S.OVERDUE, S.MORE_INFORMATION),
    (S.ANSWERED, S.DELIVERED),
    (S.RETRIEVED, S.DELIVERED),
    (S.WITHDRAWN, S.WITHDRAWN),
    (S.WITHDRAWN, None),
    (S.REFUSED_BY_PARTNER, None),
    (S.AWAITING_RELEASE, None),
    (S.REFUSED_HERE, None),
    (None, None),
}
"""The pairs of states in which nothing may wait at either side."""

AGREED_AFTER_RESTORE = {(None, S.WITHDRAWN)}
"""A withdrawal that overtook its request leaves nothing there that could be given back, and nothing to decide."""


class Laws(Comparison):
    """Raises Broken where a law does not hold."""

    def checked(self, before: World, act: Act, *, new: bool) -> bool:
        """Whether a new world is settled. Raises Broken, with the act."""
        try:
            self.check_act(before, act)
            return new and self.check(act.then)
        except Broken as broken:
            broken.act = act
            raise

    def check_act(self, before: World, act: Act) -> None:
        for old, new in ((before.a, act.then.a), (before.b, act.then.b)):
            if old is not new and not (act.restores or act.compares):
                if gone := old.waiting - new.waiting - self.may_go(old, new, act):
                    self.must(
                        5, holds=False, what=f"nobody hears of message {gone} of {name_of(old.role)} again"
                    )
                if old.outcome not in (None, new.outcome):
                    self.must(4, holds=False, what=f"{old.outcome} becomes {new.outcome}")
            if old is not new and act.compares:
                self.check_outcome(old, new)

    def check_outcome(self, old: Side, new: Side) -> None:
        """A comparison lets no later response take the place of an earlier one."""
        before, after = _response(old), _response(new)
        if before is not None and after is not None and before.life < after.life:
            honest = self.honest(before, after)
            self.must("first outcome", not honest, f"{after} takes the place of {before}, which was earlier")

    def honest(self, *responses: Body) -> bool:
        """Whether the clocks were right by which these were minted.

        Protocol 1 lets of two responses the one with the earlier `created_at` stand (4.4 of the protocol page), so a
        clock that was wrong decides between them. Protocol 2 goes by what was received, and this exception ends.
        """
        return not any(response.dated for response in responses)

    def may_go(self, old: Side, new: Side, act: Act) -> frozenset[int]:
        """What need not wait any more: what was heard of, and what was withdrawn or refused with its request."""
        if (act.withdraws and old.role == "primary") or new.state is S.REFUSED_BY_PARTNER:
            return old.waiting
        return frozenset({act.hears.body.n} if act.hears and act.hears.body.sender == old.role else ())

    def check(self, world: World) -> bool:
        """Whether the world is settled: nothing waits, and a comparison finds nothing."""
        a, b = world.a, world.b
        answers = {word.body for word in a.got if word.body.type == "response"}
        decided = {body for body in b.sent if body.type == "response"}
        self.must(4, answers <= decided and len(decided) <= 1, "A holds a response that B does not stand by")
        if not _rests(world) or any(self.compares(world)):
            return False
        states = a.state, b.state
        taken = {(w.body.sender, w.body.n): w.body for w in (*a.got, *b.got)}
        bodies = [taken.get((body.sender, body.n), body) == body for body in (*a.sent, *b.sent)]
        self.must("one body", all(bodies), "nothing waits, and two bodies stand at one place")
        outcomes = {a.outcome, b.outcome}
        self.must("one outcome", len(outcomes) == 1, f"nothing waits, and the outcomes are {outcomes}")
        stands = standing(a), standing(b)
        self.must("one standing", stands[0] == stands[1], f"nothing waits, and what stands is {stands}")
        agrees = states in AGREED or (a.life and states in AGREED_AFTER_RESTORE)
        self.must("agreement", agrees, f"nothing waits, and the two sides are {pair(states)}")
        return True


def _rests(world: World) -> bool:
    """And neither clock is in doubt."""
    sides = world.a, world.b
    return not any(side.waiting or side.due or side.held for side in sides)


def _response(side: Side) -> Body | None:
    held = (*side.sent, *(word.body for word in side.got))
    return next((body for body in held if body.type == "response"), None)
