"""The journal of a server's directory, or of a backup, as it is sealed: read without a server, changing nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from acmx import config
from acmx.bootstrap.backup import unpack
from acmx.bootstrap.database import snapshot
from acmx.bootstrap.new_directory import CONFIG
from acmx.config import Config
from acmx.domain.records import SealedRow, SignedCheckpoint
from acmx.flows.evidence import audit
from acmx.storage.engine import Tx

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
        with _journal(place, config.read(place / CONFIG)) as journal:
            yield journal
        return
    with TemporaryDirectory() as folder:
        unpacked = Path(folder, "restored")
        with _journal(unpacked, unpack(place, unpacked)) as journal:
            yield journal


@contextmanager
def _journal(directory: Path, chosen: Config) -> Iterator[Journal]:
    with snapshot(directory, chosen) as tx:
        yield Journal(_rows(tx), _checkpoints(tx, chosen.system))


def _rows(tx: Tx) -> Iterator[SealedRow]:
    after = 0
    while items := audit.rows(tx, after=after, limit=PAGE).items:
        yield from items
        after = items[-1].serial


def _checkpoints(tx: Tx, system: str) -> Iterator[SignedCheckpoint]:
    after: str | None = "0"
    while after is not None:
        page = audit.checkpoints(tx, system, after=int(after), limit=PAGE)
        yield from page.items
        after = page.next
