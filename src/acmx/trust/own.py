"""Who this MC system is to its partners: its key, its metadata, and what it signs."""

from dataclasses import dataclass

from acmx.trust.keys import SigningKey
from acmx.trust.signatures import Typ, body_digest, sign


@dataclass(frozen=True)
class Own:
    """This MC system. `metadata` is published byte for byte."""

    system: str
    key: SigningKey
    metadata: bytes

    @property
    def metadata_digest(self) -> str:
        return body_digest(self.metadata)

    def sign(
        self, body: bytes, *, to: str, typ: Typ, now: int, exchange: str | None = None, n: int | None = None
    ) -> str:
        """The ACM-Signature of a body for the system `to`; `now` in seconds since 1970."""
        return sign(self.key, body, iss=self.system, aud=to, iat=now, typ=typ, exchange=exchange, n=n)
