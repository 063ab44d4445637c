"""What `acmx doctor` says of the database, whichever engine it is; nothing in it is changed."""

import time
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path

import apsw

from acmx.bootstrap.create import TLS
from acmx.bootstrap.database import DATABASE, require_postgres, snapshot
from acmx.config import Config
from acmx.domain.acm1 import Finding
from acmx.domain.errors import AcmxError, Misconfigured
from acmx.domain.findings import failed, ok, warning
from acmx.domain.moments import TOLERANCE, from_ms, text
from acmx.flows import warn_of_expiry
from acmx.storage import clock_holds, journal, migrations, partners, sqlite_connection
from acmx.storage.engine import Tx
from acmx.trust import certificates

MIB = 1024 * 1024
LARGE_WAL = 256 * MIB
SLOW_ANSWER = 0.02
CLOCKS_APART_MS = 60_000


def examine(directory: Path, config: Config, now: datetime) -> tuple[None, list[Finding]]:
    """A server that runs meanwhile is not disturbed. Raises AcmxError, apsw.Error."""
    found = list(_postgres(config.database) if config.database else _sqlite(directory / DATABASE))
    if all(finding.status == "ok" for finding in found if finding.name == "schema"):
        with snapshot(directory, config) as tx:
            found += [_clock(tx, now), *_partners_clocks(tx)]
            found += warn_of_expiry.findings(warn_of_expiry.of_partners(tx), now)
            found += _confirmed(tx, directory / TLS / "acm2.pem")
    return None, found


def _sqlite(path: Path) -> Iterator[Finding]:
    sqlite_connection.require_safe_library()
    yield ok("SQLite", apsw.sqlite_lib_version())
    with closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)) as connection:
        connection.set_busy_timeout(sqlite_connection.BUSY_MS)
        yield _integrity(connection)
        yield _schema(sqlite_connection.present(connection))
    yield _wal(path)


def _postgres(url: str) -> Iterator[Finding]:
    require_postgres()
    from acmx.storage import postgres_offline, postgres_schema  # noqa: PLC0415

    with postgres_offline.connected(url) as connection:
        facts = postgres_offline.facts(connection)
        yield ok("PostgreSQL", facts.version)
        began = time.perf_counter()
        connection.execute("SELECT 1")
        seconds = time.perf_counter() - began
        yield (ok if seconds < SLOW_ANSWER else warning)("database", f"answers in {seconds * 1000:.1f} ms")
        if facts.risky:
            yield failed("durability", f"{', '.join(facts.risky)}: what is acknowledged may be lost")
        else:
            yield ok("durability", "every commit is fsynced")
        yield _schema(postgres_schema.present(connection))


def _integrity(connection: apsw.Connection) -> Finding:
    said = connection.pragma("quick_check")
    return ok("database", "is intact") if said == "ok" else failed("database", f"is damaged: {said}")


def _schema(present: int) -> Finding:
    try:
        migrations.require_known(present, migrations.load())
    except Misconfigured as error:
        return failed("schema", error.detail)
    return ok("schema", f"{present}")


def _wal(path: Path) -> Finding:
    log = path.with_name(f"{path.name}-wal")
    size = log.stat().st_size if log.exists() else 0
    words = f"{size / MIB:.1f} MiB"
    return ok("write-ahead log", words) if size < LARGE_WAL else warning("write-ahead log", words)


def _clock(tx: Tx, now: datetime) -> Finding:
    if held := clock_holds.every(tx):
        reasons = "; ".join(hold.reason for hold in held)
        return failed("clock", f"in doubt: {reasons}. Nothing expires until: acmx clock confirm")
    newest = journal.page(tx, before=None, limit=1)
    if newest and from_ms(newest[0].at) - now > TOLERANCE:
        return failed(
            "clock", f"says {text(now)}, but the journal was last written at {text(from_ms(newest[0].at))}"
        )
    return ok("clock", text(now))


def _partners_clocks(tx: Tx) -> Iterator[Finding]:
    known = [partner for partner in partners.every(tx) if partner.clock_difference is not None]
    for partner in known:
        difference = partner.clock_difference or 0
        words = (
            f"was {abs(difference) / 1000:.1f} s {'ahead' if difference > 0 else 'behind'} when last heard"
        )
        apart = abs(difference) > CLOCKS_APART_MS
        yield (warning if apart else ok)(f"clock of {partner.id}", words)


def _confirmed(tx: Tx, certificate: Path) -> Iterator[Finding]:
    """Whether the partners that have said what they take have pinned the certificate that they are shown."""
    with suppress(OSError, AcmxError):
        lacks = partners.without_certificate(tx, certificates.fingerprint_of_pem(certificate.read_text()))
        said = {partner.id for partner in partners.every(tx) if partner.certificates_there is not None}
        cut_off = sorted(said.intersection(lacks))
        if cut_off:
            yield failed("acm2 certificate", f"is not confirmed by {', '.join(cut_off)}")
