"""An exchange as the standard's sequence diagram: where each arrow, box and word of the picture stands.

Lengths are in units of the picture, which is WIDTH wide.
"""

from collections.abc import Iterator
from datetime import datetime
from textwrap import wrap

from msgspec import Struct
from msgspec.structs import replace

from acmx.domain.acm1 import Exchange, Step
from acmx.domain.exchange import Event, Role
from acmx.domain.steps import PARTIES, STEPS, Party, ProcedureStep
from acmx.faces.console.exchange.notes import Note, note_of

WIDTH = 800
TOP = 76
ROW = 34
LINE = 19
LONGEST = 96
LONGEST_NAME = 38
PLACES: dict[Party, int] = dict(zip(PARTIES, (110, 260, 410, 560), strict=True))
_, SERVER_A, SERVER_B, _ = PARTIES
WITHDRAWALS = {("primary", Event.WITHDRAWAL_ASKED), ("partner", Event.WITHDRAWAL)}


class Words(Struct, frozen=True):
    """A line below a step, and the moment it ends with."""

    text: str
    at: datetime | None
    y: int


class Mark(Struct, frozen=True):
    """A row of the picture. `n` is 0 beside the 18 steps; where `x` and `to` are the same, a party works for itself."""

    n: int
    text: str
    status: str
    at: datetime | None
    x: int
    to: int
    y: int
    words: tuple[Words, ...] = ()
    note: Note | None = None


class Picture(Struct, frozen=True):
    """`a` and `b` are the names of the MC systems; `marks` the 18 steps, `beside` what was told beside them."""

    a: str
    b: str
    marks: list[Mark]
    beside: list[Mark]
    beside_y: int
    height: int


def picture(exchange: Exchange, here: str) -> Picture:
    """As the MC system `here` knows it."""
    other = exchange.partner if exchange.role == "primary" else here
    y = TOP
    marks: list[Mark] = []
    for step, note in _told_once(exchange):
        mark = _mark(STEPS[step.n - 1], step, note, y)
        marks.append(mark)
        y += ROW + LINE * len(mark.words)
    beside_y = y
    beside = []
    for n, (text, at, source, target) in enumerate(sorted(_beside(exchange), key=lambda told: told[1])):
        at_y = beside_y + ROW * (n + 1)
        beside.append(Mark(0, text, "done", at, PLACES[source], PLACES[target], at_y))
    height = beside_y + (ROW * (len(beside) + 1) if beside else 0) + LINE
    return Picture(_cut(exchange.primary), _cut(other), marks, beside, beside_y, height)


def _told_once(exchange: Exchange) -> Iterator[tuple[Step, Note | None]]:
    """Every step, and what is to be said below it: what holds for several in a row below the last of them."""
    steps = [step for step in exchange.steps if 1 <= step.n <= len(STEPS)]
    notes = [note_of(step, exchange) for step in steps]
    for step, note, following in zip(steps, notes, [*notes[1:], None], strict=True):
        yield step, None if note == following else note


def _mark(drawn: ProcedureStep, step: Step, note: Note | None, y: int) -> Mark:
    words: tuple[Words, ...] = ()
    if note is not None:
        lines = [
            line for part in note.text.split("\n") for line in wrap(part, LONGEST, break_on_hyphens=False)
        ]
        words = tuple(Words(line, None, y + ROW + LINE * n) for n, line in enumerate(lines))
        if note.at is not None:
            words = (*words[:-1], replace(words[-1], at=note.at))
    source, target = PLACES[drawn.source], PLACES[drawn.target]
    return Mark(step.n, drawn.text, step.status, step.at, source, target, y, words, note)


def _beside(exchange: Exchange) -> Iterator[tuple[str, datetime, Party, Party]]:
    """What the two systems told each other beside the 18 steps."""
    for remark in exchange.conversation:
        asks = remark.type == "question"
        yield remark.type, remark.at, *((SERVER_B, SERVER_A) if asks else (SERVER_A, SERVER_B))
    for told in exchange.updates:
        yield "update", told.created_at, SERVER_B, SERVER_A
    for taken in exchange.revocations:
        yield "revocation", taken.created_at, SERVER_B, SERVER_A
    for entry in exchange.journal:
        if _is_withdrawal(exchange.role, entry.event):
            yield "withdrawal", entry.at, SERVER_A, SERVER_B


def _is_withdrawal(role: Role, event: str) -> bool:
    return (role, event) in WITHDRAWALS


def _cut(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
