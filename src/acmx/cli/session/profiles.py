"""Stored log-ons: files of mode 0600 in $XDG_CONFIG_HOME/acmx/profiles; the last log-on is the default."""

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from acmx.cli.files import write
from acmx.domain.acm1 import Session
from acmx.domain.errors import FaultyInput, Misconfigured
from acmx.domain.faults import Fault

_name = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,200}")


class Grant(msgspec.Struct, frozen=True):
    """What an OpenID provider gave beside the access token; `authority` (PEM) is who vouches for its certificate."""

    issuer: str
    client_id: str
    refresh_token: str | None = None
    resource: str | None = None
    authority: str | None = None


class Profile(msgspec.Struct, frozen=True):
    """A log-on at the server of one MC system; `certificate` (PEM) is the server's, where it is pinned.

    `grant`: the log-on was at the OpenID provider.
    """

    name: str
    url: str
    session: Session
    certificate: str | None = None
    grant: Grant | None = None


def save(profile: Profile) -> None:
    """Store it, and make it the default. Raises FaultyInput, Misconfigured."""
    replace(profile)
    _write(_directory() / "default", profile.name.encode())


def replace(profile: Profile) -> None:
    """Store it, whatever the default is. Raises FaultyInput, Misconfigured."""
    _write(_file(profile.name), msgspec.json.encode(profile))


def forget(profile: Profile) -> None:
    """Raises Misconfigured."""
    try:
        _file(profile.name).unlink(missing_ok=True)
        if profile.name == _last():
            (_directory() / "default").unlink()
    except OSError as error:
        raise Misconfigured(f"{_file(profile.name)}: {error.strerror}") from None


@contextmanager
def alone() -> Iterator[None]:
    """No other process of this user changes a profile meanwhile. Raises Misconfigured."""
    try:
        _directory().mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (_directory() / "lock").open("w")
    except OSError as error:
        raise Misconfigured(f"{_directory()}: {error.strerror}") from None
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def load(name: str | None) -> Profile:
    """The profile of this name, or of the last log-on. Raises FaultyInput, Misconfigured."""
    if name is None:
        name = _last()
    try:
        return msgspec.json.decode(_file(name).read_bytes(), type=Profile)
    except FileNotFoundError:
        raise Misconfigured(f"There is no profile {name}: acmx login URL --as {name}") from None
    except (OSError, msgspec.DecodeError) as error:
        raise Misconfigured(f"{_file(name)}: {error}") from None


def _last() -> str:
    try:
        return (_directory() / "default").read_text(encoding="ascii").strip()
    except FileNotFoundError:
        raise Misconfigured("Nobody has logged on yet: acmx login URL") from None


def _file(name: str) -> Path:
    if not _name.fullmatch(name):
        raise FaultyInput([Fault("--as", name, "must be letters, digits and . _ @ -, not first")])
    return _directory() / "profiles" / f"{name}.json"


def _directory() -> Path:
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "acmx"


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Misconfigured(f"{path}: {error.strerror}") from None
    write(path, content)
