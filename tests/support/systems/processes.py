"""Processes that the tests begin, listen to and always end."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from threading import Thread

from support.systems.systems import System, two_systems

WITHIN = 60.0


class Process:
    """In a session of its own; what it says on standard error is read as it comes, so that it waits for no reader."""

    def __init__(self, *command: str) -> None:
        self.popen = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._lines = SimpleQueue[str]()
        self._listener = Thread(target=self._listen, daemon=True)
        self._listener.start()

    def says(self, *words: str) -> str:
        """The next line in which all these words are. Raises AssertionError if it ends before, queue.Empty in time."""
        ends = time.monotonic() + WITHIN
        while True:
            line = self._lines.get(timeout=max(0, ends - time.monotonic()))
            assert line, f"it ended and never said {words}"
            if all(word in line for word in words):
                return line

    def end(self, signal_: int = signal.SIGKILL) -> int:
        """All of the session; the status of the first one."""
        if self.popen.poll() is None:
            os.killpg(self.popen.pid, signal_)
        status = self.popen.wait(WITHIN)
        self._listener.join(WITHIN)
        return status

    def _listen(self) -> None:
        assert self.popen.stderr is not None
        with self.popen.stderr as said:
            for line in said:
                self._lines.put(line)
        self._lines.put("")


def prepared(tmp_path: Path) -> System:
    """One that does not run, for a process of its own."""

    async def copied() -> System:
        async with two_systems(tmp_path / "systems", start=False) as (police, _):
            shutil.copytree(police.directory, tmp_path / "police")
            return System(tmp_path / "police", police.clock)

    return asyncio.run(copied())


@contextmanager
def serving(directory: Path, *under: str) -> Iterator[Process]:
    """`acmx serve` on a directory, under another program if asked (strace ...): it listens; it is killed in the end."""
    server = Process(*under, sys.executable, "-m", "acmx", "serve", str(directory))
    try:
        server.says("serving")
        yield server
    finally:
        server.end()
