"""A second server of the same MC system: its own directory with the same keys, on the same database."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from support.systems.systems import System


@asynccontextmanager
async def twin_of(system: System) -> AsyncIterator[System]:
    directory = system.directory.with_name(f"{system.directory.name}-twin")
    shutil.copytree(system.directory, directory)
    twin = System(directory, system.clock)  # type: ignore[arg-type]
    places = {"acm1": {"listen": "127.0.0.1:0"}, "acm2": {"listen": "127.0.0.1:0"}}
    changed = {
        name: msgspec.structs.replace(getattr(system.config, name), **place) for name, place in places.items()
    }
    twin.config = msgspec.structs.replace(system.config, **changed)
    await twin.start()
    try:
        yield twin
    finally:
        await twin.stop()
