"""The errors of acmx: one tree, and the first line of each docstring is the message (RFC 9457 title).

`type` is the last part of the problem type URI, `status` the HTTP status. `final` tells a partner's ACM server
that the same message will never be taken; everything else may be sent again. The closed list that may cross
ACM-2 is in `docs/protocol/errors.md`.
"""

from collections.abc import Sequence
from typing import ClassVar

from acmx.domain.faults import Fault


class AcmxError(Exception):
    """The operation could not be completed."""

    type: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    final: ClassVar[bool] = False

    def __init__(self, detail: str = "", **members: object) -> None:
        super().__init__(detail)
        self.detail = detail
        self.members = members

    @classmethod
    def title(cls) -> str:
        return (cls.__doc__ or "").splitlines()[0]

    def __str__(self) -> str:
        return f"{self.title()} {self.detail}".strip()


class FaultyInput(AcmxError):
    """The input breaks the rules."""

    type = "invalid-input"
    status = 422

    def __init__(self, faults: Sequence[Fault], detail: str = "") -> None:
        super().__init__(
            detail or "; ".join(map(str, faults[:3])), faults=list(faults[:100]), faults_total=len(faults)
        )
        self.faults = list(faults)


# What a message that crosses ACM-2 can be refused for.


class InvalidMessage(FaultyInput):
    """The message does not follow the protocol."""

    type = "invalid-message"
    final = True


class UnsupportedVersion(AcmxError):
    """This version of the message is not spoken here."""

    type = "unsupported-version"
    status = 422
    final = True


class UnsupportedKind(AcmxError):
    """This kind of administrative configuration is not exchanged with this partner."""

    type = "unsupported-kind"
    status = 422
    final = True


class ForeignUser(AcmxError):
    """The list names users who do not belong to the system that asks."""

    type = "foreign-user"
    status = 422
    final = True


class TooManyUsers(AcmxError):
    """The list names more users than are taken in one request."""

    type = "too-many-users"
    status = 422
    final = True


class Withdrawn(AcmxError):
    """The exchange has been withdrawn."""

    type = "withdrawn"
    status = 410
    final = True


class WrongPartner(AcmxError):
    """The message does not come from the system that this exchange is with."""

    type = "wrong-partner"
    status = 403
    final = True


FINAL_TYPES = frozenset(
    error.type
    for error in (
        InvalidMessage,
        UnsupportedVersion,
        UnsupportedKind,
        ForeignUser,
        TooManyUsers,
        Withdrawn,
        WrongPartner,
    )
)
"""The closed list of what a partner may refuse for good; nothing else ends an exchange."""


class UnknownExchange(AcmxError):
    """No such exchange is known here."""

    type = "unknown-exchange"
    status = 404


class OutOfOrder(AcmxError):
    """An earlier message of this exchange has not arrived yet."""

    type = "out-of-order"
    status = 409


class PlaceTaken(AcmxError):
    """Another message already stands at this place."""

    type = "place-taken"
    status = 409


class Contradiction(AcmxError):
    """The exchange has ended otherwise here."""

    type = "contradiction"
    status = 409


class NotEstablished(AcmxError):
    """The partnership is not established, or is suspended."""

    type = "not-established"
    status = 403


class LimitReached(AcmxError):
    """No more requests are taken at the moment."""

    type = "limit-reached"
    status = 429


class BadSignature(AcmxError):
    """The signature is missing or does not fit the message, its sender or its receiver."""

    type = "bad-signature"
    status = 401


class ClockAhead(AcmxError):
    """The signature was made in our future: one of the two clocks is wrong."""

    type = "clock-ahead"
    status = 400


class BadCertificate(AcmxError):
    """The certificate shown is not one pinned for a partner."""

    type = "bad-certificate"
    status = 403


class AssertedIdentity(AcmxError):
    """X-3GPP-Asserted-Identity is not accepted on this reference point."""

    type = "asserted-identity"
    status = 403


class TooLarge(AcmxError):
    """The body is larger than is taken here."""

    type = "too-large"
    status = 413


class TemporarilyUnavailable(AcmxError):
    """The server cannot store anything at the moment."""

    type = "unavailable"
    status = 503


# What a client of ACM-1 can be told besides.


class NotAuthenticated(AcmxError):
    """The bearer token is not valid."""

    type = "not-authenticated"
    status = 401


class LogOnRefused(AcmxError):
    """The account or the password is wrong."""

    type = "log-on-refused"
    status = 401


class TooManyAttempts(AcmxError):
    """Too many log-ons have failed: wait before the next one."""

    type = "too-many-attempts"
    status = 429


class TooMuchAtOnce(AcmxError):
    """Too much was asked for at the same time: try again in a moment."""

    type = "too-much-at-once"
    status = 429


class IdentityProviderUnavailable(TemporarilyUnavailable):
    """The identity provider cannot be asked."""

    type = "identity-provider-unavailable"


class InsufficientScope(AcmxError):
    """The bearer token does not carry the scope that is needed here."""

    type = "insufficient-scope"
    status = 403


class NoIdentity(AcmxError):
    """No bearer token was given."""

    type = "no-identity"
    status = 403


class NotAllowed(AcmxError):
    """This is not allowed."""

    type = "not-allowed"
    status = 403


class NotFound(AcmxError):
    """There is nothing here under this name."""

    type = "not-found"
    status = 404


class WrongMethod(AcmxError):
    """This method is not served here."""

    type = "wrong-method"
    status = 405


class OutcomeStands(AcmxError):
    """The outcome stands already."""

    type = "outcome-stands"
    status = 409


class ReviewStands(AcmxError):
    """You have reviewed this already, and what you said stands."""

    type = "review-stands"
    status = 409


class NotNow(AcmxError):
    """The exchange is not in a state that admits this."""

    type = "not-now"
    status = 409


class NotYet(AcmxError):
    """There is no answer yet."""

    type = "not-yet"
    status = 409


class IdentityTaken(AcmxError):
    """One MC service ID belongs to one account."""

    type = "identity-taken"
    status = 409


class ChangeWaits(AcmxError):
    """A change of this account waits for a second operator already."""

    type = "change-waits"
    status = 409


class NotAsCompared(AcmxError):
    """What is pinned of the partner is not what was compared."""

    type = "not-as-compared"
    status = 409


class VersionsDiffer(AcmxError):
    """What this is based on has changed since it was read."""

    type = "versions-differ"
    status = 412


class KeyReused(AcmxError):
    """This Idempotency-Key was used for another request."""

    type = "key-reused"
    status = 422


class Incomplete(AcmxError):
    """The server identity information is incomplete and not marked so."""

    type = "incomplete"
    status = 422


class InvalidDocument(FaultyInput):
    """The document is none that a configuration management server may be given."""

    type = "invalid-document"


class NotProvisionable(FaultyInput):
    """No document is made of what is missing or wrong."""

    type = "not-provisionable"


# What happens only on this machine.


class DirectoryInUse(AcmxError):
    """Another acmx process uses this directory."""

    type = "directory-in-use"


class AlreadyThere(AcmxError):
    """Something is there already, and nothing is overwritten."""

    type = "already-there"


class Misconfigured(AcmxError):
    """The configuration cannot be used."""

    type = "misconfigured"


class UnsafeLibrary(AcmxError):
    """The SQLite library has the WAL-reset corruption bug; 3.51.3 or later is needed."""

    type = "unsafe-library"


class Unreachable(AcmxError):
    """The ACM server cannot be reached."""

    type = "unreachable"


class UnknownCertificate(AcmxError):
    """The server shows a certificate that is not trusted here."""

    type = "unknown-certificate"
