"""Two real MC systems, of which the police keep their state in a pair of PostgreSQL clusters."""

import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from bench.postgres_pair import Pair
from bench.postgres_proxy import Fault, PostgresProxy

from acmx.storage.engine import Store
from acmx.storage.engines import transfer
from support.systems.restores import compared
from support.systems.systems import FIRE, POLICE, System, eventually, two_systems

AT_ONCE = 5.0
"""Seconds within which a server has to notice that its history is another."""
BOUNDED = 20.0
"""Seconds within which a write is answered, whatever the standby does."""


def on_pair(pair: Pair, police: System, **settings: Any) -> System:
    """The system that was made on a file, with its rows in the pair, and with these settings; it does not run."""
    transfer.to_postgres(police.directory / "acmx.db", pair.primary.url)
    (police.directory / "acmx.db").unlink()
    path = police.directory / "config.toml"
    set_ = {"database": pair.url} | settings
    lines = [line for line in path.read_text().splitlines() if line.partition(" = ")[0] not in set_]
    given = [f"{name} = {msgspec.json.encode(value).decode()}" for name, value in set_.items()]
    path.write_text("\n".join([*given, *lines, ""]))
    return System(police.directory, police.clock)  # type: ignore[arg-type]


def copied(system: System) -> System:
    """Another server of it: a directory of its own, listeners of its own; it does not run."""
    directory = system.directory.with_name(f"{system.directory.name}-twin")
    shutil.copytree(system.directory, directory, ignore=shutil.ignore_patterns("lock", "lease-name"))
    twin = System(directory, system.clock)  # type: ignore[arg-type]
    listen = {name: getattr(system.config, name) for name in ("acm1", "acm2")}
    twin.config = msgspec.structs.replace(
        system.config,
        **{name: msgspec.structs.replace(part, listen="127.0.0.1:0") for name, part in listen.items()},
    )
    return twin


@asynccontextmanager
async def estate(
    pair: Pair, tmp: Path, *, servers: int = 1, **settings: Any
) -> AsyncIterator[tuple[System, ...]]:
    """So many servers of the police on the pair, and the fire service; compared, and nothing waits."""
    async with two_systems(tmp, start=False) as (filed, fire):
        police = on_pair(pair, filed, **settings)
        running = [police, *(copied(police) for _ in range(servers - 1)), fire]
        try:
            for system in running:
                await system.start()
            await compared(police, FIRE)
            await compared(fire, POLICE)
            yield tuple(running)
        finally:
            pair.release()
            for system in running:
                await system.stop()


@asynccontextmanager
async def store_on(pair: Pair, tmp: Path, **settings: Any) -> AsyncIterator[Store]:
    """The store of the police alone: nobody writes but the test. The table `kept` is for its plans."""
    async with two_systems(tmp, start=False) as (filed, _):
        police = on_pair(pair, filed, **settings)
        pair.primary.ask("CREATE TABLE kept (k BIGINT)")
        store = police.open_store()
        store.on_new_history(lambda _tx, _change: None)
        try:
            yield store
        finally:
            pair.release()
            await store.close()


def keep(k: int) -> Callable[[Any], int]:
    def act(tx: Any) -> int:
        tx.execute("INSERT INTO kept VALUES (:k)", {"k": k})
        return k

    return act


def kept(pair: Pair) -> list[int]:
    """What the primary of today has."""
    return sorted(k for (k,) in pair.primary.ask("SELECT k FROM kept"))


async def waits_for_the_standby(pair: Pair) -> int:
    """Until somebody's COMMIT does: that process at the server."""
    return int(await eventually(pair.primary.writer_waits, bool, time_passes=False))


def hold_back(pair: Pair, about: bytes = b"") -> PostgresProxy:
    """The next COMMIT, of a transaction in which these bytes are, is held with its answer: at what is returned."""
    pair.way.inject(Fault.HELD, about)
    return pair.way


async def comes(way: PostgresProxy) -> None:
    """Until that COMMIT is held."""
    await eventually(way.struck.is_set, bool, time_passes=False)


async def committed_without_the_standby(pair: Pair, way: PostgresProxy) -> None:
    """The COMMIT that is held is done at the primary; neither whoever sent it nor the standby hear of it."""
    pair.hold()
    way.hand_on()
    if pair.synchronous:
        await waits_for_the_standby(pair)
    else:
        await eventually(way.answered.is_set, bool, time_passes=False)
