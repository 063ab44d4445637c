"""Every way in which one exchange can go between two servers, for small bounds, by breadth-first search.

The model is what the flows do, without HTTP, signatures and SQL: each act is one commit of one side. It asks the one
transition table. The link is the worst there is: whatever was ever sent, letter or reply, may arrive at any later
moment, any number of times, in any order, or never; so a crash, which loses what is under way, needs no act of its own.
A restore brings a side back to an earlier commit of its own. What breaks a law raises Broken, with the shortest way
there.
"""

from collections import deque
from collections.abc import Callable, Iterator
from itertools import permutations
from typing import NamedTuple

from acmx.domain.exchange import Event, Role, State, Transition, transition
from acmx.flows.compare import SENT_WHILE, UNRELEASED

Table = Callable[[Role, State | None, Event], Transition | None]
E, S = Event, State
OTHER: dict[Role, Role] = {"primary": "partner", "partner": "primary"}
EVERY_LAW = frozenset({2, 3, 4, 5, 7, "agreement"})
AT_REST = frozenset({"one body", "one outcome", "agreement"})
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
    """What one side has committed. `waiting` are the numbers in its outbox; `tried` says that the request was sent.

    While a comparison is `due` it sends nothing; `fell` are the bodies that lost their place to an earlier one.
    """

    role: Role
    state: State | None = None
    sent: tuple[Body, ...] = ()
    got: tuple[Word, ...] = ()
    waiting: frozenset[int] = frozenset()
    tried: bool = False
    outcome: str | None = None
    life: int = 0
    due: bool = False
    fell: frozenset[Body] = frozenset()


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

    `compared`: then both sides compare what they hold, and the restored one sends nothing before. `release`: a request
    may wait to be released at the primary.
    """

    withdrawal: bool = True
    questions: int = 1
    refusal: bool = True
    restored: tuple[Role, ...] = ()
    compared: bool = False
    release: bool = False


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
            for role in OTHER:
                for side in self.compared(world, world.side(role), world.side(OTHER[role])):
                    if side != world.side(role):
                        then = self.without_late(world, role) if world.side(role).due else world
                        yield Act(f"{_name(role)}: compares", then.with_(side), link=True, compares=True)

    def without_late(self, world: World, role: Role) -> World:
        """What the restored process had under way arrives before its first comparison, or never."""
        taken = {word.body for word in world.side(OTHER[role]).got}
        letters = frozenset(b for b in world.letters if b.sender != role or b in taken)
        return world._replace(letters=letters)

    def compared(self, world: World, side: Side, other: Side) -> Iterator[Side]:
        """What is fetched comes in any order, but the request first, as nothing says who minted earlier."""
        there = self.listed(world, other)
        known = {*side.sent, *(word.body for word in side.got), *side.fell}
        withdrew = other.role == "primary" and other.state is S.WITHDRAWN
        places = {(body.sender, body.n) for body in there}
        again = {
            body.n
            for body in side.sent
            if (body.sender, body.n) not in places and side.state in SENT_WHILE[body.type] and not withdrew
        }
        answered = any(body.type == "response" for body in there)
        for order in permutations(sorted(there - known)):
            if [_first(body, withdrew) for body in order] != sorted(_first(body, withdrew) for body in order):
                continue
            then = self.was_released(side) if side.state in UNRELEASED and there else side
            for body in order:
                then = self.put_back(then, body, answered=answered)
            then = then._replace(
                waiting=then.waiting | again, due=False, tried=then.tried or bool(there & set(side.sent))
            )
            if withdrew and not answered and side.state is S.DECIDED:
                moved = self.move(then, E.WITHDRAWAL_STANDS)
                then = moved._replace(waiting=frozenset(), outcome=None) if moved else then
            yield then

    def listed(self, world: World, side: Side) -> frozenset[Body]:
        """What a side names: all that it took, and of its own what was sent."""
        if side.state in (None, S.QUEUED, S.REFUSED_BY_PARTNER, *UNRELEASED):
            return frozenset()
        return frozenset(word.body for word in side.got) | (frozenset(side.sent) & world.letters)

    def put_back(self, side: Side, body: Body, *, answered: bool) -> Side:
        held = next((b for b in self.held(side) if _rivals(b, body)), None)
        if held is not None:
            return self.settles(side, held, body)
        if body.sender == side.role:
            return self.put_back_own(side, body)
        for then, reply in self.taken(side, body):
            if not (answered and then.waiting > side.waiting):
                return self.keep(then, body, reply)
        return side

    def was_released(self, side: Side) -> Side:
        moved = self.move(side, E.RESTORED)
        return moved._replace(waiting=moved.waiting | {1}, tried=True) if moved else side

    def held(self, side: Side) -> list[Body]:
        return [*side.sent, *(word.body for word in side.got)]

    def put_back_own(self, side: Side, body: Body) -> Side:
        minted = {
            "request": E.SUBMITTED,
            "withdrawal": E.WITHDRAWAL_ASKED,
            "response": E.EXPIRED if body.text == "expired" else E.REVIEWED,
        }[body.type]
        late = E.RECONCILED if body.type == "response" else E.RESTORED
        moved = self.move(side, minted) or self.move(side, late)
        if moved is None:
            return side
        waiting = (moved.waiting - {1} if body.type == "withdrawal" else moved.waiting) | {body.n}
        outcome = body.text if body.type == "response" else moved.outcome
        return moved._replace(sent=(*moved.sent, body), waiting=waiting, outcome=outcome, tried=True)

    def precedes(self, side: Side, body: Body, held: Body) -> bool:
        """Whether `body` has the earlier `created_at`: what was minted before the restore."""
        del side
        return body.life < held.life

    def settles(self, side: Side, held: Body, body: Body) -> Side:
        event = E.RECONCILED if body.type == "response" else E.CONTRADICTED
        replaces = body.type == held.type != "request" and self.precedes(side, body, held)
        moved = self.move(side, event) if replaces else None
        if moved is None:
            told = self.move(side, E.CONTRADICTED) or side
            return told._replace(fell=told.fell | {body})
        outcome = body.text if body.type == "response" else moved.outcome
        moved = moved._replace(fell=moved.fell | {held}, outcome=outcome)
        if body.sender == side.role:
            sent = tuple(body if b == held else b for b in moved.sent)
            return moved._replace(sent=sent, waiting=moved.waiting | {body.n})
        got = tuple(word for word in moved.got if word.body != held)
        ended = "decided" if side.state in (S.DECIDED, S.DELIVERED) else "withdrawn"
        reply = ended if body.type == "withdrawal" else "stored"
        return self.keep(moved._replace(got=got), body, reply)

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
        body = Body(side.role, len(side.sent) + 1, type_, text, side.life)
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
            answered = self.mint(moved, "answer", f"to question {question.n}.{question.life}")
            yield Act("A: the asker answers", world.with_(answered))
        if a.state is S.ANSWERED and (moved := self.move(a, E.RETRIEVED)):
            yield Act("A: the asker retrieves", world.with_(moved))
        if moved := self.move(a, E.EXPIRED):
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
        unsent = (held or (1 in world.a.waiting and not a.tried)) and not a.due
        moved = self.move(a, E.WITHDRAWN_UNSENT if unsent else E.WITHDRAWAL_ASKED)
        if moved is not None:
            then = moved if unsent else self.mint(moved, "withdrawal")
            yield Act("A: the asker withdraws", world.with_(then), withdraws=True)

    def of_partner(self, world: World) -> Iterator[Act]:
        b = world.b
        for outcome in ("approved", "declined"):
            if moved := self.move(b, E.REVIEWED):
                yield Act(f"B: a reviewer decides: {outcome}", world.with_(self.decides(moved, outcome)))
        if moved := self.move(b, E.EXPIRED):
            yield Act("B: the time is up", world.with_(self.decides(moved, "expired")))
        asked = sum(body.type == "question" for body in b.sent)
        if asked < self.bounds.questions and (moved := self.move(b, E.QUESTION_ASKED)):
            yield Act("B: a reviewer asks", world.with_(self.mint(moved, "question", str(asked + 1))))

    def decides(self, b: Side, outcome: str) -> Side:
        self.must(4, b.outcome is None, f"{outcome} is decided after {b.outcome}")
        return self.mint(b, "response", outcome)._replace(outcome=outcome)

    # The link.

    def posts(self, world: World, role: Role) -> Iterator[Act]:
        """The first message that waits; that it was tried is committed first."""
        side = world.side(role)
        if not side.waiting or side.due:
            return
        body = side.sent[min(side.waiting) - 1]
        others = [b for b in world.letters if (b.sender, b.n) == (body.sender, body.n) and b != body]
        self.must(
            2, not others, f"{body} is sent, and {', '.join(map(str, others))} was sent from the same place"
        )
        then = world.with_(side._replace(tried=True))._replace(letters=world.letters | {body})
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
        self.must(3, first == word.reply, f"{word.body} is answered {word.reply}, and was answered {first}")
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
        }[letter.type](side, letter)

    def in_order(self, side: Side, letter: Body) -> bool:
        return letter.n == 1 or any(word.body.n == letter.n - 1 for word in side.got)

    def takes_request(self, b: Side, _: Body) -> Iterator[tuple[Side, str]]:
        if b.state is S.WITHDRAWN:
            yield b, "final: withdrawn"
        elif moved := self.move(b, E.REQUEST):
            yield moved, "stored"
            if ruled := self.move(moved, E.DECIDED_BY_RULE):
                yield self.decides(ruled, "approved"), "stored"
            if self.bounds.refusal:
                yield b, "final: foreign-user"

    def takes_withdrawal(self, b: Side, _: Body) -> Iterator[tuple[Side, str]]:
        if moved := self.move(b, E.WITHDRAWAL):
            yield moved, "decided" if b.state in (S.DECIDED, S.DELIVERED) else "withdrawn"

    def takes_question(self, a: Side, letter: Body) -> Iterator[tuple[Side, str]]:
        if a.state is not None and self.in_order(a, letter) and (moved := self.move(a, E.QUESTION)):
            yield moved, "stored"

    def takes_answer(self, b: Side, letter: Body) -> Iterator[tuple[Side, str]]:
        questions = [f"to question {body.n}.{body.life}" for body in b.sent if body.type == "question"]
        if b.state is None or letter.text not in questions or not self.in_order(b, letter):
            return
        if moved := self.move(b, E.ANSWER if letter.text == questions[-1] else E.EARLIER_ANSWER):
            yield moved, "stored"

    def takes_response(self, a: Side, letter: Body) -> Iterator[tuple[Side, str]]:
        if a.state is not None and self.in_order(a, letter) and (moved := self.move(a, E.RESPONSE)):
            self.must(4, a.outcome in (None, letter.text), f"{a.outcome} becomes {letter.text}")
            yield moved._replace(outcome=letter.text), "stored"

    def hears(self, world: World, word: Word) -> Iterator[Act]:
        """The first word on a message that waits settles it; a later one changes nothing."""
        side = world.side(word.body.sender)
        if side.due or word.body.n not in side.waiting or side.sent[word.body.n - 1] != word.body:
            return
        settled = side._replace(waiting=side.waiting - {word.body.n})
        event = _event(word)
        moved = self.move(settled, event) if event else settled
        self.must(4, moved, f"{event} comes late and is not accepted in state {side.state}")
        then = moved or settled
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
                yield Act(f"{_name(role)}: is backed up", world._replace(backups=_backups(world, side)))
            elif backup != side:
                restored = world.with_(backup._replace(life=1, due=self.bounds.compared))
                yield Act(f"{_name(role)}: is restored", restored, restores=True)

    # What must hold.

    def check(self, before: World, act: Act) -> None:
        try:
            self._check(before, act)
        except Broken as broken:
            broken.act = act
            raise

    def _check(self, before: World, act: Act) -> None:
        then = act.then
        for old, new in ((before.a, then.a), (before.b, then.b)):
            gone = {n for n in old.waiting - new.waiting if not act.withdraws or old.role == "partner"}
            heard = {act.hears.body.n} if act.hears and act.hears.body.sender == old.role else set()
            self.must(
                5,
                act.restores or act.compares or gone <= heard,
                f"nobody hears of message {gone} of {_name(old.role)} again",
            )
            if not (act.restores or act.compares):
                self.must(4, old.outcome in (None, new.outcome), f"{old.outcome} becomes {new.outcome}")
        answers = {word.body for word in then.a.got if word.body.type == "response"}
        decided = {body for body in then.b.sent if body.type == "response"}
        self.must(4, answers <= decided and len(decided) <= 1, "A holds a response that B does not stand by")
        if _rests(then) and not any(self.compares(then)):
            states = then.a.state, then.b.state
            taken = {(w.body.sender, w.body.n): w.body for w in (*then.a.got, *then.b.got)}
            bodies = [taken.get((b.sender, b.n), b) == b for b in (*then.a.sent, *then.b.sent)]
            self.must("one body", all(bodies), "nothing waits, and two bodies stand at one place")
            outcomes = {then.a.outcome, then.b.outcome}
            self.must("one outcome", len(outcomes) == 1, f"nothing waits, and the outcomes are {outcomes}")
            agrees = states in AGREED or (then.a.life and states in AGREED_AFTER_RESTORE)
            self.must("agreement", agrees, f"nothing waits, and the two sides are {_pair(states)}")


def search(model: Model) -> int:
    """How many worlds there are. Raises Broken where a law does not hold, or what waits can never arrive."""
    start = World()
    came: Came = {start: None}
    back: dict[World, list[World]] = {}
    todo = deque([start])
    while todo:
        world = todo.popleft()
        try:
            for act in model.acts(world):
                model.check(world, act)
                if act.link:
                    back.setdefault(act.then, []).append(world)
                if act.then not in came:
                    came[act.then] = (world, act)
                    todo.append(act.then)
        except Broken as broken:
            raise Broken(broken.law, broken.what, trace(came, world, broken.act)) from None
    if "agreement" in model.laws and (stuck := _stuck(came, back)):
        raise Broken("agreement", "what waits can never arrive", trace(came, stuck))
    return len(came)


def _stuck(came: Came, back: dict[World, list[World]]) -> World | None:
    """The first world from which the link alone cannot carry everything that waits."""
    settles = {world for world in came if _rests(world)}
    todo = list(settles)
    while todo:
        for world in back.get(todo.pop(), ()):
            if world not in settles:
                settles.add(world)
                todo.append(world)
    return next((world for world in came if world not in settles), None)


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


def _first(body: Body, withdrew: bool) -> int:
    if body.type == "request":
        return 1
    return 0 if withdrew and body.type == "withdrawal" else 2


def _rivals(held: Body, body: Body) -> bool:
    return (held.sender, held.n) == (body.sender, body.n) or held.type == body.type == "response"


def _backups(world: World, side: Side) -> tuple[Side | None, Side | None]:
    return (side, world.backups[1]) if side.role == "primary" else (world.backups[0], side)


def _name(role: Role) -> str:
    return "A" if role == "primary" else "B"


def _pair(states: tuple[State | None, State | None]) -> str:
    return f"A {states[0] or '-'}, B {states[1] or '-'}"
