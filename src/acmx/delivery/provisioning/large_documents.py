"""Documents too large to be read on the event loop: in a process of their own, one at a time, at low priority.

libxml2 and the garbage of a large tree keep the whole interpreter waiting, so a thread would not do. The process ends
with the document, and its memory with it; the wire stays here.
"""

import asyncio
import os
import resource
import sys
from asyncio.subprocess import PIPE
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import BinaryIO

import msgspec
from msgspec import Struct

from acmx.config import Xcap
from acmx.delivery.provisioning.row_work import RowWork
from acmx.provisioning.names import Profile
from acmx.provisioning.xcap import End, Outcome, Reply, Request, Work
from acmx.storage.provisionings import Job, Row

LARGE = 128 * 1024
"""Bytes; one that is smaller takes at most some hundredths of a second."""

CPU_SECONDS, MEMORY = 60, 1536 * 1024 * 1024
LONGEST = 64 * 1024 * 1024
_NO_END = "the document that the CMS has takes too much time or memory to be read"


class Task(Struct, frozen=True):
    """The work on one row, None for the capabilities of the CMS, and what was answered so far."""

    profiles: Mapping[str, Profile]
    given: Xcap
    job: Job
    row: Row | None
    replies: list[Reply] = []

    def work(self) -> Work:
        what = RowWork(self.profiles, self.given, self.job)
        return what.capabilities() if self.row is None else what.of(self.row)


class LargeDocuments:
    """Carries out work whose answers were too large."""

    def __init__(self) -> None:
        self._one = asyncio.Lock()

    async def carry_out(self, task: Task, ask: Callable[[Request], Awaitable[Reply]]) -> End:
        async with self._one:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", __name__, stdin=PIPE, stdout=PIPE, limit=LARGE
            )
            try:
                return await _converse(process, task, ask)
            except (asyncio.IncompleteReadError, ConnectionError):
                return Outcome("failed", _NO_END)
            finally:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()


async def _converse(
    process: asyncio.subprocess.Process, task: Task, ask: Callable[[Request], Awaitable[Reply]]
) -> End:
    if process.stdin is None or process.stdout is None:
        raise ConnectionError
    said: Task | Reply = task
    while True:
        process.stdin.write(_framed(said))
        await process.stdin.drain()
        length = int.from_bytes(await process.stdout.readexactly(4))
        word = _WORD.decode(await process.stdout.readexactly(length))
        if not isinstance(word, Request):
            return word
        said = await ask(word)


def _serve(heard: BinaryIO, told: BinaryIO) -> None:
    """What the process of its own does."""
    task = _TASK.decode(_frame(heard))
    work = task.work()
    try:
        request = next(work)
        for reply in task.replies:
            request = work.send(reply)
        while True:
            told.write(_framed(request))
            told.flush()
            request = work.send(_REPLY.decode(_frame(heard)))
    except StopIteration as end:
        told.write(_framed(end.value))
        told.flush()


def _framed(said: Struct) -> bytes:
    body = msgspec.msgpack.encode(said)
    return len(body).to_bytes(4) + body


def _frame(heard: BinaryIO) -> bytes:
    return heard.read(int.from_bytes(heard.read(4)))


_TASK = msgspec.msgpack.Decoder(Task)
_REPLY: msgspec.msgpack.Decoder[Reply] = msgspec.msgpack.Decoder(Reply)
_WORD: msgspec.msgpack.Decoder[Request | End] = msgspec.msgpack.Decoder(Request | End)


if __name__ == "__main__":
    os.nice(10)
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _serve(sys.stdin.buffer, sys.stdout.buffer)
