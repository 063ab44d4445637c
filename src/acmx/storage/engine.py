"""What every storage engine offers: consistent reads, and plans that are durable before anyone hears of them.

SQL is plain text with named parameters (`:name`); values are str, bytes, int, float or None.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, NamedTuple, Protocol, TypeVar

T = TypeVar("T")

NO_PARAMS: Final[Mapping[str, object]] = MappingProxyType({})


@dataclass(frozen=True)
class Missed:
    """Signal: what other processes committed is not known. Look at everything."""


@dataclass(frozen=True)
class InCharge:
    """Signal: from now on this process does what one alone does."""


class Act(NamedTuple):
    """What a person did that is of no exchange, and to what; `at` in milliseconds."""

    at: int
    event: str
    actor: str
    subject: str


@dataclass(frozen=True)
class NewHistory:
    """The database is not the one that this process wrote to last: a standby was promoted, or a copy put back.

    Its timeline was `before`. `lost`: what this process has acknowledged is not all there; of these `exchanges` and
    `acts` of people it is known. `first`: no other process on the database has seen it before. `at_start`: it happened
    before this one began, so that nothing was prepared on what there was before.
    """

    before: int
    timeline: int
    lost: bool
    first: bool
    at_start: bool = False
    exchanges: frozenset[tuple[str, str]] = frozenset()
    acts: frozenset[Act] = frozenset()


class Tx(Protocol):
    """The inside of one transaction. It ends with the call it was given to: never keep it."""

    def execute(self, sql: str, params: Mapping[str, object] = NO_PARAMS) -> int:
        """Run an INSERT, UPDATE or DELETE; the number of rows it changed."""

    def row(self, sql: str, params: Mapping[str, object] = NO_PARAMS) -> tuple[Any, ...] | None:
        """The first row of the result, or None."""

    def rows(self, sql: str, params: Mapping[str, object] = NO_PARAMS) -> list[tuple[Any, ...]]:
        """Every row of the result, in its order."""

    def signal(self, signal: Hashable) -> None:
        """Tell the listeners of `Store.on_commit`, once this plan is durable. Without effect in a read."""


class Store(Protocol):
    """One place where the state of one ACM server is kept."""

    async def read(self, look: Callable[[Tx], T]) -> T:
        """Call `look` on one consistent snapshot of what is committed; nothing can be written in it.

        Raises what `look` raises, and TemporarilyUnavailable.
        """

    async def write(self, act: Callable[[Tx], T]) -> T:
        """Apply the plan `act`, wait until it is durable, return what it returned.

        What `act` raises undoes this plan alone and is raised here, not before what it has seen is durable.
        `act` is synchronous and short, and must be safe to run twice: when a commit fails it is called again.
        TemporarilyUnavailable means that nothing was acknowledged: the same plan may be written again.
        """

    def on_commit(self, listener: Callable[[frozenset[Hashable]], None]) -> None:
        """Call `listener` after each commit, of whatever process, with the signals in it; never with an empty set."""

    def on_new_history(self, act: Callable[[Tx, NewHistory], None]) -> None:
        """Apply `act` first where the database has another history; then the listeners hear that they `Missed`.

        What was prepared before is refused (TemporarilyUnavailable). `act` is to be as safe as a plan.
        """

    @property
    def in_charge(self) -> bool:
        """Whether this process is, of those on the same database, the one that does what one alone does."""

    async def close(self) -> None:
        """Finish the plans that wait, then close; what comes later is refused (TemporarilyUnavailable)."""
