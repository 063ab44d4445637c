"""What this MC system says of itself, from its configuration, its key and its certificate."""

from pathlib import Path

from acmx.config import Config
from acmx.domain.documents import encode
from acmx.domain.messages import VERSION
from acmx.domain.partnership import Metadata, PublishedKey
from acmx.kinds import SUPPORTED
from acmx.trust.keys import SigningKey
from acmx.trust.own import Own


def own(directory: Path, config: Config) -> Own:
    """Raises Misconfigured. The same files give the same bytes, so the digest changes only when they do."""
    key = SigningKey.load(directory / "keys" / "signing.pem")
    metadata = Metadata(
        version=VERSION,
        system=config.system,
        name=config.name,
        address=config.acm2.address,
        contact=config.contact,
        keys=(PublishedKey(key.kid, key.public_jwk["x"]),),
        certificates=((directory / "tls" / "acm2.pem").read_text(),),
        realms=config.realms,
        kinds=SUPPORTED,
        versions=(VERSION,),
    )
    return Own(config.system, key, encode(metadata))
