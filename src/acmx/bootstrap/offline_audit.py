"""The journal of a server's directory, or of a backup, as it is sealed: read without a server, changing nothing."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import apsw

from acmx import config
from acmx.bootstrap.backup import restore
from acmx.bootstrap.create import CONFIG, DATABASE
from acmx.domain.errors import Misconfigured
from acmx.domain.records import SealedRow, SignedCheckpoint
from acmx.flows import audit
from acmx.storage import migrations
from acmx.storage.sqlite_connection import SqliteTx, require_safe_library

PAGE = 1000


@dataclass(frozen=True)
class Journal:
    """What is to be verified, each to be read once: as one commit left it, also while a server runs."""

    rows: Iterator[SealedRow]
    checkpoints: Iterator[SignedCheckpoint]


@contextmanager
def opened(place: Path) -> Iterator[Journal]:
    """The journal in a directory, or in a backup, which is unpacked for as long as it is open.

    Raises Misconfigured, FaultyInput where it is no backup, OSError.
    """
    if place.is_dir():
        with _journal(place) as journal:
            yield journal
        return
    with TemporaryDirectory() as folder:
        restore(place, Path(folder, "restored"))
        with _journal(Path(folder, "restored")) as journal:
            yield journal


@contextmanager
def _journal(directory: Path) -> Iterator[Journal]:
    require_safe_library()
    system = config.read(directory / CONFIG, {}).system
    path = directory / DATABASE
    try:
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    except apsw.Error as error:
        raise Misconfigured(f"{path}: {error}") from error
    with closing(connection):
        if (found := connection.pragma("user_version")) != (known := len(migrations.load())):
            raise Misconfigured(f"{path} has schema {found}, this acmx reads {known}: start its server once.")
        connection.execute("BEGIN")
        tx = SqliteTx(connection)
        yield Journal(_rows(tx), _checkpoints(tx, system))


def _rows(tx: SqliteTx) -> Iterator[SealedRow]:
    after = 0
    while items := audit.rows(tx, after=after, limit=PAGE).items:
        yield from items
        after = items[-1].serial


def _checkpoints(tx: SqliteTx, system: str) -> Iterator[SignedCheckpoint]:
    after: str | None = "0"
    while after is not None:
        page = audit.checkpoints(tx, system, after=int(after), limit=PAGE)
        yield from page.items
        after = page.next
