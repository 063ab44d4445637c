"""A certificate with its key as one value, so that the good pair stays in use whatever becomes of its files."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from acmx.domain.errors import Misconfigured
from acmx.trust import certificates, tls


@dataclass(frozen=True)
class Pair:
    """Both PEM; `place` is where the certificate lay."""

    place: Path
    certificate: bytes
    key: bytes = field(repr=False)

    @property
    def pem(self) -> str:
        return self.certificate.decode()

    @property
    def fingerprint(self) -> str:
        return certificates.fingerprint_of_pem(self.pem)

    def require_valid(self, now: datetime) -> None:
        """Raises Misconfigured where it is not yet, or no longer, valid."""
        begins, ends = certificates.validity(self.pem)
        if not begins <= now <= ends:
            raise Misconfigured(
                f"{self.place} is valid from {begins:%Y-%m-%d %H:%M} to {ends:%Y-%m-%d %H:%M} UTC only."
            )

    @contextmanager
    def as_files(self) -> Iterator[tuple[Path, Path]]:
        """The two as OpenSSL wants them: beside the originals, for as long as the block lasts, their owner's alone."""
        with TemporaryDirectory(dir=self.place.parent, prefix=".pair.") as folder:
            paths = Path(folder, self.place.name), Path(folder, "key")
            for path, content in zip(paths, (self.certificate, self.key), strict=True):
                with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                    file.write(content)
            yield paths


def read_pair(certificate: Path, key: Path) -> Pair:
    """Raises Misconfigured where one of the two cannot be read, or they do not belong together."""
    try:
        pair = Pair(certificate, certificate.read_bytes(), key.read_bytes())
    except OSError as error:
        raise Misconfigured(f"{error.filename}: {error.strerror}") from error
    try:
        with pair.as_files() as files:
            tls.server_context(*files, pinned=None)
    except Misconfigured as error:
        raise Misconfigured(f"{certificate} and {key} do not fit: {error.__cause__}") from error
    return pair
