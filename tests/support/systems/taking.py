"""PostgreSQL stores of a small schema that keep the changes of history which they took in."""

import asyncio
from contextlib import AsyncExitStack

from acmx.domain.errors import TemporarilyUnavailable
from acmx.storage.engines import postgres_offline
from acmx.storage.engines.postgres import PostgresStore
from acmx.storage.migrations import Migration

SCHEMA = [Migration(1, "CREATE TABLE entry (serial INTEGER PRIMARY KEY, k BIGINT NOT NULL)")]


def ask(url, statement, *values):
    with postgres_offline.connected(url) as connection:
        done = connection.execute(statement, values)
        return done.fetchall() if done.description else []


class Taking:
    """Opens stores that keep the changes they took in; `nobody`: that take in none."""

    def __init__(self, stack):
        self._stack = stack

    async def open(self, url, *, nobody=False, **options):
        store = PostgresStore.open(url, migrations=SCHEMA, **options)
        self._stack.push_async_callback(store.close)
        store.changes = []
        if not nobody:
            store.on_new_history(lambda _tx, change: store.changes.append(change))
        return store


def run(scenario):
    async def opened():
        async with AsyncExitStack() as stack:
            await scenario(Taking(stack))

    asyncio.run(opened())


def insert(k):
    def act(tx):
        tx.execute("INSERT INTO entry (k) VALUES (:k)", {"k": k})
        return k

    return act


def keys(tx):
    return [k for (k,) in tx.rows("SELECT k FROM entry ORDER BY serial")]


def refused(results, match):
    return all(isinstance(result, TemporarilyUnavailable) and match in str(result) for result in results)
