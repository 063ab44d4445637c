"""Who this MC system is to its partners: its keys, its metadata, and what it signs.

All of it can change while the server runs.
"""

from collections.abc import Mapping
from typing import NamedTuple

from acmx.trust.keys import SigningKey, VerifyKey
from acmx.trust.signatures import Typ, body_digest, sign


class OwnKey(NamedTuple):
    """A key of ours and the second (Unix time) of its published end."""

    key: SigningKey
    ends: int | None = None


class Own:
    """This MC system. `metadata` is published byte for byte; `shown` is the fingerprint of the certificate in use."""

    def __init__(
        self, system: str, key: SigningKey, metadata: bytes, replaced: tuple[OwnKey, ...] = ()
    ) -> None:
        """`replaced` are the older keys, newest first."""
        self.system = system
        self.shown = ""
        self._held: dict[str, frozenset[str]] = {}
        self.change(metadata, (OwnKey(key), *replaced))

    def change(self, metadata: bytes, keys: tuple[OwnKey, ...]) -> None:
        """From now on these keys sign, newest first, and this is published."""
        self.metadata = metadata
        self.metadata_digest = body_digest(metadata)
        self._keys = keys

    @property
    def key(self) -> SigningKey:
        """The newest one."""
        return self._keys[0].key

    @property
    def verify_keys(self) -> Mapping[str, VerifyKey]:
        """All that may have signed for this system; a key is used after its end for who has not heard of that."""
        return {own.key.kid: VerifyKey(own.key.okp, own.key.kid) for own in self._keys}

    def hear_held(self, partner: str, kids: frozenset[str] | None) -> None:
        """The partner said which of our keys it takes; None where it never did."""
        if kids is None:
            self._held.pop(partner, None)
        else:
            self._held[partner] = kids

    def sign(
        self,
        body: bytes,
        *,
        to: str,
        typ: Typ,
        now: int,
        exchange: str | None = None,
        n: int | None = None,
        read_by: str | None = None,
        turn: int = 0,
    ) -> str:
        """The ACM-Signature of a body for the system `to`, by the key that `read_by` (where not given, `to`) takes.

        `now` in seconds since 1970. Each `turn` another key has its turn, in case the reader takes others than it said.
        """
        first = self.key_for(read_by or to, now)
        keys = [first, *(own.key for own in self._keys if own.key.kid != first.kid)]
        key = keys[turn % len(keys)]
        return sign(key, body, iss=self.system, aud=to, iat=now, typ=typ, exchange=exchange, n=n)

    def key_for(self, reader: str, now: int) -> SigningKey:
        """The newest that the reader takes; where that is unknown, the oldest that has not ended."""
        held = self._held.get(reader)
        if held is not None:
            return next((own.key for own in self._keys if own.key.kid in held), self.key)
        lasting = [own.key for own in self._keys if own.ends is None or own.ends > now]
        return lasting[-1]
