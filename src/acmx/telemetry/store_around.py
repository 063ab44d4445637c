"""A store around another one, for what watches how that is written to."""

from collections.abc import Callable, Hashable

from acmx.storage.engine import NewHistory, Store, T, Tx


class StoreAround:
    """As `Store`, but for `write`: the rest goes on to the store within."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def read(self, look: Callable[[Tx], T]) -> T:
        return await self._store.read(look)

    def on_commit(self, listener: Callable[[frozenset[Hashable]], None]) -> None:
        self._store.on_commit(listener)

    def on_new_history(self, act: Callable[[Tx, NewHistory], None]) -> None:
        self._store.on_new_history(act)

    @property
    def in_charge(self) -> bool:
        return self._store.in_charge

    async def close(self) -> None:
        await self._store.close()
