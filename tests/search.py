"""Every way in which one exchange can go between two servers, for small bounds, by breadth-first search.

The model is what the flows do, without HTTP, signatures and SQL: each act is one commit of one side. It asks the one
transition table. The link is the worst there is: whatever was ever sent, letter or reply, may arrive at any later
moment, any number of times, in any order, or never; so a crash, which loses what is under way, needs no act of its own.

A restore brings a side back to an earlier commit of its own, and ends its process with all its connections: no letter
and no reply that was on its way there arrives any more. What it had sent itself may still arrive, a letter until it
has compared, a reply until the other side, which has one attempt at a time, makes the next one. What breaks a law
raises Broken, with the shortest way there.
"""

import gc
from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple

from acmx.domain.exchange import UNDECIDED, Event, Role, State, Transition, transition
from acmx.flows.compare import SENT_WHILE, UNRELEASED

Table = Callable[[Role, State | None, Event], Transition | None]
E, S = Event, State
OTHER: dict[Role, Role] = {"primary": "partner", "partner": "primary"}
LATER = ("update", "revocation")
EVERY_LAW = frozenset({2, 3, 4, 5, 7, "agreement", "one standing"})
AT_REST = frozenset({"one body", "one outcome", "agreement", "one standing"})
"""What holds of laws 2 and 4 after a restore: where nothing waits and a comparison finds nothing."""

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

OWED = {
    "primary": (
        (S.MORE_INFORMATION, S.OVERDUE, S.ANSWERED, S.REFUSED_BY_PARTNER, S.REFUSED_HERE, S.WITHDRAWN),
        "asker",
    ),
    "partner": ((S.DECIDED, S.WITHDRAWN), "reviewers"),
}
"""Who is owed a notice when an exchange comes to one of these states by another's act, or ends (law 7)."""

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

ORDER = {
    type_: rank
    for rank, types in enumerate(
        (("request",), ("question",), ("answer",), ("response",), LATER, ("withdrawal",)), 1
    )
    for type_ in types
}
"""In which order a comparison puts messages back."""

FOREIGN = "final: foreign-user"
AGREED_AFTER_RESTORE = {(None, S.WITHDRAWN)}
"""A withdrawal that overtook its request leaves nothing there that could be given back, and nothing to decide."""


class Body(NamedTuple):
    """A message; two that differ in anything have different digests. `life` counts the restores before."""

    sender: Role
    n: int
    type: str
    text: str
    life: int

    def __str__(self) -> str:
        return f"{self.type} {self.n}{f' ({self.text})' if self.text else ''}"


class Word(NamedTuple):
    """A final answer on its way back: the status of a receipt, or the type of a final refusal."""

    body: Body
    reply: str


class Side(NamedTuple):
    """What one side has committed. `waiting` are the numbers in its outbox, `tried` those that were sent once.

    While a comparison is `due` it sends nothing; `fell` are the bodies that lost their place to an earlier one.
    """

    role: Role
    state: State | None = None
    sent: tuple[Body, ...] = ()
    got: tuple[Word, ...] = ()
    waiting: frozenset[int] = frozenset()
    tried: frozenset[int] = frozenset()
    outcome: str | None = None
    life: int = 0
    due: bool = False
    fell: frozenset[Body] = frozenset()

    def at(self, n: int) -> Body | None:
        return next((body for body in self.sent if body.n == n), None)


class World(NamedTuple):
    """Both sides, all that was ever sent, and the backup of each side that can be restored."""

    a: Side = Side("primary")
    b: Side = Side("partner")
    letters: frozenset[Body] = frozenset()
    words: frozenset[Word] = frozenset()
    backups: tuple[Side | None, Side | None] = (None, None)

    def side(self, role: Role) -> Side:
        return self.a if role == "primary" else self.b

    def with_(self, side: Side) -> "World":
        return self._replace(a=side) if side.role == "primary" else self._replace(b=side)


class Bounds(NamedTuple):
    """What may happen besides request, review, expiry and the link. `restored` sides come back from a backup once.

    `compared`: then both sides compare what they hold, and the restored one sends nothing before, unless it is
    `unaware`: its machine was set back, and its process with it. `release`: a request may wait to be released at the
    primary. The partner changes what it gives so many times, in each life, and takes back the approval.
    """

    withdrawal: bool = True
    questions: int = 1
    refusal: bool = True
    expiry: bool = True
    restored: tuple[Role, ...] = ()
    compared: bool = False
    unaware: bool = False
    release: bool = False
    updates: int = 0
    revocation: bool = False


class Act(NamedTuple):
    """What happens; `link` where it needs neither a person nor the clock."""

    text: str
    then: World
    link: bool = False
    restores: bool = False
    compares: bool = False
    withdraws: bool = False
    hears: Word | None = None


Came = dict[World, tuple[World, Act] | None]
"""Every world that was found, with the world and the act that first led to it."""


class Broken(Exception):
    """A law does not hold."""

    def __init__(self, law: int | str, what: str, trace: str = "") -> None:
        name = f"law {law}" if isinstance(law, int) else law
        super().__init__(f"{name} is broken: {what}\n{trace}".rstrip())
        self.law = law
        self.what = what
        self.act: Act | None = None


class Model:
    """The flows of both sides over a table."""

    def __init__(
        self, bounds: Bounds, table: Table = transition, laws: frozenset[int | str] = EVERY_LAW
    ) -> None:
        self.bounds = bounds
        self.table = table
        self.laws = laws

    def must(self, law: int | str, holds: object, what: str) -> None:
        if not holds and law in self.laws:
            raise Broken(law, what)

    def acts(self, world: World) -> Iterator[Act]:
        yield from self.of_primary(world)
        yield from self.of_partner(world)
        for role in OTHER:
            yield from self.posts(world, role)
        for letter in sorted(world.letters):
            yield from self.takes(world, letter)
        for word in sorted(world.words):
            yield from self.hears(world, word)
        yield from self.restores(world)
        yield from self.compares(world)

    # The comparison.

    def compares(self, world: World) -> Iterator[Act]:
        """Once a side was restored, either compares at any time; one that finds nothing changes nothing."""
        if self.bounds.compared and (world.a.life or world.b.life):
            for role, other in OTHER.items():
                before = world.side(role)
                for refuses in (False, True) if self.bounds.refusal else (False,):
                    side = self.compared(before, world.side(other), refuses=refuses)
                    if side != before:
                        then = self.without_late(world, role) if before.due else world
                        yield Act(f"{_name(role)}: compares", then.with_(side), link=True, compares=True)

    def without_late(self, world: World, role: Role) -> World:
        """What the restored process had under way arrives before its first comparison, or never."""
        taken = {word.body for word in world.side(OTHER[role]).got}
        letters = frozenset(b for b in world.letters if b.sender != role or b in taken)
        words = frozenset(word for word in world.words if word.body.sender == role)
        return world._replace(letters=letters, words=words)

    def compared(self, side: Side, other: Side, *, refuses: bool) -> Side:
        """`refuses`: a request that the other side names is refused finally."""
        there = self.listed(other)
        known = {*self.held(side), *side.fell}
        withdrew = other.role == "primary" and other.state is S.WITHDRAWN
        places = {(body.sender, body.n) for body in there}
        answered = any(body.type == "response" for body in there)
        then, aside = side._replace(due=False), list[Body]()
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
        return self.anew(self.ended(then, side, other, answered=answered), aside)

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
            return body.type == "update" or not _standing(side)[1]
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
                return E.ANSWER_SENT if last and body.text == _to(last) else E.RESTORED
            case "update":
                return E.UPDATE_SENT
            case "revocation":
                return E.REVOKED
        return E.EXPIRED if body.text == "expired" else E.REVIEWED

    def precedes(self, side: Side, body: Body, held: Body) -> bool:
        """Whether `body` has the earlier `created_at`: what was minted before the restore."""
        del side
        return body.life < held.life

    def settles(self, side: Side, held: Body, body: Body) -> Side:
        """Of two responses the earlier stands."""
        moved = self.move(side, E.RECONCILED) if self.precedes(side, body, held) else None
        if moved is None:
            return self.falls(side, body)
        moved = self.without(moved, held)._replace(fell=moved.fell | {held}, outcome=body.text)
        return self.stands(moved, body) if body.sender == side.role else self.keep(moved, body, "stored")

    # The table, the places and the outbox.

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
        return side._replace(state=row.target)

    def mint(self, side: Side, type_: str, text: str = "") -> Side:
        n = max((body.n for body in (*side.sent, *side.fell) if body.sender == side.role), default=0) + 1
        body = Body(side.role, n, type_, text, side.life)
        return side._replace(sent=(*side.sent, body), waiting=side.waiting | {body.n})

    def keep(self, side: Side, body: Body, reply: str) -> Side:
        return side._replace(got=tuple(sorted((*side.got, Word(body, reply)))))

    # People and clocks.

    def of_primary(self, world: World) -> Iterator[Act]:
        a = world.a
        if a.state is None and a.life == 0 and (new := self.move(a, E.SUBMITTED)):
            yield Act("A: the asker submits", world.with_(self.mint(new, "request")))
        if self.bounds.release:
            yield from self.releases(world)
        if moved := self.move(a, E.ANSWER_SENT):
            question = max(word.body for word in a.got if word.body.type == "question")
            answered = self.mint(moved, "answer", _to(question))
            yield Act("A: the asker answers", world.with_(answered))
        if a.state is S.ANSWERED and (moved := self.move(a, E.RETRIEVED)):
            yield Act("A: the asker retrieves", world.with_(moved))
        if self.bounds.expiry and (moved := self.move(a, E.EXPIRED)):
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
        if self.bounds.expiry and (moved := self.move(b, E.EXPIRED)):
            yield Act("B: the time is up", world.with_(self.decides(moved, "expired")))
        asked = sum(body.type == "question" for body in b.sent)
        if asked < self.bounds.questions and (moved := self.move(b, E.QUESTION_ASKED)):
            yield Act("B: a reviewer asks", world.with_(self.mint(moved, "question", str(asked + 1))))
        if b.outcome == "approved" and not _standing(b)[1]:
            yield from self.changes_grant(world)

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

    # The link.

    def posts(self, world: World, role: Role) -> Iterator[Act]:
        """The first message that waits; that it was tried is committed first."""
        side = world.side(role)
        if not side.waiting or side.due:
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
        yield Act(f"{_name(role)}: sends {body}", then, link=True)

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
        return Act(f"{_name(side.role)}: takes {word.body}, says {word.reply}", then, link=True)

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
        questions = [_to(body) for body in b.sent if body.type == "question"]
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
        text = f"{_name(side.role)}: hears {word.reply} to {word.body}"
        yield Act(text, world.with_(then), link=True, hears=word)

    # Restores.

    def restores(self, world: World) -> Iterator[Act]:
        for role, backup in zip(OTHER, world.backups, strict=True):
            side = world.side(role)
            if role not in self.bounds.restored or side.life:
                continue
            if backup is None:
                yield Act(f"{_name(role)}: is backed up", world._replace(backups=_backups(world, role, side)))
            elif backup != side:
                due = self.bounds.compared and not self.bounds.unaware
                restored = world.with_(backup._replace(life=1, due=due))._replace(
                    letters=frozenset(letter for letter in world.letters if letter.sender == role),
                    words=frozenset(word for word in world.words if word.body.sender != role),
                    backups=_backups(world, role, None),
                )
                yield Act(f"{_name(role)}: is restored", restored, restores=True)

    # What must hold.

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
                        5, holds=False, what=f"nobody hears of message {gone} of {_name(old.role)} again"
                    )
                if old.outcome not in (None, new.outcome):
                    self.must(4, holds=False, what=f"{old.outcome} becomes {new.outcome}")

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
        stands = _standing(a), _standing(b)
        self.must("one standing", stands[0] == stands[1], f"nothing waits, and what stands is {stands}")
        agrees = states in AGREED or (a.life and states in AGREED_AFTER_RESTORE)
        self.must("agreement", agrees, f"nothing waits, and the two sides are {_pair(states)}")
        return True


def search(model: Model) -> int:
    """How many worlds there are. Raises Broken where a law does not hold, or what waits can never arrive."""
    gc.disable()
    try:
        return _search(model)
    finally:
        gc.enable()


def _search(model: Model) -> int:
    start = World()
    came: Came = {start: None}
    back: dict[World, list[World]] = {}
    settled = {start}
    todo = deque([start])
    while todo:
        world = todo.popleft()
        try:
            for act in model.acts(world):
                if act.link:
                    back.setdefault(act.then, []).append(world)
                if model.checked(world, act, new=act.then not in came):
                    settled.add(act.then)
                if act.then not in came:
                    came[act.then] = (world, act)
                    todo.append(act.then)
        except Broken as broken:
            raise Broken(broken.law, broken.what, trace(came, world, broken.act)) from None
    if "agreement" in model.laws and (stuck := _stuck(came, back, settled)):
        raise Broken("agreement", "what waits can never arrive", trace(came, stuck))
    return len(came)


def _stuck(came: Came, back: dict[World, list[World]], settled: set[World]) -> World | None:
    """The first world from which the link alone cannot carry everything that waits."""
    todo = list(settled)
    while todo:
        for world in back.get(todo.pop(), ()):
            if world not in settled:
                settled.add(world)
                todo.append(world)
    return next((world for world in came if world not in settled), None)


def trace(came: Came, world: World, last: Act | None = None) -> str:
    """The shortest way to a world, and perhaps one act more; one line an act."""
    acts = [last] if last else []
    while (step := came[world]) is not None:
        world, act = step
        acts.append(act)
    return "\n".join(
        f"{n:3} {act.text:<50} {_pair((act.then.a.state, act.then.b.state))}"
        for n, act in enumerate(reversed(acts), 1)
    )


def _event(word: Word) -> Event | None:
    final = word.reply.startswith("final: ")
    if word.body.type == "withdrawal" or word.reply == "final: withdrawn":
        return E.WITHDRAWAL_TOO_LATE if word.reply == "decided" else E.WITHDRAWAL_CONFIRMED
    return {
        "request": E.REFUSED_BY_PARTNER if final else E.INDICATED,
        "response": E.RESPONSE_DELIVERED,
    }.get(word.body.type)


def _rests(world: World) -> bool:
    return not (world.a.waiting or world.b.waiting or world.a.due or world.b.due)


def _order(body: Body, *, withdrew: bool) -> tuple[int, int]:
    """In which order a comparison takes what it fetched."""
    if withdrew and body.type == "withdrawal":
        return 0, 0
    return ORDER[body.type], body.n


def _standing(side: Side) -> tuple[str, bool]:
    """What the last update gave, and whether the approval was taken back; of no use without a response."""
    held = [*side.sent, *(word.body for word in side.got)]
    if not any(body.type == "response" for body in held):
        return "", False
    later = sorted((body.n, body) for body in held if body.type in LATER and body.sender == "partner")
    given = [body.text for _, body in later if body.type == "update"]
    return given[-1] if given else "", any(body.type == "revocation" for _, body in later)


def _late(body: Body) -> Event:
    """The event of a message of its own where the exchange has gone on."""
    return E.RECONCILED if body.type == "response" else E.RESTORED


def _to(question: Body) -> str:
    return f"to question {question.n}.{question.life}"


def _backups(world: World, role: Role, side: Side | None) -> tuple[Side | None, Side | None]:
    return (side, world.backups[1]) if role == "primary" else (world.backups[0], side)


def _name(role: Role) -> str:
    return "A" if role == "primary" else "B"


def _pair(states: tuple[State | None, State | None]) -> str:
    return f"A {states[0] or '-'}, B {states[1] or '-'}"
