"""The numbered migration scripts: `NNNN_name.sql` beside this file, from 0001 on without a gap."""

import re
from collections.abc import Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import NamedTuple

from acmx.domain.errors import Misconfigured

_FILE_NAME = re.compile(r"(\d{4})_\w+\.sql")


class Migration(NamedTuple):
    """One step of the schema: the script that leads from version `number - 1` to version `number`."""

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
    if numbers != list(range(1, len(found) + 1)):
        raise Misconfigured(f"The migrations are not numbered 1, 2, 3 ...: {numbers}")
    return found


def require_any(present: int) -> None:
    """Raise Misconfigured where a database has no schema."""
    if not present:
        raise Misconfigured(
            "The database is empty. See that it is the right one, or restore a backup (acmx restore): "
            "nothing but acmx init and acmx restore makes one."
        )


def require_known(present: int, known: Sequence[Migration]) -> None:
    """Raise Misconfigured where a database has another schema than the last of these migrations makes."""
    require_any(present)
    if present > len(known):
        raise Misconfigured(
            f"The database has schema {present}; this acmx knows {len(known)}: use the newer acmx."
        )
    if present < len(known):
        raise Misconfigured(
            f"The database has schema {present}; this acmx needs {len(known)}: back it up, then run acmx migrate."
        )
