"""What the migrations make, and whether it is there: tables, columns, indexes."""

from collections.abc import Collection, Iterable, Sequence
from contextlib import closing
from functools import lru_cache

import apsw

from acmx.domain.errors import Misconfigured
from acmx.storage.migrations import Migration, require_known

_SHOWN = 5
_PARTS = """
    SELECT 'table ' || name FROM sqlite_schema WHERE type = 'table'
    UNION ALL SELECT 'column ' || t.name || '.' || c.name FROM sqlite_schema t, pragma_table_info(t.name) c
      WHERE t.type = 'table'
    UNION ALL SELECT 'index ' || name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL
"""


def parts(connection: apsw.Connection) -> frozenset[str]:
    """`table T`, `column T.C` and `index I`, each that is there."""
    return frozenset(str(name) for (name,) in connection.execute(_PARTS))


def require(
    present: int, there: Iterable[str], known: Sequence[Migration], besides: Collection[str] = ()
) -> None:
    """Raise Misconfigured where a database has another version than these migrations make, or lacks a part of it.

    `besides`: parts of an engine's own.
    """
    require_known(present, known)
    missing = sorted(_made(tuple(known)).union(besides).difference(there))
    tables = [part.removeprefix("table ") for part in missing if part.startswith("table ")]
    lost = [part for part in missing if part.removeprefix("column ").partition(".")[0] not in tables]
    if lost:
        more = f" and {len(lost) - _SHOWN} more" if len(lost) > _SHOWN else ""
        raise Misconfigured(
            f"The database lacks {', '.join(lost[:_SHOWN])}{more}: somebody has changed it, or it is damaged. "
            "Restore a backup (acmx restore)."
        )


@lru_cache(4)
def _made(known: tuple[Migration, ...]) -> frozenset[str]:
    with closing(apsw.Connection(":memory:")) as connection:
        for migration in known:
            connection.execute(migration.script)
        return parts(connection)
