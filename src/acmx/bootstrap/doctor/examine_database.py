"""What `acmx doctor` says of the database, whichever engine it is; nothing in it is changed."""

import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import apsw

from acmx.bootstrap.create import TLS
from acmx.bootstrap.database import DATABASE, read_only, require_postgres, snapshot
from acmx.config import Config
from acmx.domain.acm1 import Finding
from acmx.domain.errors import AcmxError, Misconfigured
from acmx.domain.findings import failed, ok, warning
from acmx.domain.moments import TOLERANCE, from_ms, text
from acmx.flows.operations import warn_of_expiry
from acmx.flows.people import account_changes, claim
from acmx.flows.policy import set_policy
from acmx.kinds import FORMER
from acmx.storage import clock_holds, journal, migrations, schema
from acmx.storage.engine import Tx
from acmx.storage.engines import sqlite_connection
from acmx.storage.partnership import partners
from acmx.trust import certificates

MIB = 1024 * 1024
LARGE_WAL = 256 * MIB
SLOW_ANSWER = 0.02
CLOCKS_APART_MS = 60_000


def examine(directory: Path, config: Config, now: datetime) -> Iterator[Finding]:
    """A server that runs meanwhile is not disturbed. Whatever cannot be looked at is a finding."""
    try:
        for finding in _postgres(config) if config.database else _sqlite(directory / DATABASE):
            yield finding
            if finding.name == "schema" and finding.status != "ok":
                return
        with snapshot(directory, config) as tx:
            yield from (_clock(tx, now), *_partners_clocks(tx))
            yield from warn_of_expiry.findings(warn_of_expiry.of_partners(tx), now)
            yield from _confirmed(tx, directory / TLS / "acm2.pem")
            yield from (*_shared(tx), *_operators(tx), _policy(tx))
    except (AcmxError, OSError) as error:
        yield failed("database", str(error))


def _sqlite(path: Path) -> Iterator[Finding]:
    sqlite_connection.require_safe_library()
    yield ok("SQLite", apsw.sqlite_lib_version())
    with read_only(path) as connection:
        yield _integrity(connection)
        yield _wal(path)
        yield _schema(sqlite_connection.present(connection), schema.parts(connection))


def _postgres(config: Config) -> Iterator[Finding]:
    require_postgres()
    from acmx.storage.engines import postgres_offline, postgres_schema, postgres_standby  # noqa: PLC0415
    from acmx.storage.engines.postgres_troubles import REASONS, Emptied  # noqa: PLC0415

    with postgres_offline.connected(config.database) as connection:
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
        yield _standbys(facts.standbys, required=config.require_synchronous)
        if config.require_synchronous and not postgres_standby.may_see(connection):
            yield failed("standby", postgres_standby.BLIND)
        present, parts = postgres_schema.present(connection), postgres_schema.parts(connection)
        yield _schema(present, parts, postgres_schema.OWN_PARTS)
        if "table batch" in parts and connection.execute("SELECT 1 FROM batch LIMIT 1").fetchone() is None:
            yield failed("batches", REASONS[Emptied])


def _standbys(names: str, *, required: bool) -> Finding:
    if names:
        return ok("standby", f"a commit waits for {names}")
    if required:
        return failed(
            "standby", "no commit waits for one, and require_synchronous is set: nothing is acknowledged"
        )
    return ok("standby", "no commit waits for one: a failover may lose the last moments")


def _integrity(connection: apsw.Connection) -> Finding:
    said = connection.pragma("quick_check")
    return ok("database", "is intact") if said == "ok" else failed("database", f"is damaged: {said}")


def _schema(present: int, parts: frozenset[str], besides: Collection[str] = ()) -> Finding:
    try:
        schema.require(present, parts, migrations.load(), besides)
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


def _shared(tx: Tx) -> Iterator[Finding]:
    """One for each MC service ID of which an operator has to choose the account."""
    for person, same in claim.doubled(tx).items():
        names = ", ".join(account.name for account in same)
        yield failed(
            "accounts", f"{person} is that of {names}: none acts in its name until acmx account choose NAME"
        )


def _operators(tx: Tx) -> Iterator[Finding]:
    found = account_changes.approvals(tx)
    if 1 < found.needed > found.operators:
        yield warning(
            "operators",
            f"{found.operators}, and to give somebody a role takes {found.needed}: acmx account recover",
        )


def _policy(tx: Tx) -> Finding:
    policy = set_policy.show(tx)
    if policy.unreadable:
        return failed("policy", f"cannot be read, so people decide everything: {policy.unreadable}")
    if policy.unnamed:
        rules, kinds = ", ".join(policy.unnamed), " and ".join(FORMER)
        return warning(
            "policy",
            f"{rules}: approves without naming a kind, and counts for {kinds} until each is written out",
        )
    return ok("policy", f"version {policy.version}, every rule that approves names its kind")


def _confirmed(tx: Tx, certificate: Path) -> Iterator[Finding]:
    """Whether the partners that have said what they take have pinned the certificate that they are shown."""
    with suppress(OSError, AcmxError):
        lacks = partners.without_certificate(tx, certificates.fingerprint_of_pem(certificate.read_text()))
        said = {partner.id for partner in partners.every(tx) if partner.certificates_there is not None}
        cut_off = sorted(said.intersection(lacks))
        if cut_off:
            yield failed("acm2 certificate", f"is not confirmed by {', '.join(cut_off)}")
