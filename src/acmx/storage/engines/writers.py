"""What the only writer of a store needs of its engine: a connection that writes, and what its troubles mean."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from acmx.storage.engine import NewHistory, Tx
from acmx.storage.engines.troubles import Reasons


class SignallingTx(Tx, Protocol):
    """A `Tx` that keeps its signals."""

    signals: set[Hashable]


class Writer(Protocol):
    """The one connection that writes. What may block is called off the event loop's thread."""

    on_loop: bool
    """Whether its statements are short enough for the event loop's thread."""

    def begin_at_once(self) -> bool:
        """Begin without waiting for anybody; False where that cannot be."""

    def begin(self) -> None:
        """Begin, patiently."""

    def tx(self) -> SignallingTx: ...

    def run(self, command: str) -> None:
        """SAVEPOINT and the like."""

    @property
    def in_transaction(self) -> bool: ...

    @property
    def broken(self) -> bool:
        """Whether the connection has ended."""

    def commit(self, signals: frozenset[Hashable]) -> None:
        """`signals`: of what is committed."""

    @property
    def change(self) -> NewHistory | None:
        """What was found when it began, and is to be taken in with this transaction."""

    @property
    def endings(self) -> Sequence[Callable[[], None]]:
        """What ends a step that does not return, the mildest first. Called on other threads; raises nothing."""

    @property
    def lost(self) -> str | None:
        """The mark of a batch whose COMMIT was sent and not confirmed, where the engine has such marks."""

    @property
    def follows(self) -> str:
        """The mark of the batch before that one."""

    def came_through(self, lost: str) -> bool:
        """Whether that batch of an earlier connection was committed. Called within a transaction."""

    def close(self) -> None:
        """Whatever state it is in. Raises nothing."""


class Within(NamedTuple):
    """Seconds in which a server answers to each step, or is given up."""

    begin: float
    apply: float
    commit: float


@dataclass(frozen=True)
class Engine:
    """How a writer is come by, how long a batch may be applied, each step last, and what its troubles mean."""

    connect: Callable[[], Writer]
    applying_s: float
    within: Within
    errors: type[Exception]
    reasons: Reasons
    failed_sync: Callable[[BaseException], bool]
