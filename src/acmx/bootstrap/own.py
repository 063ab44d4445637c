"""What this MC system says of itself, from its configuration, its keys and its certificates."""

from pathlib import Path

from acmx.config import Config
from acmx.domain.documents import encode
from acmx.domain.messages import VERSION
from acmx.domain.partnership import Metadata, PublishedKey
from acmx.kinds import SUPPORTED
from acmx.trust import key_files
from acmx.trust.certificates import not_after
from acmx.trust.key_files import HeldKey
from acmx.trust.own import Own, OwnKey

OTHER_CERTIFICATES = ("acm2-next.pem", "acm2-old.pem")


def own(directory: Path, config: Config) -> Own:
    """As it stands in the directory, before it was ever published. Raises Misconfigured."""
    held = key_files.load(directory / "keys")
    described = metadata(directory, config, held, (directory / "tls" / "acm2.pem").read_text())
    (newest, *replaced) = own_keys(held)
    return Own(config.system, newest.key, encode(described), tuple(replaced))


def own_keys(held: tuple[HeldKey, ...]) -> tuple[OwnKey, ...]:
    return tuple(OwnKey(one.key, int(one.ends.timestamp()) if one.ends else None) for one in held)


def metadata(directory: Path, config: Config, held: tuple[HeldKey, ...], shown: str) -> Metadata:
    """`shown` is the certificate in use (PEM). The next and the last one are published with it, in the order of their
    ends, so that nothing changes for partners when the next one takes its place.
    """
    others = [directory / "tls" / name for name in OTHER_CERTIFICATES]
    known = {shown, *(path.read_text() for path in others if path.exists())}
    return Metadata(
        version=VERSION,
        system=config.system,
        name=config.name,
        address=config.acm2.address,
        contact=config.contact,
        keys=tuple(PublishedKey(one.key.kid, one.key.public_jwk["x"], ends_at=one.ends) for one in held),
        certificates=tuple(sorted(known, key=lambda pem: (not_after(pem), pem))),
        realms=config.realms,
        kinds=SUPPORTED,
        versions=(VERSION,),
    )
