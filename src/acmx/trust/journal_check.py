"""Whether a journal is still the one that was sealed: row by row, in memory that does not grow with it.

Each row must follow the one before and have the hash it was sealed with; the tree over those hashes must have the
roots that the checkpoints say. What is found wrong is said with the number of the row and its time.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

import msgspec
from msgspec import Struct

from acmx.domain.moments import text
from acmx.domain.records import Checkpoint, SealedRow
from acmx.trust.tree import Tree, leaf

MOST_SHOWN = 50
FORKED, ACKNOWLEDGED = "journal-forked", "fork-acknowledged"
Wrong = Literal["removed", "changed", "inserted", "cut-off", "rewritten", "forked", "checkpoint"]


class Trouble(Struct, frozen=True):
    """What is wrong, from which row on, in plain words."""

    wrong: Wrong
    number: int
    text: str


class Fork(Struct, frozen=True):
    """A row that tells of shipped checkpoints of another history, in plain words; who acknowledged it, and why."""

    number: int
    text: str
    acknowledged: str | None = None


class Verdict(Struct, frozen=True, kw_only=True):
    """What was looked at, and what is wrong: the first troubles, and how many there are.

    `unsealed` rows wait for the sealer, `unproven` ones at the end are not covered by a checkpoint. `root` is the
    root over all rows (hexadecimal), None where rows are missing or rewritten. `forks` are the last ones.
    """

    rows: int
    unsealed: int
    checkpoints: int
    unproven: int
    root: str | None
    troubles: tuple[Trouble, ...]
    troubles_total: int
    forks: tuple[Fork, ...] = ()


class _Row(Struct, frozen=True):
    at: str
    event: str


class _OfFork(_Row, frozen=True):
    actor: str
    detail: dict[str, Any]


class Compared(Struct, frozen=True):
    """A checkpoint to compare with; `shipped` where it was kept outside the server."""

    checkpoint: Checkpoint
    shipped: bool = False


class JournalCheck:
    """Takes the rows in the order of their serials.

    The checkpoints come the smallest first, and are believed: their signatures have been checked.
    """

    def __init__(self, checkpoints: Iterable[Compared]) -> None:
        self._checkpoints: Iterator[Compared] = iter(checkpoints)
        self._next = next(self._checkpoints, None)
        self._tree = Tree()
        self._whole = True
        self._compared = 0
        self._covered = {True: 0, False: 0}
        self._troubles: list[Trouble] = []
        self._total = 0
        self.rows = 0
        self._last = "the beginning"
        self._forks: deque[Fork] = deque(maxlen=MOST_SHOWN)
        self._unacknowledged: Fork | None = None
        self._unsealed: SealedRow | None = None
        self._unsealed_count = 0

    def take(self, row: SealedRow) -> None:
        """The next row."""
        if row.number is None:
            self._unsealed_count += 1
            self._unsealed = self._unsealed or row
            return
        if self._unsealed is not None:
            self._note(
                "inserted", f"{_named(self._unsealed)} stands among sealed rows and was never sealed: put in"
            )
            self._unsealed = None
        if row.number <= self.rows:
            self._note("inserted", f"{_named(row)} has a number that was there before: put in")
            return
        if row.number > self.rows + 1:
            self._note("removed", f"{_missing(self.rows + 1, row.number - 1)}, before {_named(row)}: removed")
            self._whole = False
        self._append(row, row.number)
        self._compare()
        if any(f'"event":"{event}"' in row.line for event in (FORKED, ACKNOWLEDGED)):
            self._hear_of_fork(row, row.number)

    def finish(self, more: Sequence[Trouble] = ()) -> Verdict:
        """After the last row; `more` is what was found wrong elsewhere."""
        beyond = None
        while self._next is not None:
            beyond, self._next = self._next.checkpoint, next(self._checkpoints, None)
            self._compared += 1
        if beyond is not None:
            covers = f"the checkpoint of {text(beyond.created_at)} covers {beyond.size:,} rows"
            self._note("cut-off", f"{covers}, but the journal ends with {self._last}: cut off")
        if self._unacknowledged is not None:
            fork = self._unacknowledged
            self._note("forked", f"{fork.text}; nobody has said why", fork.number)
        return Verdict(
            rows=self.rows,
            unsealed=self._unsealed_count,
            checkpoints=self._compared,
            unproven=self.rows - max(self._covered.values()),
            root=self._tree.root.hex() if self._whole else None,
            troubles=(*self._troubles, *more[:MOST_SHOWN]),
            troubles_total=self._total + len(more),
            forks=tuple(self._forks),
        )

    def _append(self, row: SealedRow, number: int) -> None:
        hash_ = leaf(row.line.encode())
        if row.hash != hash_.hex():
            self._note("changed", f"{_named(row)} is not as it was sealed: changed", number)
        if self._whole:
            self._tree.append(_bytes(row.hash) or hash_)
        self.rows = number
        self._last = _named(row)

    def _hear_of_fork(self, row: SealedRow, number: int) -> None:
        try:
            said = msgspec.json.decode(row.line, type=_OfFork)
        except msgspec.DecodeError:
            return
        detail = said.detail
        if said.event == FORKED:
            covers = f"the last of {detail.get('created_at')} over {detail.get('last')} rows"
            words = f"shipped checkpoints of another history, {covers}, root {detail.get('root')}"
            self._unacknowledged = Fork(number, f"{_named(row)}: {detail.get('checkpoints')} {words}")
            self._forks.append(self._unacknowledged)
        elif said.event == ACKNOWLEDGED:
            by = f"{_named(row)} by {said.actor}: {detail.get('reason')}"
            forks = [
                fork if fork.acknowledged else msgspec.structs.replace(fork, acknowledged=by)
                for fork in self._forks
            ]
            self._forks = deque(forks, MOST_SHOWN)
            self._unacknowledged = None

    def _compare(self) -> None:
        while self._next is not None and self._next.checkpoint.size <= self.rows:
            compared, self._next = self._next, next(self._checkpoints, None)
            self._compared += 1
            if not self._whole:
                continue
            checkpoint, since = compared.checkpoint, self._covered[compared.shipped] + 1
            if checkpoint.root == self._tree.root.hex():
                self._covered[compared.shipped] = checkpoint.size
                continue
            self._whole = compared.shipped
            self._note(
                "rewritten",
                f"rows {since:,} to {checkpoint.size:,} are not those that the checkpoint of "
                f"{text(checkpoint.created_at)} covers: changed, put in or removed, and hashed anew",
                since,
            )

    def _note(self, wrong: Wrong, words: str, number: int | None = None) -> None:
        self._total += 1
        if len(self._troubles) < MOST_SHOWN:
            self._troubles.append(Trouble(wrong, number or self.rows + 1, words))


def _missing(first: int, last: int) -> str:
    return f"row {first:,} is missing" if first == last else f"rows {first:,} to {last:,} are missing"


def _named(row: SealedRow) -> str:
    try:
        read = msgspec.json.decode(row.line, type=_Row)
        what = f"{read.event}, {read.at}"
    except msgspec.DecodeError:
        what = "unreadable"
    number = f"{row.number:,}" if row.number is not None else f"with the serial {row.serial:,}"
    return f"row {number} ({what})"


def _bytes(hexadecimal: str | None) -> bytes:
    try:
        return bytes.fromhex(hexadecimal or "")
    except ValueError:
        return b""
