"""What people see and are asked: the two consoles, questions, and the text of strangers made harmless."""

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from acmx.domain.plain import plain as plain  # noqa: PLC0414

_UNPRINTABLE = re.compile(r"[^\n -~]+")


@cache
def out() -> Console:
    return Console(highlight=False, markup=False, emoji=False)


@cache
def err() -> Console:
    return Console(stderr=True, highlight=False, markup=False, emoji=False)


def cell(value: object, style: str = "") -> Text:
    return Text(plain(str(value)), style)


def time(moment: datetime | None) -> str:
    """A point in time as tables show it: UTC, to the second."""
    return "" if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"


def people(count: int) -> str:
    return f"{count:,} user" if count == 1 else f"{count:,} users"


def print_json(document: Any, indent: int = 2) -> None:
    """`document` as JSON in UTF-8 on stdout, control characters escaped; with `indent` 0 on one line."""
    text = msgspec.json.format(msgspec.json.encode(document), indent=indent).decode()
    sys.stdout.flush()
    sys.stdout.buffer.write(_UNPRINTABLE.sub(_escaped, text).encode() + b"\n")
    sys.stdout.buffer.flush()


def _escaped(found: re.Match[str]) -> str:
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in found[0])


def table(*columns: str) -> Table:
    """A table without lines whose long cells are folded, so that it fits the terminal."""
    empty = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", show_edge=False)
    for column in columns:
        empty.add_column(column, overflow="fold")
    return empty


def facts(rows: dict[str, object], *more: tuple[str, object]) -> Table:
    """Name and value, one a line; those without a value are left out."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim")
    grid.add_column(overflow="fold")
    for name, value in (*rows.items(), *more):
        if value not in (None, "", (), []):
            grid.add_row(cell(name), cell(value))
    return grid


def remarks(rows: dict[str, object]) -> Text:
    """The same as remarks of a TOML document, so that what is shown can be edited and entered again."""
    return cell("\n".join(f"# {name}: {value}" for name, value in rows.items() if value not in (None, "")))


def is_interactive() -> bool:
    """Whether somebody is there to answer a question."""
    return sys.stdin.isatty()


def ask(question: str) -> bool:
    """Yes or no; no answer is no."""
    return answer(f"{question} [y/N]").lower() in {"y", "yes"}


def answer(question: str) -> str:
    """What was typed; empty where nothing was."""
    err().print(f"{plain(question)} ", end="")
    try:
        return input().strip()
    except EOFError:
        return ""


@contextmanager
def busy(what: str) -> Iterator[None]:
    """Show on a terminal that work is going on."""
    with err().status(Text(what)):
        yield
