"""The writer when the disk fails it: a SQLite VFS, an LD_PRELOAD shim and a small tmpfs play the disk."""

import asyncio
import os
import shutil
import subprocess
import sys

import apsw
import pytest

from acmx.domain.errors import TemporarilyUnavailable
from acmx.storage.engines import sqlite_writer
from support.systems.another import another_connection
from support.systems.plans import insert, keys, together
from support.systems.systems import turns

pytestmark = pytest.mark.sqlite


@pytest.mark.law(1)
@pytest.mark.parametrize(
    ("code", "reason"),
    [(apsw.SQLITE_FULL, "The disk is full."), (apsw.SQLITE_IOERR_WRITE, "The disk reports an error.")],
)
async def test_a_commit_that_fails_acknowledges_nobody_and_the_store_recovers_by_itself(
    tmp_path, disk, code, reason, opened
):
    async with opened(tmp_path) as store:
        assert await store.write(insert(1)) == 1
        disk.failing_write = code
        failed = await together(store, insert(2), insert(3))
        assert [(type(error), error.detail) for error in failed] == [(TemporarilyUnavailable, reason)] * 2
        assert store.alive
        assert await store.read(keys) == {1}
        disk.failing_write = None
        assert await together(store, insert(2), insert(3)) == [2, 3]
        assert await store.read(keys) == {1, 2, 3}


def test_a_full_disk_refuses_and_recovers_when_space_returns(tmp_path, opened):
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", tmp_path], check=False, capture_output=True
    )
    if not mounted or mounted.returncode:
        pytest.skip("needs the right to mount a tmpfs")

    async def scenario():
        async with opened(tmp_path) as store:
            ballast = tmp_path / "ballast"
            ballast.write_bytes(bytes(150_000))
            results = await together(store, *(insert(k, body=bytes(20_000)) for k in range(100)))
            acknowledged = {k for k, result in enumerate(results) if result == k}
            refused = [result for result in results if isinstance(result, TemporarilyUnavailable)]
            assert acknowledged
            assert len(acknowledged) + len(refused) == 100
            assert {error.detail for error in refused} == {"The disk is full."}
            ballast.unlink()
            assert await store.write(insert(1000, body=bytes(20_000))) == 1000
            assert await store.read(keys) == acknowledged | {1000}

    try:
        asyncio.run(scenario())
    finally:
        subprocess.run(["umount", tmp_path], check=True)


async def test_a_write_lock_held_elsewhere_is_waited_for_without_stopping_the_loop(tmp_path, opened):
    async with opened(tmp_path) as store:
        other = another_connection(tmp_path / "db")
        other.execute("BEGIN IMMEDIATE")
        started = asyncio.get_running_loop().time()
        writing = together(store, insert(1), insert(2))
        await turns(5)
        assert await store.read(keys) == set()
        assert asyncio.get_running_loop().time() - started < sqlite_writer.BUSY_MS / 2000
        other.execute("ROLLBACK")
        other.close()
        assert await writing == [1, 2]


async def test_a_write_lock_held_too_long_refuses_and_then_recovers(tmp_path, monkeypatch, opened):
    monkeypatch.setattr(sqlite_writer, "BUSY_MS", 1)

    async with opened(tmp_path) as store:
        other = another_connection(tmp_path / "db")
        other.execute("BEGIN IMMEDIATE")
        failed = await together(store, insert(1), insert(2))
        assert {error.detail for error in failed} == {"Another process holds the database."}
        other.execute("ROLLBACK")
        other.close()
        assert await store.write(insert(1)) == 1


@pytest.mark.law(1)
async def test_after_a_failed_fsync_nobody_is_acknowledged_ever_again(tmp_path, disk, opened):
    fatal = []

    async with opened(tmp_path, on_fatal=fatal.append) as store:
        assert await store.write(insert(1)) == 1
        disk.failing_sync = apsw.SQLITE_IOERR_FSYNC
        disk.hold()
        writing = together(store, insert(2), insert(3))
        await disk.is_reached()
        late = together(store, insert(4))
        await turns()
        disk.free.set()
        failed = [*await writing, *await late]
        assert [type(error) for error in failed] == [TemporarilyUnavailable] * 3
        assert [error.extendedresult for error in fatal] == [apsw.SQLITE_IOERR_FSYNC]
        assert not store.alive
        with pytest.raises(TemporarilyUnavailable):
            await store.write(insert(5))
        with pytest.raises(TemporarilyUnavailable):
            await store.read(keys)


FAILING_SYNC = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
static int sync_unless_failing(const char *name, int fd) {
    if (access(getenv("SYNC_FAILS_WHILE"), F_OK) == 0) { errno = EIO; return -1; }
    return ((int (*)(int))dlsym(RTLD_NEXT, name))(fd);
}
int fsync(int fd) { return sync_unless_failing("fsync", fd); }
int fdatasync(int fd) { return sync_unless_failing("fdatasync", fd); }
"""

PROCESS = """
import asyncio, os, pathlib, sys
from acmx.storage.migrations import Migration
from acmx.storage.engines.sqlite import SqliteStore

def end(error):
    print("fatal", flush=True)
    os._exit(70)

async def main():
    table = Migration(1, "CREATE TABLE entry (k INTEGER PRIMARY KEY)")
    store = SqliteStore.open(pathlib.Path(sys.argv[1]), migrations=[table], on_fatal=end, make=True)
    for k in (1, 2):
        await store.write(lambda tx: tx.execute("INSERT INTO entry VALUES (:k)", {"k": k}))
        print("acknowledged", k, flush=True)
        pathlib.Path(os.environ["SYNC_FAILS_WHILE"]).touch()

asyncio.run(main())
"""


@pytest.mark.law(1)
def test_a_process_whose_fdatasync_fails_acknowledges_nothing_and_ends(tmp_path):
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("needs a C compiler")
    (tmp_path / "shim.c").write_text(FAILING_SYNC)
    shim = tmp_path / "shim.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", shim, tmp_path / "shim.c", "-ldl"], check=True)
    environment = {"LD_PRELOAD": str(shim), "SYNC_FAILS_WHILE": str(tmp_path / "failing")}
    process = subprocess.run(
        [sys.executable, "-c", PROCESS, tmp_path / "db"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert process.stdout.split("\n") == ["acknowledged 1", "fatal", ""], process.stderr
    assert process.returncode == 70
