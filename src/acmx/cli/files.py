"""Writing the files that a user asked for."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from acmx.domain.errors import AcmxError


def require_new(path: Path | None) -> None:
    """What proves something never takes the place of a file that is there. Raises AcmxError."""
    if path is not None and path.exists():
        raise AcmxError(f"{path} exists and is not replaced: name another file.")


def write(path: Path, content: bytes) -> None:
    """Write a whole file, or leave the one that is there. Raises AcmxError."""
    partial = path.with_name(f"{path.name}.partial")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    except OSError as error:
        raise AcmxError(f"{path} cannot be written: {error.strerror}") from None


def write_lines(path: Path | None, lines: Iterable[bytes]) -> int:
    """How many lines were written to a file, whole or not at all, or to stdout. Raises AcmxError."""
    if path is None:
        return _each(sys.stdout.buffer, lines)
    partial = path.with_name(f"{path.name}.partial")
    try:
        with partial.open("wb") as file:
            count = _each(file, lines)
        partial.replace(path)
    except OSError as error:
        raise AcmxError(f"{path} cannot be written: {error.strerror}") from None
    return count


def _each(file: BinaryIO, lines: Iterable[bytes]) -> int:
    count = 0
    for line in lines:
        file.write(line + b"\n")
        count += 1
    return count
