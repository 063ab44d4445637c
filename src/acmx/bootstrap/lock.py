"""One acmx process serves a directory at a time."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from acmx.domain.errors import DirectoryInUse, Misconfigured

LOCK = "lock"


@contextmanager
def hold(directory: Path) -> Iterator[None]:
    """Hold the directory; the lock ends with the process, however that ends.

    Raises DirectoryInUse at once, naming the process that holds it; Misconfigured where there is no directory.
    """
    try:
        descriptor = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise Misconfigured(f"{directory / LOCK}: {error.strerror}") from error
    try:
        _lock(descriptor, directory)
        os.truncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        yield
    finally:
        os.close(descriptor)


def is_held(directory: Path) -> bool:
    """Whether a process holds the directory. Raises OSError where it cannot be looked at."""
    if not (directory / LOCK).exists():
        return False
    with (directory / LOCK).open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _lock(descriptor: int, directory: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.read(descriptor, 20).decode() or "that has just begun"
        raise DirectoryInUse(f"{directory} is held by process {holder}.") from error
