"""`acmx serve`: one ACM server until it is told to stop (SIGINT, SIGTERM)."""

import asyncio
import gc
import os
import resource
import signal
from datetime import UTC, datetime
from pathlib import Path

import structlog

from acmx import config as configuration
from acmx.bootstrap.database import open_store
from acmx.bootstrap.lock import hold
from acmx.bootstrap.log import log_to_stderr
from acmx.bootstrap.server import Server
from acmx.domain.errors import Misconfigured

FAILED_FSYNC = 70
log = structlog.get_logger()


def serve(directory: Path) -> None:
    """Blocks. Raises Misconfigured, DirectoryInUse, UnsafeLibrary."""
    config = configuration.read(directory / "config.toml")
    log_to_stderr(config.log.format)
    _allow_many_connections()
    with hold(directory):
        asyncio.run(_serve(directory, config))


async def _serve(directory: Path, config: configuration.Config) -> None:
    store = open_store(directory, config, _die)
    server = Server(directory, config, store, clock=lambda: datetime.now(UTC))
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def on_signal(number: int) -> None:
        """The first one asks, the second one ends: what is stored is stored."""
        if stop.is_set():
            os._exit(128 + number)
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal, number)
    loop.add_signal_handler(signal.SIGHUP, server.renew)
    try:
        await server.start()
    except OSError as error:
        raise Misconfigured(f"cannot listen: {error}") from error
    _keep_what_is_loaded()
    log.info("serving", system=config.system, acm1=config.acm1.listen, acm2=config.acm2.listen)
    await stop.wait()
    log.info("stopping")
    await server.stop()


def _allow_many_connections() -> None:
    """As many open files as this process may have: the listeners bound themselves."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _keep_what_is_loaded() -> None:
    """Spare the garbage collector what stays until the end: a tenth of the processor time of a busy server."""
    gc.collect()
    gc.freeze()


def _die(error: BaseException) -> None:
    """After a failed fsync nothing that is stored can be believed: the next start reads what the disk holds."""
    log.critical("the disk did not take what was written; the process ends", error=str(error))
    os._exit(FAILED_FSYNC)
