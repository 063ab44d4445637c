"""What the measures found: each ratio or figure with its aim, for the table and the JSON file of `python -m bench`."""

import os
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

FILE = "ACMX_BENCH_RESULTS"
"""The variable that names the file to which measures add their lines; without it nothing is kept."""


class Result(Struct, frozen=True, omit_defaults=True):
    """`aim` is what `value` should be at least or at most, if there is one."""

    measure: str
    what: str
    value: float
    unit: str = ""
    aim: float | None = None
    side: Literal["at least", "at most"] = "at least"

    @property
    def met(self) -> bool | None:
        if self.aim is None:
            return None
        return self.value >= self.aim if self.side == "at least" else self.value <= self.aim


def keep(measure: str, what: str, value: float, unit: str = "") -> None:
    """A figure without an aim."""
    _add(Result(measure, what, value, unit))


def at_least(aim: float, measure: str, what: str, value: float, unit: str = "") -> None:
    _add(Result(measure, what, value, unit, aim))


def at_most(aim: float, measure: str, what: str, value: float, unit: str = "") -> None:
    _add(Result(measure, what, value, unit, aim, "at most"))


def read(file: Path) -> list[Result]:
    return [msgspec.json.decode(line, type=Result) for line in file.read_bytes().splitlines()]


def _add(result: Result) -> None:
    if file := os.environ.get(FILE):
        with Path(file).open("ab") as kept:
            kept.write(msgspec.json.encode(result) + b"\n")
