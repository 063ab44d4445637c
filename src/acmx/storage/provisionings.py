"""Jobs that put documents on the CMS, and a row of each for every user and MC service."""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from acmx.domain.acm1 import JobState, Mode, RowState
from acmx.storage import rows
from acmx.storage.engine import Tx

UE = "ue"
"""The service of the row that is the UE initial configuration document: the last one of a job."""


class Job(msgspec.Struct, frozen=True):
    """One job. Times in milliseconds; `services` separated by blanks; `document` as it was when the job was started.

    `mc_system_id` names the partner in the documents, `owner` is the XUI below which the document lies. `total` counts
    the rows that it has once it runs, `failures` how often in a row the CMS did not do its part; `summary` is JSON, how
    many rows there were in each state, once they are gone. `said` is the digest of the message that said last what was
    granted.
    """

    id: str
    primary_system: str
    exchange: str
    partner: str
    mode: Mode
    state: JobState
    mc_system_id: str
    services: str
    catalogue: int
    template: int
    document: bytes | None
    owner: str | None
    total: int
    started_at: int
    started_by: str
    ended_at: int | None = None
    failures: int = 0
    next_attempt_at: int = 0
    last_error: str | None = None
    rel13: int = 0
    said: str = ""
    summary: str | None = None

    @property
    def ended(self) -> bool:
        return self.state not in ("preparing", "running")


class Row(msgspec.Struct, frozen=True):
    """One document. `doubtful`: a try that nobody answered may have written it; `gone`: nothing of the partner is to be
    in it any more."""

    job: str
    n: int
    xui: str
    service: str
    state: RowState = "waiting"
    attempts: int = 0
    next_attempt_at: int = 0
    doubtful: int = 0
    detail: str = ""
    at: int | None = None
    gone: int = 0


class Wanted(msgspec.Struct, frozen=True):
    """An exchange whose documents are to be put in order. `at` in milliseconds."""

    primary_system: str
    exchange: str
    at: int


class JobChanged(msgspec.Struct, frozen=True, tag=True):
    """Signal: a job was started, or was cancelled."""

    job: str
    state: JobState


_JOB = f"SELECT {rows.columns(Job)} FROM provisioning"  # noqa: S608
_OF_EXCHANGE = f"{_JOB} WHERE primary_system = :primary AND exchange = :exchange"
_ROW = f"SELECT {rows.columns(Row)} FROM provisioning_row"  # noqa: S608
_WANTED = f"SELECT {rows.columns(Wanted)} FROM provisioning_wanted"  # noqa: S608
_INSERT_WANTED = (
    rows.insert("provisioning_wanted", Wanted)
    + " ON CONFLICT (primary_system, exchange) DO UPDATE SET at = :at"
)
_INSERT_JOB = rows.insert("provisioning", Job) + " ON CONFLICT DO NOTHING"
_INSERT_ROW = rows.insert("provisioning_row", Row) + " ON CONFLICT DO NOTHING"
_UPDATE_ROW = (
    f"UPDATE provisioning_row SET {rows.update(Row, without=('job', 'n', 'xui', 'service'))} "  # noqa: S608
    "WHERE job = :job AND n = :n AND state = 'waiting'"
)


def insert(tx: Tx, job: Job) -> bool:
    """False where another job of this exchange is under way."""
    if tx.execute(_INSERT_JOB, rows.params(job)) == 0:
        return False
    tx.signal(JobChanged(job.id, job.state))
    return True


def find(tx: Tx, id_: str) -> Job | None:
    return rows.one(Job, tx.row(f"{_JOB} WHERE id = :id", {"id": id_}))


def of_exchange(tx: Tx, primary: str, exchange: str) -> list[Job]:
    """Newest first."""
    where = {"primary": primary, "exchange": exchange}
    return rows.many(Job, tx.rows(f"{_OF_EXCHANGE} ORDER BY id DESC", where))


def last_done(tx: Tx, primary: str, exchange: str) -> Job | None:
    """The newest job that wrote, or is to write, to the CMS."""
    where = {"primary": primary, "exchange": exchange}
    return rows.one(Job, tx.row(f"{_OF_EXCHANGE} AND mode <> 'preview' ORDER BY id DESC LIMIT 1", where))


def last_starter(tx: Tx, primary: str, exchange: str, but: str) -> str | None:
    """Who started the newest job that `but` did not start."""
    row = tx.row(
        "SELECT started_by FROM provisioning WHERE primary_system = :primary AND exchange = :exchange "
        "AND started_by <> :but ORDER BY id DESC LIMIT 1",
        {"primary": primary, "exchange": exchange, "but": but},
    )
    return row[0] if row else None


def want(tx: Tx, wanted: Wanted) -> None:
    tx.execute(_INSERT_WANTED, rows.params(wanted))


def wanted(tx: Tx, limit: int) -> list[Wanted]:
    """Oldest first."""
    return rows.many(Wanted, tx.rows(f"{_WANTED} ORDER BY at LIMIT :limit", {"limit": limit}))


def no_longer_wanted(tx: Tx, wanted: Wanted) -> bool:
    """False where it is not wanted."""
    return (
        tx.execute(
            "DELETE FROM provisioning_wanted WHERE primary_system = :primary AND exchange = :exchange",
            {"primary": wanted.primary_system, "exchange": wanted.exchange},
        )
        == 1
    )


def under_way(tx: Tx) -> list[Job]:
    """Oldest first."""
    return rows.many(Job, tx.rows(f"{_JOB} WHERE state IN ('preparing', 'running') ORDER BY id"))


def run(tx: Tx, id_: str) -> None:
    """All its rows are there."""
    tx.execute(
        "UPDATE provisioning SET state = 'running' WHERE id = :id AND state = 'preparing'", {"id": id_}
    )


def end(tx: Tx, id_: str, state: JobState, at: int, error: str | None = None) -> bool:
    """False where it had ended."""
    changed = tx.execute(
        "UPDATE provisioning SET state = :state, ended_at = :at, last_error = :error "
        "WHERE id = :id AND state IN ('preparing', 'running')",
        {"id": id_, "state": state, "at": at, "error": error},
    )
    if changed:
        tx.signal(JobChanged(id_, state))
    return changed == 1


def hold(tx: Tx, id_: str, failures: int, until: int, error: str | None) -> None:
    """Nothing is asked for it before `until`; with 0 failures it goes on."""
    tx.execute(
        "UPDATE provisioning SET failures = :failures, next_attempt_at = :until, last_error = :error "
        "WHERE id = :id AND state = 'running'",
        {"id": id_, "failures": failures, "until": until, "error": error},
    )


def release(tx: Tx) -> None:
    """Whatever was held may go on."""
    tx.execute("UPDATE provisioning SET next_attempt_at = 0 WHERE state = 'running' AND next_attempt_at > 0")


def rows_now(tx: Tx) -> None:
    """No row is put off any longer."""
    tx.execute(
        "UPDATE provisioning_row SET next_attempt_at = 0 WHERE state = 'waiting' AND next_attempt_at > 0"
    )


def put_rows(tx: Tx, new: Iterable[Row]) -> None:
    """Those that are there stay as they are."""
    for row in new:
        tx.execute(_INSERT_ROW, rows.params(row))


def last_row(tx: Tx, job: str) -> int:
    """The highest number; -1 where there is none."""
    row = tx.row("SELECT MAX(n) FROM provisioning_row WHERE job = :job", {"job": job})
    return -1 if row is None or row[0] is None else int(row[0])


def record(tx: Tx, row: Row) -> None:
    """What became of a row that waited."""
    tx.execute(_UPDATE_ROW, rows.params(row))


def due(tx: Tx, job: str, now: int, limit: int) -> list[Row]:
    """What is to be done now, in order; the UE initial configuration document when all else has ended."""
    found = _waiting(tx, job, "service <> :ue AND next_attempt_at <= :now", now, limit)
    if not found and not _waiting(tx, job, "service <> :ue", now, 1):
        found = _waiting(tx, job, "service = :ue AND next_attempt_at <= :now", now, limit)
    return found


def next_moment(tx: Tx, job: str) -> int | None:
    """When one of its rows is due; None where none waits."""
    row = tx.row(
        "SELECT MIN(next_attempt_at) FROM provisioning_row WHERE job = :job AND state = 'waiting'",
        {"job": job},
    )
    return row[0] if row else None


class Old(NamedTuple):
    """A job whose rows are past their retention."""

    id: str
    primary: str
    exchange: str


_OLD = "FROM provisioning p WHERE ended_at <= :before AND EXISTS (SELECT 1 FROM provisioning_row WHERE job = p.id)"


def oldest(tx: Tx, before: int) -> Old | None:
    """The first of the jobs that ended before then (milliseconds) and have rows."""
    row = tx.row(f"SELECT id, primary_system, exchange {_OLD} ORDER BY id LIMIT 1", {"before": before})
    return None if row is None else Old(*row)


def past(tx: Tx, before: int) -> int:
    """How many rows have the jobs that ended before then."""
    row = tx.row(
        f"SELECT COUNT(*) FROM provisioning_row WHERE job IN (SELECT id {_OLD})",  # noqa: S608
        {"before": before},
    )
    return row[0] if row else 0


def prune(tx: Tx, job: str, limit: int) -> int:
    """Remove rows of a job that has ended, `limit` at most, and what it wrote; how many there were is kept."""
    summary = msgspec.json.encode(counts(tx, job)).decode()
    tx.execute(
        "UPDATE provisioning SET summary = COALESCE(summary, :summary), document = NULL WHERE id = :id",
        {"id": job, "summary": summary},
    )
    return tx.execute(
        "DELETE FROM provisioning_row WHERE job = :job "
        "AND n IN (SELECT n FROM provisioning_row WHERE job = :job ORDER BY n LIMIT :limit)",
        {"job": job, "limit": limit},
    )


def counts(tx: Tx, job: str) -> dict[RowState, int]:
    found = tx.rows(
        "SELECT state, COUNT(*) FROM provisioning_row WHERE job = :job GROUP BY state", {"job": job}
    )
    return dict(sorted(found))


def page(tx: Tx, job: str, *, state: RowState | None, after: int, limit: int) -> list[Row]:
    """Those after the number `after`, in one state or all."""
    of_state = "AND state = :state " if state else ""
    where = {"job": job, "state": state, "after": after, "limit": limit}
    return rows.many(
        Row, tx.rows(f"{_ROW} WHERE job = :job {of_state}AND n > :after ORDER BY n LIMIT :limit", where)
    )


def _waiting(tx: Tx, job: str, which: str, now: int, limit: int) -> list[Row]:
    where = {"job": job, "ue": UE, "now": now, "limit": limit}
    return rows.many(
        Row,
        tx.rows(f"{_ROW} WHERE job = :job AND state = 'waiting' AND {which} ORDER BY n LIMIT :limit", where),
    )
