"""Which history of the database this process has seen, so that no other one is taken for it.

A failover to a standby that lags, or a data directory put back, takes away what was acknowledged; a former primary
that is still up knows nothing of what came after it. So every batch leaves a row with a random mark (`batch`). It is
the history that was seen, or goes on from it, where the server has the same system identifier, a timeline that is not
lower, and the last mark that this process has acknowledged.
"""

import secrets
from collections import deque
from pathlib import Path
from time import monotonic, time
from typing import Final, NamedTuple, cast

import msgspec
import structlog
from msgspec import Struct

from acmx.domain.errors import Misconfigured
from acmx.storage.engine import NewHistory
from acmx.storage.postgres_connection import Connection
from acmx.storage.postgres_troubles import FormerPrimary

IDENTIFIER: Final = "(SELECT system_identifier::text FROM pg_control_system())"
TIMELINE: Final = "('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int"
"""Of what is being written: the control file tells it only after the next checkpoint."""
SAVE_EVERY: Final = 5.0
KEPT_DAYS: Final = 30
"""So long the newest row of each process is kept."""
_REMEMBERED: Final = 10_000
_NEWEST_OWN: Final = "SELECT COALESCE(MAX(serial), 0) FROM batch WHERE process = $1"
_WRITTEN_ON: Final = "SELECT 1 FROM batch WHERE timeline = $1 LIMIT 1"
_SURE_FOR: Final = (KEPT_DAYS - 1) * 86_400
log = structlog.get_logger()


class Batch(NamedTuple):
    """What was committed together; `exchanges` are those of which it was journalled."""

    serial: int
    mark: str
    exchanges: frozenset[tuple[str, str]] = frozenset()


class Seen(Struct, frozen=True):
    """What a process keeps in its directory; `at` in seconds."""

    system_identifier: str
    timeline: int
    serial: int
    mark: str
    at: float


class History:
    """The view of one process. `file` keeps it over a restart; None: nothing does."""

    def __init__(self, first: Connection, file: Path | None) -> None:
        """Raises Misconfigured where the database is not the one that the file tells of; psycopg.Error."""
        self.process = secrets.token_hex(8)
        self._file = file
        self._saved = 0.0
        self._recent: deque[Batch] = deque(maxlen=_REMEMBERED)
        self._system_identifier, self.timeline, serial, mark = _present(first)
        self.last = Batch(serial, mark)
        self.sent: Batch | None = None
        self.at_start = None if file is None else self._since(first, file)
        """What happened since the directory was served last, until it has been taken in."""

    def _since(self, first: Connection, file: Path) -> NewHistory | None:
        """What has happened to the database since this directory was served last."""
        try:
            seen = msgspec.json.decode(file.read_bytes(), type=Seen)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError) as error:
            raise Misconfigured(f"{file}: {error}") from error
        if self._system_identifier != seen.system_identifier or self.timeline < seen.timeline:
            raise Misconfigured(
                f"This is not the database that was served from here, or a former primary of it: system "
                f"{self._system_identifier}, timeline {self.timeline} instead of {seen.system_identifier}, "
                f"timeline {seen.timeline} or later. If it is the one to go on with, remove {file}"
            )
        lost = _mark(first, seen.serial) != seen.mark and time() - seen.at < _SURE_FOR
        if not lost and self.timeline == seen.timeline:
            return None
        return NewHistory(seen.timeline, self.timeline, lost, first=True, at_start=True)

    def require(self, connection: Connection) -> None:
        """Raise FormerPrimary where this is no server to speak to."""
        row = connection.execute(f"SELECT {IDENTIFIER}, {TIMELINE}").fetchone()
        identifier, timeline = row or ("", 0)
        if identifier != self._system_identifier:
            raise FormerPrimary(f"system {identifier} instead of {self._system_identifier}")
        self.require_not_before(timeline)

    def require_not_before(self, timeline: int) -> None:
        """Raise FormerPrimary where the timeline is lower than was seen."""
        if timeline < self.timeline:
            raise FormerPrimary(f"timeline {timeline} after {self.timeline}")

    def change(self, connection: Connection, timeline: int, mark: str | None) -> NewHistory | None:
        """What has become of what was seen, where `mark` stands in the place of the last one."""
        if (timeline, mark) == (self.timeline, self.last.mark):
            return self.at_start
        lost = mark != self.last.mark
        newest = connection.execute(_NEWEST_OWN, [self.process]).fetchone() or (0,)
        gone = (batch.exchanges for batch in self._recent if lost and batch.serial > newest[0])
        exchanges = frozenset[tuple[str, str]]().union(*gone)
        first = timeline == self.timeline or connection.execute(_WRITTEN_ON, [timeline]).fetchone() is None
        return NewHistory(self.timeline, timeline, lost, first, exchanges=exchanges)

    def acknowledge(self, batch: Batch, timeline: int, *, anew: bool) -> None:
        """It is committed as durably as the database was set up to; `anew`: the change has been taken in with it."""
        self.timeline, self.last = timeline, batch
        if anew:
            self.at_start = None
            self._recent.clear()
        self.remember(batch)
        if anew or monotonic() - self._saved >= SAVE_EVERY:
            self.save()

    def remember(self, batch: Batch) -> None:
        """What was acknowledged of these exchanges, should it be lost."""
        if batch.exchanges:
            self._recent.append(batch)

    def save(self) -> None:
        """For the next start, unless what was found at this one has not been taken in.

        Where that fails, the next start compares with the partners all the same.
        """
        if self._file is None or self.at_start is not None:
            return
        self._saved = monotonic()
        seen = Seen(self._system_identifier, self.timeline, self.last.serial, self.last.mark, time())
        draft = self._file.with_name(f"{self._file.name}.{self.process}")
        try:
            draft.write_bytes(msgspec.json.encode(seen))
            draft.replace(self._file)
        except OSError as error:
            log.warning(
                "what was seen of the database could not be kept", file=str(self._file), error=str(error)
            )


def _present(connection: Connection) -> tuple[str, int, int, str]:
    """System identifier and timeline, serial and mark of the newest batch."""
    row = connection.execute(
        f"SELECT {IDENTIFIER}, {TIMELINE}, serial, mark FROM batch ORDER BY serial DESC LIMIT 1"  # noqa: S608
    ).fetchone()
    if row is None:
        raise Misconfigured("The database has lost the table `batch`, or what was in it.")
    return cast("tuple[str, int, int, str]", row)


def _mark(connection: Connection, serial: int) -> str | None:
    row = connection.execute("SELECT mark FROM batch WHERE serial = $1", [serial]).fetchone()
    return row[0] if row else None
