"""A database in which several accounts have one MC service ID is brought up to date, and none of them is picked."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from acmx.domain.identities import Realms
from acmx.flows.house import House
from acmx.flows.people import claim
from acmx.storage import claims
from acmx.storage.engines import sqlite_connection
from acmx.storage.engines.sqlite import SqliteStore
from acmx.storage.migrations import done, load

pytestmark = pytest.mark.sqlite

BEFORE = next(m.number for m in load() if "CREATE TABLE claim " in m.script) - 1
SYSTEM = "b.example"


def test_doubles_survive_the_migration_and_none_is_picked(tmp_path: Path) -> None:
    path = tmp_path / "acmx.db"
    sqlite_connection.create(path)
    connection = sqlite_connection.connect(path)
    sqlite_connection.migrate(connection, done(BEFORE, load()))
    for name, mc_service_id, disabled in (
        ("alice", "sip:alice@b.example", 0),
        ("mallory", "sip:alice@B.example", 0),
        ("bob", "sip:bob@b.example", 0),
        ("former", "sip:bob@b.example", 1),
    ):
        connection.execute(
            "INSERT INTO account (name, mc_service_id, functional_aliases, roles, password_hash, automatic, disabled, "
            "created_at) VALUES (?, ?, '', 'reviewer', '', 0, ?, 0)",
            (name, mc_service_id, disabled),
        )
    sqlite_connection.migrate(connection, load())
    connection.close()

    async def settled() -> dict[str, str | None]:
        store = SqliteStore.open(path, on_fatal=lambda error: None)
        house = House(SYSTEM, Realms((SYSTEM,)), lambda: datetime(2026, 11, 23, tzinfo=UTC))
        for _ in range(2):
            await store.write(lambda tx: claim.settle(house, tx, ""))
        found = await store.read(claims.every)
        await store.close()
        return {held.person: held.account for held in found}

    assert asyncio.run(settled()) == {"sip:alice@b.example": None, "sip:bob@b.example": "bob"}
