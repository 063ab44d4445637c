"""A store on a real file, and a disk whose misfortunes a test decides."""

import asyncio
import threading
from contextlib import asynccontextmanager
from pathlib import Path

import apsw
import pytest

from acmx.storage.engines.sqlite import SqliteStore
from acmx.storage.migrations import Migration

SCHEMA = [
    Migration(
        1,
        "CREATE TABLE parent (k INTEGER PRIMARY KEY) STRICT;"
        "CREATE TABLE entry (k INTEGER PRIMARY KEY,"
        " parent INTEGER REFERENCES parent DEFERRABLE INITIALLY DEFERRED, body BLOB) STRICT",
    )
]


class Disk(apsw.VFS):
    """The real disk, but syncs of the WAL can be held, the next one made to fail, and all writes to it."""

    def __init__(self):
        super().__init__("disk-under-test", "unix", makedefault=True)
        self.reached = threading.Event()
        self.free = threading.Event()
        self.free.set()
        self.failing_write = None
        self.failing_sync = None

    def xOpen(self, name, flags):  # noqa: N802
        return DiskFile(self, name, flags)

    def hold(self):
        self.reached.clear()
        self.free.clear()

    async def is_reached(self):
        assert await asyncio.to_thread(self.reached.wait, 30)


class DiskFile(apsw.VFSFile):
    def __init__(self, disk, name, flags):
        super().__init__("unix", name, flags)
        self.disk = disk
        self.is_wal = bool(flags[0] & apsw.SQLITE_OPEN_WAL)

    def xWrite(self, data, offset):  # noqa: N802
        if self.is_wal and self.disk.failing_write:
            raise apsw.exception_for(self.disk.failing_write)
        super().xWrite(data, offset)

    def xSync(self, flags):  # noqa: N802
        if self.is_wal:
            self.disk.reached.set()
            assert self.disk.free.wait(30)
            code, self.disk.failing_sync = self.disk.failing_sync, None
            if code:
                raise apsw.exception_for(code)
        super().xSync(flags)


@pytest.fixture
def disk():
    disk = Disk()
    yield disk
    disk.free.set()
    disk.unregister()


@pytest.fixture
def commits():
    """One element for each commit of any connection opened meanwhile."""
    counted = []
    hook = lambda connection: connection.set_commit_hook(lambda: bool(counted.append(1)))  # noqa: E731
    apsw.connection_hooks.append(hook)
    yield counted
    apsw.connection_hooks.remove(hook)


def unexpected(error):
    raise AssertionError(error)


@pytest.fixture(scope="session")
def opened():
    @asynccontextmanager
    async def opened(folder, **options):
        store = SqliteStore.open(
            Path(folder) / "db", migrations=SCHEMA, **{"on_fatal": unexpected, "make": True, **options}
        )
        try:
            yield store
        finally:
            await store.close()

    return opened
