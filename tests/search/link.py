"""What is sent, taken and heard."""

from collections.abc import Iterator

from acmx.domain.exchange import Event, Role, State
from search.people import People
from search.worlds import OTHER, Act, Body, Side, Word, World, name_of, to

E, S = Event, State

PROGRESS = {
    state: rank
    for rank, states in enumerate(
        (
            (S.AWAITING_RELEASE,),
            (S.QUEUED,),
            (S.STORED, S.MORE_INFORMATION, S.PENDING),
            (S.OVERDUE,),
            (S.WITHDRAWING,),
            (S.ANSWERED, S.DECIDED, S.WITHDRAWN, S.REFUSED_BY_PARTNER),
            (S.RETRIEVED, S.DELIVERED),
        )
    )
    for state in states
}
"""The partner's word on a message of ours may only move an exchange to a state of a higher rank (law 4)."""

FOREIGN = "final: foreign-user"


class Link(People):
    """Whatever was ever sent may arrive, at any time."""

    def posts(self, world: World, role: Role) -> Iterator[Act]:
        """The first message that waits; that it was tried is committed first."""
        side = world.side(role)
        if not side.waiting or side.due or min(side.waiting) in side.off:
            return
        body = side.at(min(side.waiting))
        if body is None:
            raise LookupError(side)
        others = [b for b in world.letters if (b.sender, b.n) == (body.sender, body.n) and b != body]
        if others:
            self.must(2, holds=False, what=f"{body} is sent, and {others[0]} was sent from the same place")
        words = world.words
        if world.a.life or world.b.life:
            words = frozenset(word for word in words if word.body.sender != role)
        then = world.with_(side._replace(tried=side.tried | {body.n}))
        then = then._replace(letters=world.letters | {body}, words=words)
        yield Act(f"{name_of(role)}: sends {body}", then, link=True)

    def takes(self, world: World, letter: Body) -> Iterator[Act]:
        side = world.side(OTHER[letter.sender])
        held = next((word for word in side.got if word.body.n == letter.n), None)
        if held is not None:
            if held.body == letter:
                yield self.replied(world, side, held)
            return
        for then, reply in self.taken(side, letter):
            yield self.replied(world, self.keep(then, letter, reply), Word(letter, reply))

    def replied(self, world: World, side: Side, word: Word) -> Act:
        first = next((w.reply for w in world.words if w.body == word.body), word.reply)
        if first != word.reply:
            self.must(3, holds=False, what=f"{word.body} is answered {word.reply}, and was answered {first}")
        then = world.with_(side)._replace(words=world.words | {word})
        return Act(f"{name_of(side.role)}: takes {word.body}, says {word.reply}", then, link=True)

    def taken(self, side: Side, letter: Body) -> Iterator[tuple[Side, str]]:
        """What the flow of its type does. Nothing where it is refused, but not finally."""
        return {
            "request": self.takes_request,
            "withdrawal": self.takes_withdrawal,
            "question": self.takes_question,
            "answer": self.takes_answer,
            "response": self.takes_response,
            "update": self.takes_later,
            "revocation": self.takes_later,
        }[letter.type](side, letter)

    def in_order(self, side: Side, letter: Body) -> bool:
        return letter.n == 1 or any(word.body.n == letter.n - 1 for word in side.got)

    def takes_request(self, b: Side, _: Body) -> Iterator[tuple[Side, str]]:
        if b.state is S.WITHDRAWN:
            if not b.due:
                yield b, "final: withdrawn"
        elif moved := self.move(b, E.REQUEST):
            yield moved, "stored"
            if ruled := self.move(moved, E.DECIDED_BY_RULE):
                yield self.decides(ruled, "approved"), "stored"
            if self.bounds.refusal and not b.due:
                yield b, FOREIGN

    def takes_withdrawal(self, b: Side, _: Body) -> Iterator[tuple[Side, str]]:
        if not (b.due and b.state is None) and (moved := self.move(b, E.WITHDRAWAL)):
            yield moved, "decided" if b.state in (S.DECIDED, S.DELIVERED) else "withdrawn"

    def takes_question(self, a: Side, letter: Body) -> Iterator[tuple[Side, str]]:
        if a.state is not None and self.in_order(a, letter) and (moved := self.move(a, E.QUESTION)):
            yield moved, "stored"

    def takes_answer(self, b: Side, letter: Body) -> Iterator[tuple[Side, str]]:
        questions = [to(body) for body in b.sent if body.type == "question"]
        if b.state is None or letter.text not in questions or not self.in_order(b, letter):
            return
        if moved := self.move(b, E.ANSWER if letter.text == questions[-1] else E.EARLIER_ANSWER):
            yield moved, "stored"

    def takes_response(self, a: Side, letter: Body) -> Iterator[tuple[Side, str]]:
        if a.state is not None and self.in_order(a, letter) and (moved := self.move(a, E.RESPONSE)):
            self.must(4, a.outcome in (None, letter.text), f"{a.outcome} becomes {letter.text}")
            yield moved._replace(outcome=letter.text), "stored"

    def takes_later(self, a: Side, letter: Body) -> Iterator[tuple[Side, str]]:
        answered = any(word.body.type == "response" for word in a.got)
        event = E.UPDATE if letter.type == "update" else E.REVOCATION
        if answered and self.in_order(a, letter) and (moved := self.move(a, event)):
            yield moved, "stored"

    def hears(self, world: World, word: Word) -> Iterator[Act]:
        """The first word on a message that waits settles it; a later one changes nothing."""
        side = world.side(word.body.sender)
        if side.due or word.body.n not in side.waiting or side.at(word.body.n) != word.body:
            return
        settled = side._replace(waiting=side.waiting - {word.body.n})
        event = _event(word)
        moved = self.move(settled, event) if event else settled
        self.must(4, moved, f"{event} comes late and is not accepted in state {side.state}")
        then = moved or settled
        if event is E.REFUSED_BY_PARTNER and moved:
            then = then._replace(waiting=frozenset())
        if then.state is not side.state and then.state and side.state:
            forward = PROGRESS[then.state] > PROGRESS[side.state]
            self.must(4, forward, f"{word.reply} to {word.body} moves {side.state} back to {then.state}")
        text = f"{name_of(side.role)}: hears {word.reply} to {word.body}"
        yield Act(text, world.with_(then), link=True, hears=word)


def _event(word: Word) -> Event | None:
    final = word.reply.startswith("final: ")
    if word.body.type == "withdrawal" or word.reply == "final: withdrawn":
        return E.WITHDRAWAL_TOO_LATE if word.reply == "decided" else E.WITHDRAWAL_CONFIRMED
    return {
        "request": E.REFUSED_BY_PARTNER if final else E.INDICATED,
        "response": E.RESPONSE_DELIVERED,
    }.get(word.body.type)
