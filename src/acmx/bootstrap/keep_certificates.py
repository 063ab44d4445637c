"""The certificates of a directory, changed by command, whether a server runs in it or not. One that runs follows.

Partners have pinned the certificate of ACM-2, so the next one is published first, confirmed by a person at each
partner, and only then takes its place.
"""

import os
from pathlib import Path

from msgspec import Struct

from acmx import config
from acmx.bootstrap.create import (
    ACM1_CERTIFICATE,
    ACM2_CERTIFICATE,
    ACM2_KEY,
    CERTIFICATE_DAYS,
    machine_clock,
)
from acmx.bootstrap.database import look
from acmx.bootstrap.new_directory import CONFIG
from acmx.domain.errors import AlreadyThere, NotFound, NotNow
from acmx.domain.moments import Clock, text
from acmx.storage.engine import Tx
from acmx.storage.partnership import partners
from acmx.trust.certificates import (
    der,
    fingerprint,
    not_after,
    require_both_ends,
    self_signed,
)
from acmx.trust.keys import digit_groups, sync, write_secret
from acmx.trust.pairs import read_pair

NEXT_CERTIFICATE, NEXT_KEY, OLD_CERTIFICATE = "tls/acm2-next.pem", "tls/acm2-next.key", "tls/acm2-old.pem"
_ROLES = {
    "acm1": ACM1_CERTIFICATE,
    "acm2": ACM2_CERTIFICATE,
    "acm2 next": NEXT_CERTIFICATE,
    "acm2 old": OLD_CERTIFICATE,
}


class Certificate(Struct, frozen=True):
    """`spoken` is its SHA-256 in groups of digits; `waits_for` are the partners that have not confirmed it yet."""

    use: str
    fingerprint: str
    spoken: str
    ends_at: str
    waits_for: list[str]


class Certificates(Struct, frozen=True):
    """Those that are there."""

    items: list[Certificate]


def certificates(directory: Path) -> Certificates:
    """Raises Misconfigured, FaultyInput, OSError."""
    found = {use: directory / name for use, name in _ROLES.items() if (directory / name).exists()}
    return look(
        directory,
        config.read(directory / CONFIG),
        lambda tx: Certificates([_shown(tx, use, path.read_text()) for use, path in found.items()]),
    )


def publish_next(
    directory: Path, given: tuple[Path, Path] | None, clock: Clock = machine_clock
) -> Certificates:
    """Publish the certificate that is to follow that of ACM-2: the given pair (PEM files), or a new self-signed one.

    Raises AlreadyThere where one is published already, Misconfigured, FaultyInput, OSError.
    """
    certificates(directory)
    if (directory / NEXT_CERTIFICATE).exists():
        raise AlreadyThere(f"{directory / NEXT_CERTIFICATE} is there: switch to it, or remove it.")
    if given:
        pair = read_pair(*given)
        pair.require_valid(clock())
        require_both_ends(pair.pem)
        certificate, key = pair.certificate, pair.key
    else:
        chosen = config.read(directory / CONFIG)
        names = list(dict.fromkeys((chosen.system, config.host_of(chosen.acm2.address))))
        certificate, key = self_signed(names[0], names, now=clock(), days=CERTIFICATE_DAYS)
    (directory / OLD_CERTIFICATE).unlink(missing_ok=True)
    (directory / NEXT_KEY).unlink(missing_ok=True)
    write_secret(directory / NEXT_KEY, key)
    write_secret(directory / NEXT_CERTIFICATE, certificate)
    return certificates(directory)


def switch(directory: Path, *, anyway: bool) -> Certificates:
    """The next certificate of ACM-2 takes its place; the last one stays published until there is a next one again.

    Raises NotFound where there is none; NotNow where a partner has not confirmed it, unless `anyway`; OSError.
    One that was cut off is finished by another.
    """
    coming = directory / NEXT_CERTIFICATE
    if not coming.exists():
        raise NotFound(f"There is no {coming}: acmx certificates next {directory}")
    waits = [partner for one in certificates(directory).items for partner in one.waits_for]
    if waits and not anyway:
        raise NotNow(f"The next certificate is not confirmed yet by {', '.join(waits)}.")
    if (directory / NEXT_KEY).exists():
        (directory / OLD_CERTIFICATE).unlink(missing_ok=True)
        os.link(directory / ACM2_CERTIFICATE, directory / OLD_CERTIFICATE)
        (directory / NEXT_KEY).replace(directory / ACM2_KEY)
    coming.replace(directory / ACM2_CERTIFICATE)
    sync(coming.parent)
    return certificates(directory)


def _shown(tx: Tx, use: str, pem: str) -> Certificate:
    digest = fingerprint(der(pem))
    waits = partners.without_certificate(tx, digest) if use == "acm2 next" else []
    return Certificate(use, digest, digit_groups(bytes.fromhex(digest)), text(not_after(pem)), waits)
