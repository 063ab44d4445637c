"""Plans for the writer of a store."""

import asyncio


def insert(k, parent=None, body=None):
    """Into the table of tests/integration/storage/conftest.py."""

    def act(tx):
        tx.execute("INSERT INTO entry VALUES (:k, :p, :body)", {"k": k, "p": parent, "body": body})
        tx.signal(k)
        return k

    return act


def keys(tx):
    return {k for (k,) in tx.rows("SELECT k FROM entry")}


def together(store, *plans):
    """What each was told, or what it raised."""
    return asyncio.gather(*map(store.write, plans), return_exceptions=True)
