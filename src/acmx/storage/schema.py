"""What the migrations make, and whether it is there: tables, columns, indexes."""

from collections.abc import Collection, Sequence
from contextlib import closing
from functools import lru_cache

import apsw

from acmx.domain.errors import Misconfigured
from acmx.storage.migrations import Migration, done, pending, require_newest

_SHOWN = 5
_PARTS = """
    SELECT 'table ' || name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'
    UNION ALL SELECT 'column ' || t.name || '.' || c.name FROM sqlite_schema t, pragma_table_info(t.name) c
      WHERE t.type = 'table'
    UNION ALL SELECT 'index ' || name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL
"""


def parts(connection: apsw.Connection) -> frozenset[str]:
    """`table T`, `column T.C` and `index I`, each that is there."""
    return frozenset(str(name) for (name,) in connection.execute(_PARTS))


def require(
    present: int, there: Collection[str], known: Sequence[Migration], besides: Collection[str] = ()
) -> None:
    """Raise Misconfigured where a database has another version than these migrations make, or lacks a part of it.

    `besides`: parts of an engine's own.
    """
    require_whole(present, frozenset(there).difference(besides), known)
    require_any(present)
    require_newest(present, known)
    _require_parts(besides, there)


def require_whole(present: int, there: Collection[str], known: Sequence[Migration]) -> None:
    """Raise Misconfigured as `require_own`, and where a part is missing of what makes a database of this version."""
    require_own(present, there, known)
    _require_parts(_made(tuple(done(present, known))), there)


def require_own(present: int, there: Collection[str], known: Sequence[Migration]) -> None:
    """Raise Misconfigured where a database has tables of others only, or a version that none of these migrations makes.

    `there`: without the parts of an engine's own. An empty one will do.
    """
    tables = {part for part in there if part.startswith("table ")}
    if tables and (not present or tables.isdisjoint(_made(tuple(known[:1])))):
        raise Misconfigured(
            f"The database has no schema of an ACM server, but {_few(tables)}: it is another application's, or "
            "damaged. See that it is the right one; acmx init and acmx restore want an empty one."
        )
    pending(present, known)


def require_any(present: int) -> None:
    """Raise Misconfigured where a database has no schema."""
    if not present:
        raise Misconfigured(
            "The database is empty. See that it is the right one, or restore a backup (acmx restore): "
            "nothing but acmx init and acmx restore makes one."
        )


def _require_parts(made: Collection[str], there: Collection[str]) -> None:
    missing = frozenset(made).difference(there)
    tables = [part.removeprefix("table ") for part in missing if part.startswith("table ")]
    lost = [part for part in missing if part.removeprefix("column ").partition(".")[0] not in tables]
    if lost:
        raise Misconfigured(
            f"The database lacks {_few(lost)}: somebody has changed it, or it is damaged. "
            "Restore a backup (acmx restore)."
        )


def _few(parts: Collection[str]) -> str:
    more = f" and {len(parts) - _SHOWN} more" if len(parts) > _SHOWN else ""
    return f"{', '.join(sorted(parts)[:_SHOWN])}{more}"


@lru_cache(4)
def _made(known: tuple[Migration, ...]) -> frozenset[str]:
    with closing(apsw.Connection(":memory:")) as connection:
        for migration in known:
            connection.execute(migration.script)
        return parts(connection)
