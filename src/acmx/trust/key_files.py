"""The signing keys of this MC system, as files: `signing.pem` is the newest; `KID.END.pem` is one that was replaced.

A key that was replaced stays: it is published with its end, verifies what it signed, and signs for a partner that has
not heard of a newer one. To revoke a key is to remove its file.
"""

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from acmx.domain.errors import Misconfigured, NotFound
from acmx.trust.keys import SigningKey, sync

NEWEST = "signing.pem"
_DRAFT = ".signing.pem.next"
_REPLACED = re.compile(r"(?P<kid>[A-Za-z0-9_-]{43})\.(?P<end>[0-9]{8}T[0-9]{6}Z)\.pem")
_END = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True)
class HeldKey:
    """A private key; `ends` is the last second in which it may sign for who knows of that end."""

    key: SigningKey
    path: Path
    ends: datetime | None = None


def load(folder: Path) -> tuple[HeldKey, ...]:
    """Newest first. Raises Misconfigured."""
    newest = HeldKey(SigningKey.load(folder / NEWEST), folder / NEWEST)
    replaced = [held for held in map(_replaced, folder.iterdir()) if held]
    replaced.sort(key=lambda held: (held.ends, held.key.kid), reverse=True)
    return newest, *(held for held in replaced if held.key.kid != newest.key.kid)


def rotate(folder: Path, ends: datetime) -> tuple[HeldKey, ...]:
    """Put a new key in the first place; the one that was there gets an end. Raises Misconfigured, OSError."""
    with _alone(folder):
        old = load(folder)[0].key.kid
        (folder / _DRAFT).unlink(missing_ok=True)
        SigningKey.generate().save(folder / _DRAFT)
        for left in folder.glob(f"{old}.*.pem"):  # of a rotation that was cut off
            left.unlink()
        os.link(folder / NEWEST, folder / f"{old}.{ends.astimezone(UTC):{_END}}.pem")
        (folder / _DRAFT).replace(folder / NEWEST)
        sync(folder)
        return load(folder)


def revoke(folder: Path, kid: str, now: datetime) -> tuple[HeldKey, ...]:
    """Remove a key; the newest one is replaced first. Raises NotFound, Misconfigured, OSError."""
    found = {held.key.kid: held for held in load(folder)}
    if kid not in found:
        raise NotFound(f"There is no key {kid} in {folder}.")
    if found[kid].path.name == NEWEST:
        rotate(folder, now)
    with _alone(folder):
        for path in folder.glob(f"{kid}.*.pem"):
            path.unlink()
        sync(folder)
        return load(folder)


def _replaced(path: Path) -> HeldKey | None:
    name = _REPLACED.fullmatch(path.name)
    if name is None:
        return None
    key = SigningKey.load(path)
    if key.kid != name["kid"]:
        raise Misconfigured(f"{path} holds another key: {key.kid}.")
    return HeldKey(key, path, datetime.strptime(name["end"], _END).replace(tzinfo=UTC))


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
