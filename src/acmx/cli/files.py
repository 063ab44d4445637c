"""Writing the files that a user asked for: whole or not at all, durable, and their owner's alone."""

import os
import stat
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from acmx.domain.errors import AcmxError
from acmx.trust.keys import sync


def require_new(path: Path | None) -> None:
    """What proves something never takes the place of a file that is there. Raises AcmxError."""
    if path is not None and path.exists():
        raise AcmxError(f"{path} exists and is not replaced: name another file.")


def write(path: Path, content: bytes, *, public: bool = False) -> None:
    """Write a file (mode 0600; with `public`, as the umask has it) in the place of the one that is there.

    Raises AcmxError, also where `path` is no regular file: a symbolic link is neither followed nor replaced.
    """
    with _in_place_of(path, public=public) as file:
        file.write(content)


def write_all(contents: Iterable[tuple[Path, bytes]]) -> None:
    """Write each as `write` does, and make them durable together. Raises AcmxError; those before are written."""
    for path, content in contents:
        with _in_place_of(path, durable=False) as file:
            file.write(content)
    os.sync()


def write_lines(path: Path | None, lines: Iterable[bytes]) -> int:
    """How many lines were written to a file, as `write` does, or to stdout. Raises AcmxError."""
    if path is None:
        return _each(sys.stdout.buffer, lines)
    with _in_place_of(path) as file:
        return _each(file, lines)


def _each(file: BinaryIO, lines: Iterable[bytes]) -> int:
    count = 0
    for line in lines:
        file.write(line + b"\n")
        count += 1
    return count


@contextmanager
def _in_place_of(path: Path, *, public: bool = False, durable: bool = True) -> Iterator[BinaryIO]:
    try:
        _require_regular(path)
        descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=".acmx-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file
                if public:
                    os.fchmod(descriptor, 0o666 & ~_umask())
                file.flush()
                if durable:
                    os.fsync(descriptor)
            Path(draft).replace(path)
        except BaseException:
            Path(draft).unlink(missing_ok=True)
            raise
        if durable:
            sync(path.parent)
    except OSError as error:
        raise AcmxError(f"{path} cannot be written: {error.strerror}") from None


def _require_regular(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISREG(mode):
        kind = "a symbolic link" if stat.S_ISLNK(mode) else "no file"
        raise AcmxError(f"{path} is {kind}: name the file to be written.")


def _umask() -> int:
    umask = os.umask(0o077)
    os.umask(umask)
    return umask
