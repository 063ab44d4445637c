"""An exchange as the standard's sequence diagram, in 80 columns of text."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import groupby
from textwrap import wrap
from typing import NamedTuple

from acmx.domain.acm1 import Exchange, Step
from acmx.domain.steps import PARTIES, STEPS, Party, ProcedureStep

WIDTH = 80
LIFELINES = dict(zip(PARTIES, (10, 28, 46, 64), strict=True))
TIME_AT = 72
NOTE_AT = 12


class Pens(NamedTuple):
    """The characters to draw with. `solid` and `dashed` are lines with their heads to the left and right."""

    lifeline: str
    solid: tuple[str, str, str]
    dashed: tuple[str, str, str]
    box: tuple[str, str]
    marks: dict[str, str]


LINES = Pens(
    "│",
    ("─", "◀", "▶"),
    ("┄", "◁", "▷"),
    ("┤", "├"),
    {"done": "✓", "waiting": "…", "not-taken": "-", "failed": "✗", "elsewhere": "○", "ahead": "·"},
)
ASCII = Pens(
    "|",
    ("-", "<", ">"),
    (".", "<", ">"),
    ("[", "]"),
    {"done": "+", "waiting": "*", "not-taken": "-", "failed": "!", "elsewhere": "o", "ahead": "."},
)
TAKEN = frozenset({"done", "failed"})


class Line(NamedTuple):
    """A line of the diagram; `status` is that of the step it belongs to, "" for what is no step."""

    text: str
    status: str


def pens_for(encoding: str | None) -> Pens:
    """The pens that an output with this encoding can show."""
    marks = "".join([LINES.lifeline, *LINES.solid, *LINES.dashed, *LINES.box, *LINES.marks.values()])
    try:
        marks.encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return LINES


def diagram(exchange: Exchange, here: str, pens: Pens = LINES) -> list[Line]:
    """The 18 steps of an exchange as the MC system `here` knows them. No line is longer than 80 characters."""
    return [*_head(exchange, here), *_body(exchange, pens), Line(_legend(pens), "")]


def _head(exchange: Exchange, here: str) -> Iterator[Line]:
    other = exchange.partner if exchange.role == "primary" else here
    yield Line(_labels({19: f"A: {exchange.primary}", 55: f"B: {other}"}, 34), "")
    yield Line(_labels({at: " ".join(party.split()[:2]) for party, at in LIFELINES.items()}, 16), "")


def _body(exchange: Exchange, pens: Pens) -> Iterator[Line]:
    known = {step.n: step for step in exchange.steps}
    steps = [(step, known.get(step.n, Step(step.n, "ahead"))) for step in STEPS]
    day = ""
    for note, noted in groupby(steps, lambda pair: pair[1].note):
        status = ""
        for step, progress in noted:
            status = progress.status
            if progress.at and (today := _utc(progress.at, "%Y-%m-%d")) != day:
                day = today
                yield Line(_put(_lifelines(pens), day, WIDTH - len(day)), "")
            yield Line(_step(step, progress, pens), status)
        for text in wrap(note or "", TIME_AT - NOTE_AT, break_on_hyphens=False):
            yield Line(_put(_lifelines(pens), text, NOTE_AT), status)


def _step(step: ProcedureStep, progress: Step, pens: Pens) -> str:
    row = _lifelines(pens)
    if step.source == step.target:
        left, right = pens.box
        box = f"{left}{step.text}{right}"
        row = _put(row, box, LIFELINES[step.source] - len(box) // 2)
    else:
        row = _put(row, *_arrow(step.source, step.target, step.text, progress.status, pens))
    row = _put(row, f"{pens.marks.get(progress.status, '?')} {step.n:2}", 0)
    return _put(row, _utc(progress.at, "%H:%M:%S") if progress.at else "", TIME_AT).rstrip()


def _arrow(source: Party, target: Party, text: str, status: str, pens: Pens) -> tuple[str, int]:
    line, to_left, to_right = pens.solid if status in TAKEN else pens.dashed
    left, right = sorted((LIFELINES[source], LIFELINES[target]))
    shaft = f" {text} ".center(right - left - 2, line)
    broken = pens.marks["failed"] if status == "failed" else ""
    if LIFELINES[source] == left:
        return f"{shaft}{broken or to_right}", left + 1
    return f"{broken or to_left}{shaft}", left + 1


def _labels(centred: dict[int, str], widest: int) -> str:
    row = " " * WIDTH
    for at, label in centred.items():
        shown = label if len(label) <= widest else f"{label[: widest - 3]}..."
        row = _put(row, shown, at - len(shown) // 2)
    return row.rstrip()


def _legend(pens: Pens) -> str:
    return "   ".join(f"{mark} {status.replace('-', ' ')}" for status, mark in pens.marks.items())


def _lifelines(pens: Pens) -> str:
    row = " " * WIDTH
    for at in LIFELINES.values():
        row = _put(row, pens.lifeline, at)
    return row


def _put(row: str, text: str, at: int) -> str:
    return row[:at] + text + row[at + len(text) :]


def _utc(moment: datetime, form: str) -> str:
    return format(moment.astimezone(UTC), form)
