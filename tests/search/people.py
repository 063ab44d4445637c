"""What people do, and the clock."""

from collections.abc import Iterator

from acmx.domain.exchange import Event, State
from search.steps import Steps
from search.worlds import Act, Side, World, standing, to

E, S = Event, State


class People(Steps):
    """Of both systems."""

    def of_primary(self, world: World) -> Iterator[Act]:
        a = world.a
        if a.state is None and a.life == 0 and (new := self.move(a, E.SUBMITTED)):
            yield Act("A: the asker submits", world.with_(self.mint(new, "request")))
        if self.bounds.release:
            yield from self.releases(world)
        if moved := self.move(a, E.ANSWER_SENT):
            question = max(word.body for word in a.got if word.body.type == "question")
            answered = self.mint(moved, "answer", to(question))
            yield Act("A: the asker answers", world.with_(answered))
        if moved := self.move(a, E.EARLIER_ANSWER_SENT):
            questions = sorted(word.body for word in a.got if word.body.type == "question")
            answered_before = {body.text for body in a.sent}
            for question in questions[:-1]:
                if to(question) not in answered_before:
                    answered = self.mint(moved, "answer", to(question))
                    yield Act("A: the asker answers an earlier question", world.with_(answered))
        if a.state is S.ANSWERED and (moved := self.move(a, E.RETRIEVED)):
            yield Act("A: the asker retrieves", world.with_(moved))
        if self.bounds.expiry and self.may_end(a) and (moved := self.move(a, E.EXPIRED)):
            yield Act("A: the time is up", world.with_(moved))
        if self.bounds.withdrawal and a.state not in (S.WITHDRAWING, S.WITHDRAWN):
            yield from self.withdraws(world)

    def releases(self, world: World) -> Iterator[Act]:
        a = world.a
        if a.state is None and a.life == 0 and (new := self.move(a, E.HELD)):
            held = self.mint(new, "request")._replace(waiting=frozenset())
            yield Act("A: the asker submits, and it is held", world.with_(held))
        if moved := self.move(a, E.RELEASED):
            yield Act("A: somebody releases", world.with_(moved._replace(waiting=frozenset({1}))))
        if moved := self.move(a, E.NOT_RELEASED):
            yield Act("A: somebody refuses", world.with_(moved))

    def withdraws(self, world: World) -> Iterator[Act]:
        a = world.a._replace(waiting=frozenset())
        held = a.state is S.AWAITING_RELEASE
        unsent = (held or (1 in world.a.waiting and 1 not in a.tried)) and not a.due
        moved = self.move(a, E.WITHDRAWN_UNSENT if unsent else E.WITHDRAWAL_ASKED)
        if moved is not None:
            then = moved if unsent else self.mint(moved, "withdrawal")
            yield Act("A: the asker withdraws", world.with_(then), withdraws=True)

    def of_partner(self, world: World) -> Iterator[Act]:
        b = world.b
        for outcome in (
            ("declined",) if b.life else ("approved",) if self.bounds.restored else ("approved", "declined")
        ):
            if moved := self.move(b, E.REVIEWED):
                yield Act(f"B: a reviewer decides: {outcome}", world.with_(self.decides(moved, outcome)))
        if self.bounds.expiry and self.may_end(b) and (moved := self.move(b, E.EXPIRED)):
            yield Act("B: the time is up", world.with_(self.decides(moved, "expired")))
        asked = sum(body.type == "question" for body in b.sent)
        if asked < self.bounds.questions and (moved := self.move(b, E.QUESTION_ASKED)):
            yield Act("B: a reviewer asks", world.with_(self.mint(moved, "question", str(asked + 1))))
        if b.outcome == "approved" and not standing(b)[1]:
            yield from self.changes_grant(world)

    def may_end(self, side: Side) -> bool:
        """Nothing ends by time alone while the clock is in doubt."""
        return not side.held

    def changes_grant(self, world: World) -> Iterator[Act]:
        b = world.b
        said = sum(body.type == "update" and body.life == b.life for body in (*b.sent, *b.fell))
        if said < self.bounds.updates and (moved := self.move(b, E.UPDATE_SENT)):
            text = f"{b.life}.{said + 1}"
            yield Act("B: what it gives changes", world.with_(self.updates(moved, text)))
        if self.bounds.revocation and (moved := self.move(b, E.REVOKED)):
            yield Act("B: a reviewer revokes", world.with_(self.mint(moved, "revocation", str(b.life))))

    def updates(self, b: Side, text: str) -> Side:
        """An update that never left makes room for the next."""
        last = max(b.sent, key=lambda body: body.n)
        if last.type == "update" and last.n in b.waiting - b.tried:
            b = self.without(b, last)
        return self.mint(b, "update", text)

    def decides(self, b: Side, outcome: str) -> Side:
        self.must(4, b.outcome is None, f"{outcome} is decided after {b.outcome}")
        return self.mint(b, "response", outcome)._replace(outcome=outcome)
