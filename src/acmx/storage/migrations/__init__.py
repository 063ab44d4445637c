"""The numbered migration scripts: `NNNN_name.sql` beside this file.

The first is the baseline, which makes all that its number says; those after it follow without a gap.
"""

import re
from collections.abc import Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import NamedTuple

from acmx.domain.errors import Misconfigured

_FILE_NAME = re.compile(r"(\d{4})_\w+\.sql")


class Migration(NamedTuple):
    """One step of the schema: the script that leads to version `number` from the one before, or from nothing."""

    number: int
    script: str


def load(folder: Traversable | None = None) -> list[Migration]:
    """The migrations of `folder` (default: those shipped with acmx) in order; a gap raises Misconfigured."""
    entries = sorted((folder or files(__name__)).iterdir(), key=lambda entry: entry.name)
    found = [
        Migration(int(name[1]), entry.read_text(encoding="utf-8"))
        for entry in entries
        if (name := _FILE_NAME.fullmatch(entry.name))
    ]
    numbers = [migration.number for migration in found]
    first = max(1, min(numbers, default=1))
    if numbers != list(range(first, first + len(found))):
        raise Misconfigured(
            f"The migrations are not numbered {first}, {first + 1}, {first + 2} ...: {numbers}"
        )
    return found


def pending(present: int, known: Sequence[Migration]) -> list[Migration]:
    """Return those that a database of this version lacks, in order; 0: it has no schema.

    Raises Misconfigured for a version that none of them makes.
    """
    first, last = known[0].number, known[-1].number
    if 0 < present < first:
        raise Misconfigured(
            f"The database has schema {present}, of an acmx from before the first release; this acmx begins with "
            f"schema {first}. Run acmx migrate of an older acmx that makes schema {first} of it, then that of this "
            "one; or begin anew with acmx init."
        )
    if present > last:
        raise Misconfigured(f"The database has schema {present}; this acmx knows {last}: use the newer acmx.")
    return [migration for migration in known if migration.number > present]


def done(present: int, known: Sequence[Migration]) -> list[Migration]:
    """Return those that make a database of this version. Raises as `pending`."""
    return list(known[: len(known) - len(pending(present, known))])


def require_newest(present: int, known: Sequence[Migration]) -> None:
    """Raise Misconfigured where a database has another version than the last of these migrations makes."""
    if pending(present, known):
        raise Misconfigured(
            f"The database has schema {present}; this acmx needs {known[-1].number}: back it up, then run acmx migrate."
        )
