"""What two servers have committed, all that was ever sent between them, and what may happen."""

from collections.abc import Callable
from typing import NamedTuple

from acmx.domain.exchange import SETTLED, Event, Role, State, Transition

Table = Callable[[Role, State | None, Event], Transition | None]
OTHER: dict[Role, Role] = {"primary": "partner", "partner": "primary"}
LATER = ("update", "revocation")
EVERY_LAW = frozenset({2, 3, 4, 5, 7, "agreement", "one standing", "first outcome"})
AT_REST = frozenset({"one body", "one outcome", "agreement", "one standing", "first outcome"})
"""What holds of laws 2 and 4 after a restore: where nothing waits and a comparison finds nothing."""


class Body(NamedTuple):
    """A message; two that differ in anything have different digests. `life` counts the restores before.

    `dated`: as the clock of its sender was then, as in `Side`.
    """

    sender: Role
    n: int
    type: str
    text: str
    life: int
    dated: int = 0

    def __str__(self) -> str:
        return f"{self.type} {self.n}{f' ({self.text})' if self.text else ''}"


class Word(NamedTuple):
    """A final answer on its way back: the status of a receipt, or the type of a final refusal."""

    body: Body
    reply: str


class Side(NamedTuple):
    """What one side has committed. `waiting` are the numbers in its outbox, `tried` those that were sent once.

    While a comparison is `due` it sends nothing; `fell` are the bodies that lost their place to an earlier one.

    `clock`: 0 where it is right, 1 while it is ahead, -1 while it is behind, further than anything takes; `lied` once
    it was wrong, `held` while it is in doubt. `off` are the numbers put off until a time that only a wrong clock knows;
    `ended` and `compared` are what the clock was when the exchange last changed, and at the last comparison.
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
    clock: int = 0
    lied: bool = False
    held: bool = False
    off: frozenset[int] = frozenset()
    ended: int = 0
    compared: int = 0

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
    primary. The partner changes what it gives so many times, in each life, and takes back the approval. The clock of
    each side in `lies` is set wrong once, either way, and comes back.
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
    lies: tuple[Role, ...] = ()


class Act(NamedTuple):
    """What happens; `link` where it needs neither a person nor the clock."""

    text: str
    then: World
    link: bool = False
    restores: bool = False
    compares: bool = False
    withdraws: bool = False
    hears: Word | None = None


class Broken(Exception):
    """A law does not hold."""

    def __init__(self, law: int | str, what: str, trace: str = "") -> None:
        name = f"law {law}" if isinstance(law, int) else law
        super().__init__(f"{name} is broken: {what}\n{trace}".rstrip())
        self.law = law
        self.what = what
        self.act: Act | None = None


def standing(side: Side) -> tuple[str, bool]:
    """What the last update gave, and whether the approval was taken back; of no use without a response."""
    held = [*side.sent, *(word.body for word in side.got)]
    if not any(body.type == "response" for body in held):
        return "", False
    later = sorted((body.n, body) for body in held if body.type in LATER and body.sender == "partner")
    given = [body.text for _, body in later if body.type == "update"]
    return given[-1] if given else "", any(body.type == "revocation" for _, body in later)


def over(side: Side) -> bool:
    """Whether it owes the other side nothing more, and nothing is granted."""
    return side.state in SETTLED and (side.outcome != "approved" or standing(side)[1])


def to(question: Body) -> str:
    return f"to question {question.n}.{question.life}"


def name_of(role: Role) -> str:
    return "A" if role == "primary" else "B"


def pair(states: tuple[State | None, State | None]) -> str:
    return f"A {states[0] or '-'}, B {states[1] or '-'}"
