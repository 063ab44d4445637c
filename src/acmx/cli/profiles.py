"""Stored log-ons: files of mode 0600 in $XDG_CONFIG_HOME/acmx/profiles; the last log-on is the default."""

import os
import re
from pathlib import Path
from tempfile import NamedTemporaryFile

import msgspec

from acmx.client import Client
from acmx.domain.acm1 import Session
from acmx.domain.errors import Fault, FaultyInput, Misconfigured

_name = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,200}")


class Profile(msgspec.Struct, frozen=True):
    """A log-on at the server of one MC system; `pinned` says that its certificate lies beside this file."""

    name: str
    url: str
    session: Session
    pinned: bool

    def client(self) -> Client:
        certificate = certificate_file(self.name) if self.pinned else None
        return Client(self.url, self.session.token, certificate)


def save(profile: Profile, certificate: str | None) -> None:
    """Store it with the pinned certificate (PEM), and make it the default. Raises FaultyInput, Misconfigured."""
    if certificate is not None:
        _write(certificate_file(profile.name), certificate.encode())
    _write(_file(profile.name), msgspec.json.encode(profile))
    _write(_directory() / "default", profile.name.encode())


def load(name: str | None) -> Profile:
    """The profile of this name, or of the last log-on. Raises FaultyInput, Misconfigured."""
    if name is None:
        name = _last()
    try:
        return msgspec.json.decode(_file(name).read_bytes(), type=Profile)
    except FileNotFoundError:
        raise Misconfigured(
            f"There is no profile {name}: acmx login URL --account NAME --as {name}"
        ) from None
    except (OSError, msgspec.DecodeError) as error:
        raise Misconfigured(f"{_file(name)}: {error}") from None


def certificate_file(name: str) -> Path:
    """Where the certificate that is pinned for a profile lies. Raises FaultyInput."""
    return _file(name).with_name(f"{name}.pem")


def _last() -> str:
    try:
        return (_directory() / "default").read_text(encoding="ascii").strip()
    except FileNotFoundError:
        raise Misconfigured("Nobody has logged on yet: acmx login URL --account NAME") from None


def _file(name: str) -> Path:
    if not _name.fullmatch(name):
        raise FaultyInput([Fault("--as", name, "must be letters, digits and . _ @ -, not first")])
    return _directory() / "profiles" / f"{name}.json"


def _directory() -> Path:
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "acmx"


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(content)
        Path(file.name).replace(path)
    except OSError as error:
        raise Misconfigured(f"{path}: {error.strerror}") from None
