"""Whose database it is: the MC system ID, kept when the database is made or brought up to date."""

from collections.abc import Collection

import msgspec

from acmx.domain.errors import Misconfigured
from acmx.storage.engine import Tx
from acmx.storage.partnership import published

_PARTS = ("table own_system", "table published")


class _Metadata(msgspec.Struct):
    """Of what was published, whose it is."""

    system: str


def keep(tx: Tx, system: str) -> None:
    """Safe to run twice."""
    tx.execute(
        "INSERT INTO own_system (id) SELECT :id WHERE NOT EXISTS (SELECT 1 FROM own_system)", {"id": system}
    )


def require(tx: Tx, system: str) -> None:
    """Raise Misconfigured where the database is not that of this MC system."""
    if _find(tx) is None:
        raise Misconfigured("The database does not say whose it is: run acmx migrate.")
    require_no_other(tx, _PARTS, system)


def require_no_other(tx: Tx, parts: Collection[str], system: str) -> None:
    """Raise Misconfigured where the database is that of another MC system; `parts` of the schema are there."""
    owner = _find(tx, parts)
    if owner not in (None, system):
        raise Misconfigured(
            f"The database is that of {owner}, the configuration is that of {system}: put `system` back, "
            f"or name the database of {system}. An MC system keeps its ID."
        )


def _find(tx: Tx, parts: Collection[str] = _PARTS) -> str | None:
    """Before there was a place for it, what was published said it; None: nothing does."""
    row = tx.row("SELECT id FROM own_system") if "table own_system" in parts else None
    if row is not None:
        return str(row[0])
    last = published.latest(tx) if "table published" in parts else None
    return msgspec.json.decode(last.body, type=_Metadata).system if last else None
