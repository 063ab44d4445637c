"""The partner's server process with the store that is measured: `python -m bench.partner DIRECTORY STORE EXTRA_US`.

STORE is `group` (as it is served), `single` (a commit for each plan) or `none`. Listens on free ports and prints
that of ACM-2; ends with SIGTERM.
"""

import asyncio
import gc
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

from bench import shim
from bench.no_store import NoStore
from bench.systems import give_up
from msgspec.structs import replace

from acmx import config
from acmx.bootstrap.server import Server
from acmx.storage.engine import Store
from acmx.storage.engines.sqlite import SqliteStore

ANY_PORT = "127.0.0.1:0"


async def serve(directory: Path, kind: str) -> None:
    given = config.read(directory / "config.toml")
    here = replace(
        given, acm1=replace(given.acm1, listen=ANY_PORT), acm2=replace(given.acm2, listen=ANY_PORT)
    )
    server = Server(directory, here, _store(directory / "acmx.db", kind), clock=lambda: datetime.now(UTC))
    await server.start()
    gc.collect()
    gc.freeze()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    print(server.ports[1], flush=True)
    await stop.wait()
    await server.stop()


def _store(path: Path, kind: str) -> Store:
    if kind == "none":
        return NoStore(path)
    return SqliteStore.open(path, on_fatal=give_up, make=True, batch=64 if kind == "group" else 1)


if __name__ == "__main__":
    shim.extra_us().value = int(sys.argv[3])
    asyncio.run(serve(Path(sys.argv[1]), sys.argv[2]))
