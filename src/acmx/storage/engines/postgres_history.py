"""Which history of the database this process has seen, so that no other one is taken for it.

A failover to a standby that lags, or a data directory put back, takes away what was acknowledged; a former primary
that is still up knows nothing of what came after it. So every batch leaves a row with a random mark (`batch`). It is
the history that was seen, or goes on from it, where the server has the same system identifier, a timeline that is not
lower, and the last mark that this process has acknowledged, or a later one of its own. Whoever takes in another
history first leaves the mark of that batch in `taken_in`: where one stands that was not seen before, somebody has.
"""

import secrets
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from time import monotonic, time
from typing import Any, Final, NamedTuple, cast

import msgspec
import psycopg
import structlog
from msgspec import Struct

from acmx.domain.errors import Misconfigured
from acmx.storage.engine import Act, NewHistory
from acmx.storage.engines.postgres_connection import Connection, host_of
from acmx.storage.engines.postgres_troubles import REASONS, Emptied, FormerPrimary

TIMELINE: Final = "('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int"
"""Of what is being written: the control file tells it only after the next checkpoint."""
WHICH: Final = f"SELECT (SELECT system_identifier::text FROM pg_control_system()), {TIMELINE}"  # noqa: S608
"""System identifier and timeline of the server that is asked."""
TAKEN_IN: Final = "ARRAY(SELECT mark FROM taken_in)"
SAVE_EVERY: Final = 5.0
KEPT_DAYS: Final = 30
"""So long the newest row of each process is kept."""
_REMEMBERED: Final = 10_000
_NEWEST_OF: Final = "SELECT COALESCE(MAX(serial), 0) FROM batch WHERE process = $1"
_SURE_FOR: Final = (KEPT_DAYS - 1) * 86_400
log = structlog.get_logger()


class Batch(NamedTuple):
    """What a process committed together; `exchanges` are those of which it was journalled, `acts` what people did."""

    serial: int
    mark: str
    process: str
    exchanges: frozenset[tuple[str, str]] = frozenset()
    acts: frozenset[Act] = frozenset()


class Seen(Struct, frozen=True):
    """What a process keeps in its directory: the last batch, and which changes were taken in; `at` in seconds."""

    system_identifier: str
    timeline: int
    serial: int
    mark: str
    process: str
    taken_in: tuple[str, ...]
    at: float

    def require(self, connection: Connection) -> None:
        """Raise FormerPrimary where this is no server to begin with."""
        identifier, timeline = connection.execute(WHICH).fetchone() or ("", 0)
        require(connection, (identifier, timeline), (self.system_identifier, self.timeline))


def seen_before(file: Path | None) -> Seen | None:
    """What the directory keeps. Raises Misconfigured."""
    if file is None:
        return None
    try:
        return msgspec.json.decode(file.read_bytes(), type=Seen)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise Misconfigured(f"{file}: {error}") from error


def require(connection: psycopg.BaseConnection[Any], found: tuple[str, int], seen: tuple[str, int]) -> None:
    """Raise FormerPrimary where the server of that system identifier and timeline is another, or is behind."""
    if found[0] != seen[0] or found[1] < seen[1]:
        raise FormerPrimary(
            f"{host_of(connection)} is system {found[0]}, timeline {found[1]} "
            f"instead of {seen[0]}, timeline {seen[1]} or later"
        )


class History:
    """The view of one process. `file` keeps it over a restart; None: nothing does."""

    def __init__(self, first: Connection, file: Path | None, seen: Seen | None) -> None:
        """`seen`: what the file tells of. Raises psycopg.Error; Misconfigured where the table `batch` is empty."""
        self.process = secrets.token_hex(8)
        self._file = file
        self._saved = 0.0
        self._recent: deque[Batch] = deque(maxlen=_REMEMBERED)
        self._system_identifier, self.timeline = _row(first, WHICH)
        self.last, taken_in = _newest(first)
        self._taken_in = self._found = taken_in
        self.sent: Batch | None = None
        self.at_start = None if seen is None else self._since(first, seen)
        """What happened since the directory was served last, until it has been taken in."""
        self._changed = False
        self.changes = 0
        """How often another history was taken in: what is connected since before may lead to the former one."""

    def _since(self, first: Connection, seen: Seen) -> NewHistory | None:
        """What has happened to the database since this directory was served last."""
        lost = _newest_of(first, seen.process) < seen.serial and time() - seen.at < _SURE_FOR
        if not lost and self.timeline == seen.timeline:
            return None
        first_ = self._taken_in.issubset(seen.taken_in)
        return NewHistory(seen.timeline, self.timeline, lost, first_, at_start=True)

    def require(self, connection: Connection) -> None:
        """Raise FormerPrimary where this is no server to speak to."""
        self.require_not_before(connection, *_row(connection, WHICH))

    def require_not_before(
        self, connection: psycopg.BaseConnection[Any], identifier: str | None, timeline: int
    ) -> None:
        """The same, of what the server has said; None: it is known to be the same system."""
        seen = self._system_identifier
        require(connection, (identifier or seen, timeline), (seen, self.timeline))

    def change(
        self, connection: Connection, timeline: int, mark: str | None, taken_in: Iterable[str]
    ) -> NewHistory | None:
        """What has become of what was seen, where `mark` stands in the place of the last one."""
        self._found = frozenset(taken_in)
        newest = self.last.serial
        if mark == self.last.mark:
            self._changed = False
        else:
            newest = _newest_of(connection, self.last.process)
        lost = newest < self.last.serial
        if timeline == self.timeline and not lost and not self._changed:
            self._taken_in = self._found
            return self.at_start
        self._changed = True
        gone = [batch for batch in self._recent if lost and batch.serial > newest]
        exchanges = frozenset[tuple[str, str]]().union(*(batch.exchanges for batch in gone))
        acts = frozenset[Act]().union(*(batch.acts for batch in gone))
        first = self._found <= self._taken_in
        return NewHistory(self.timeline, timeline, lost, first, exchanges=exchanges, acts=acts)

    def acknowledge(self, batch: Batch, timeline: int, *, anew: bool) -> None:
        """It is committed as durably as the database was set up to; `anew`: the change has been taken in with it."""
        self.timeline, self.last = timeline, batch
        if anew:
            self.at_start, self._changed = None, False
            self._taken_in = self._found | {batch.mark}
            self.changes += 1
            self._recent.clear()
        self.remember(batch)
        if anew or monotonic() - self._saved >= SAVE_EVERY:
            self.save()

    def remember(self, batch: Batch) -> None:
        """What was acknowledged with it, should it be lost."""
        if batch.exchanges or batch.acts:
            self._recent.append(batch)

    def save(self) -> None:
        """For the next start, unless what was found at this one has not been taken in.

        Where that fails, the next start compares with the partners all the same.
        """
        if self._file is None or self.at_start is not None:
            return
        self._saved = monotonic()
        last, known = self.last, tuple(sorted(self._taken_in))
        seen = Seen(
            self._system_identifier, self.timeline, last.serial, last.mark, last.process, known, time()
        )
        draft = self._file.with_name(f"{self._file.name}.{self.process}")
        try:
            draft.write_bytes(msgspec.json.encode(seen))
            draft.replace(self._file)
        except OSError as error:
            log.warning(
                "what was seen of the database could not be kept", file=str(self._file), error=str(error)
            )


def _newest(connection: Connection) -> tuple[Batch, frozenset[str]]:
    """The newest batch, and which changes were taken in."""
    row = connection.execute(
        f"SELECT serial, mark, process, {TAKEN_IN} FROM batch ORDER BY serial DESC LIMIT 1"  # noqa: S608
    ).fetchone()
    if row is None:
        raise Misconfigured(REASONS[Emptied])
    return Batch(*row[:3]), frozenset(row[3])


def _newest_of(connection: Connection, process: str) -> int:
    return cast("int", _row(connection, _NEWEST_OF, process)[0])


def _row(connection: Connection, asked: str, *values: str) -> tuple[Any, ...]:
    return connection.execute(asked, values).fetchone() or ()
