"""Checkpoints as files in a directory that others collect from: one is added, none is ever replaced."""

import errno
import os
import tempfile
from collections.abc import Collection
from pathlib import Path

import structlog

from acmx.domain.documents import encode, read
from acmx.domain.errors import AcmxError
from acmx.domain.records import Checkpoint, SignedCheckpoint
from acmx.flows.evidence.fork import Shipped
from acmx.trust.keys import sync
from acmx.trust.sealing import read_checkpoint

AT_ONCE = 10_000
LONGEST = 65_536
log = structlog.get_logger()


def name_of(checkpoint: Checkpoint) -> str:
    """Of its file; two histories of the journal never have the same."""
    return f"checkpoint-{checkpoint.size:012d}-{checkpoint.root[:16]}.json"


def names(directory: Path) -> set[str]:
    """Of the files that may be checkpoints. Raises OSError."""
    return {path.name for path in directory.glob("checkpoint-*.json")}


def found(directory: Path, system: str, passed: Collection[str] = ()) -> list[Shipped]:
    """The checkpoints of this system, the smallest first, without the files named; at most 10,000, the last ones.

    What is none, half written for instance, is logged. Raises OSError.
    """
    wanted = sorted(names(directory).difference(passed))[-AT_ONCE:]
    read_ones = (one for name in wanted if (one := _read(directory / name)) is not None)
    return sorted(
        (one for one in read_ones if one.checkpoint.system == system), key=lambda one: one.checkpoint.size
    )


def damaged(directory: Path) -> list[str]:
    """The names of files that should be checkpoints and are none. Raises OSError."""
    return [name for name in sorted(names(directory)) if _read(directory / name) is None]


def write(directory: Path, signed: SignedCheckpoint) -> None:
    """Add it: whole, durable, or not at all.

    Raises OSError; FileExistsError where its name is taken by something else. An empty file is what a crash left.
    """
    content = encode(signed)
    path = directory / name_of(read(signed.checkpoint.encode(), Checkpoint))
    try:
        path.touch(exist_ok=False)
    except FileExistsError:
        held = _content(path)
        if held == content:
            return
        if held:
            raise FileExistsError(errno.EEXIST, "holds something else", str(path)) from None
    descriptor, draft = tempfile.mkstemp(dir=directory, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
    sync(directory)


def _read(path: Path) -> Shipped | None:
    try:
        signed = read(_content(path), SignedCheckpoint)
        return Shipped(path.name, read_checkpoint(signed), signed.key.kid)
    except AcmxError as error:
        log.warning("a file is no checkpoint", file=str(path), error=str(error))
        return None


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(LONGEST)
