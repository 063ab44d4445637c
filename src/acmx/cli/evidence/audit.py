"""`acmx audit`: the journal as it is sealed: checkpoints to take away, verification, export."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
from cyclopts import Parameter
from cyclopts.types import ExistingFile, ExistingPath

from acmx.cli.failures import DONE, FAILED, WrongUsageError, note
from acmx.cli.files import require_new, write, write_lines
from acmx.cli.moments import Beginning
from acmx.cli.options import DEFAULTS, Options
from acmx.cli.terminal import cell, err, facts, out, print_json, table
from acmx.domain import documents
from acmx.domain.errors import FaultyInput
from acmx.domain.records import Checkpoint, SealedRow, SignedCheckpoint

if TYPE_CHECKING:
    from acmx.trust.journal_check import Fork

PROGRESS_EVERY = 1000
Output = Annotated[
    Path | None, Parameter(name=["--output", "-o"], help="The file to write; default: stdout.")
]
Thumbprints = Annotated[
    list[str] | None,
    Parameter(
        name="--thumbprint",
        allow_leading_hyphen=True,
        help="Only these keys may have signed, named as acmx shows them: by 60 digits, or by 43 characters.",
    ),
]


def checkpoint(*, output: Output = None, options: Options = DEFAULTS) -> None:
    """Take a signed checkpoint of the journal away: what it covers cannot be changed unnoticed any more.

    For example:

        acmx audit checkpoint -o monday.json
    """
    require_new(output)
    with options.client() as client:
        signed = client.checkpoint()
    if output is None:
        print_json(signed, indent=0)
        return
    write(output, msgspec.json.encode(signed))
    size = f"{_size(signed):,}"
    options.show(signed, lambda: print(f"{output} covers the first {size} rows of the journal."))


def verify(
    *,
    against: Annotated[
        list[ExistingFile] | None,
        Parameter(consume_multiple=True, help="Checkpoints that were taken away before."),
    ] = None,
    offline: Annotated[
        ExistingPath | None, Parameter(help="A server's directory, or a backup, instead of a running server.")
    ] = None,
    thumbprint: Thumbprints = None,
    options: Options = DEFAULTS,
) -> int:
    """Verify that nothing in the journal was changed, removed, put in or cut off since it was sealed.

    The rows are hashed here, not by the server. Ends with status 1 if something is wrong. For example:

        acmx audit verify --against monday.json
    """
    from acmx.trust.checkpoints import Checkpoints  # noqa: PLC0415
    from acmx.trust.journal_check import JournalCheck, Trouble  # noqa: PLC0415
    from acmx.trust.keys import spoken  # noqa: PLC0415

    shipped, faulty = [], []
    for file in against or ():
        try:
            shipped.append(documents.read(file.read_bytes(), SignedCheckpoint))
        except FaultyInput as error:
            faulty.append(Trouble("checkpoint", 0, f"{file} is no checkpoint: {error}"))
    with _journal(offline, options) as (rows, stored):
        checkpoints = Checkpoints(stored, shipped, thumbprint or ())
        check = JournalCheck(checkpoints)
        for row in _shown(rows):
            check.take(row)
        verdict = check.finish([*checkpoints.troubles, *faulty])

    def draw() -> None:
        keys = "\n".join(f"{spoken(kid)} ({kid})" for kid in checkpoints.keys)
        out().print(
            facts(
                {
                    "rows": f"{verdict.rows:,}",
                    "checkpoints": f"{verdict.checkpoints:,}",
                    "not covered yet": verdict.unproven + verdict.unsealed,
                    "root": verdict.root,
                    "signed with": keys,
                    "forks": "\n".join(map(_fork, verdict.forks)),
                }
            )
        )
        if not verdict.troubles:
            print("The journal is as it was sealed.")
            return
        troubles = table("wrong", "where")
        for trouble in verdict.troubles:
            troubles.add_row(cell(trouble.wrong, "bold red"), cell(trouble.text))
        out().print(troubles)
        if verdict.troubles_total > len(verdict.troubles):
            note(f"and {verdict.troubles_total - len(verdict.troubles):,} more")

    options.show(verdict, draw)
    return FAILED if verdict.troubles else DONE


def acknowledge(
    *, reason: Annotated[str, Parameter(help="Why; it is journalled.")], options: Options = DEFAULTS
) -> None:
    """Say why the database holds another history than the checkpoints that were shipped: it was restored.

    Nothing is removed; the server is ready again. For example:

        acmx audit acknowledge --reason "restored from the backup of Monday, disk failure"
    """
    with options.client() as client:
        done = client.acknowledge_fork(reason)
    options.show(done, lambda: print(f"{done.checkpoints:,} checkpoints of another history acknowledged."))


def export(*, since: Beginning = None, output: Output = None, options: Options = DEFAULTS) -> None:
    """Write the sealed journal as JSON lines, byte for byte as it is hashed; the last line is a checkpoint.

    For example:

        acmx audit export --since 2026-11-01 -o november.jsonl
    """
    if output is None and sys.stdout.isatty():
        raise WrongUsageError("What others wrote is not put on a terminal as it is: use -o FILE.")
    require_new(output)
    with options.client() as client:
        signed = client.checkpoint()
        size = _size(signed)
        rows = _shown(_upto(size, client.all_sealed_rows(since)))
        lines = (row.line.encode() for row in rows if row.number is not None and row.number <= size)
        last = msgspec.json.encode(signed)
        count = write_lines(output, _followed(lines, last))
    if output is not None:
        note(f"{output} holds {count - 1:,} rows and the checkpoint over the first {size:,}.")


def _fork(fork: "Fork") -> str:
    return f"{fork.text}\n  {fork.acknowledged or 'nobody has said why'}"


def _followed(lines: Iterable[bytes], last: bytes) -> Iterator[bytes]:
    yield from lines
    yield last


@contextmanager
def _journal(
    offline: Path | None, options: Options
) -> Iterator[tuple[Iterable[SealedRow], Iterable[SignedCheckpoint]]]:
    """Of a running server, what its newest checkpoint covers: what comes meanwhile is left to the next time."""
    if offline is None:
        with options.client() as client:
            last = client.checkpoint()
            size = _size(last)
            stored = (one for one in client.all_checkpoints() if _size(one) < size)
            yield _upto(size, client.all_sealed_rows()), chain(stored, [last])
        return
    from acmx.bootstrap.offline_audit import opened  # noqa: PLC0415

    with opened(offline) as journal:
        yield journal.rows, journal.checkpoints


def _upto(size: int, rows: Iterable[SealedRow]) -> Iterator[SealedRow]:
    for row in rows:
        yield row
        if (row.number or 0) >= size:
            return


def _size(signed: SignedCheckpoint) -> int:
    """0 where it cannot be read: the check says so."""
    try:
        return documents.read(signed.checkpoint.encode(), Checkpoint).size
    except FaultyInput:
        return 0


def _shown(rows: Iterable[SealedRow]) -> Iterator[SealedRow]:
    """On a terminal, how far it is."""
    with err().status("") as status:
        for count, row in enumerate(rows):
            if count % PROGRESS_EVERY == 0:
                status.update(f"{count:,} rows")
            yield row
