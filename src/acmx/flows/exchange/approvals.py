"""More than one pair of eyes: who may review, what several people said of one request, and whether that is enough.

Every review speaks of every user. Whom one person declines is declined; whom nobody declines is approved once enough
reviews count. Why it is as it is: docs/decisions/0011-more-than-one-pair-of-eyes.md.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Literal

import msgspec
from msgspec import Struct

from acmx.domain.acm1 import Review, Reviewed
from acmx.domain.errors import NotAllowed, NotNow, OutcomeStands, ReviewStands, VersionsDiffer
from acmx.domain.identities import mc_service_id
from acmx.domain.messages import Verdict
from acmx.storage.engine import Tx
from acmx.storage.exchange import reviews
from acmx.storage.exchange.exchanges import Exchange
from acmx.storage.exchange.reviews import Given
from acmx.storage.partnership import terms
from acmx.storage.partnership.thresholds import Threshold
from acmx.trust.roles import Caller

Versions = tuple[int, int]
"""Of the exchange and of the catalogue."""
Said = Literal["", "now", "for earlier versions"]


class Judgement(Struct, frozen=True):
    """How many reviews count and how many are needed; `declined`: whom of `users`, and with whose reason."""

    users: int
    approvals: int
    needed: int
    declined: dict[str, str]

    @property
    def decides(self) -> bool:
        return self.approvals >= self.needed or len(self.declined) == self.users

    def verdicts(self, users: Sequence[str], reason: str) -> tuple[Verdict, ...]:
        """Of all users; those who are approved are for `reason`."""
        approved = tuple(user for user in users if user not in self.declined)
        by_reason: dict[str, list[str]] = {}
        for user, why in self.declined.items():
            by_reason.setdefault(why, []).append(user)
        return (
            *([Verdict(approved=True, users=approved, reason=reason)] if approved else ()),
            *(Verdict(approved=False, users=tuple(some), reason=why) for why, some in by_reason.items()),
        )

    def so_far(self, exchange: Exchange) -> Reviewed:
        """What a reviewer is told while others still have to review."""
        return Reviewed(
            exchange.id, exchange.state, "undecided", 0, len(self.declined), self.approvals, self.needed
        )


def person_of(mc_service_id_: str) -> str:
    """An MC service ID as it is compared: one person, however it is written and whatever the account."""
    return mc_service_id(mc_service_id_).key


def given(caller: Caller, exchange: Exchange, review: Review, verdicts: Sequence[Verdict], at: int) -> Given:
    """One person's review as it is stored; `at` in milliseconds."""
    exchange_seen, _, catalogue_seen = review.seen.partition(".")
    declined = tuple(user for verdict in verdicts if not verdict.approved for user in verdict.users)
    return Given(
        primary_system=exchange.primary_system,
        id=exchange.id,
        asker=exchange.asker,
        person=person_of(caller.mc_service_id),
        at=at,
        digest=digest(caller, verdicts, review.reason, review.note),
        exchange_version=int(exchange_seen),
        catalogue=int(catalogue_seen) if exchange.role == "partner" else 0,
        approved=sum(len(verdict.users) for verdict in verdicts if verdict.approved),
        declined=msgspec.json.encode(declined).decode(),
        reason=review.reason,
        note=review.note,
    )


def digest(caller: Caller, verdicts: Sequence[Verdict], reason: str, note: str | None = None) -> str:
    """The same for the same verdicts, reason and note of the same person, in whatever form."""
    same = sorted((user, verdict.approved) for verdict in verdicts for user in verdict.users)
    said = [caller.mc_service_id, same, reason, *([] if note is None else [note])]
    return sha256(msgspec.json.encode(said)).hexdigest()


def others(tx: Tx, review: Given) -> list[Given]:
    """What was said of the same request by other people."""
    return [
        other
        for other in reviews.of_exchange(tx, review.primary_system, review.id)
        if other.person != review.person
    ]


def judge(said: Sequence[Given], review: Given, needed: int, versions: Versions) -> Judgement:
    """`review` beside what others `said`: approvals count for the versions they were given for, declines always."""
    declined: dict[str, str] = {}
    for one in (*said, review):
        for user in one.declines:
            declined.setdefault(user, one.reason)
    approvals = 1 + sum(other.versions == versions for other in said)
    return Judgement(review.approved + len(review.declines), approvals, max(needed, 1), declined)


def is_among(stored: Sequence[Given], review: Given) -> bool:
    """Whether this person has said just this, whenever."""
    return any((one.person, one.digest) == (review.person, review.digest) for one in stored)


def said_before(stored: Sequence[Given], review: Given, versions: Versions) -> Said:
    """Whether this person has said just this while nothing is decided; `versions` are the current ones.

    Raises ReviewStands where the person has said otherwise, VersionsDiffer where what was read has changed.
    """
    mine = next((one for one in stored if one.person == review.person), None)
    if mine is not None and mine.versions == versions:
        if mine.digest != review.digest:
            raise _stands(mine, "")
        return "now"
    if review.versions != versions:
        if is_among(stored, review):
            return "for earlier versions"
        raise VersionsDiffer(f"seen {dotted(review.versions)}, now {dotted(versions)}", seen=dotted(versions))
    if mine is not None and not set(mine.declines) <= set(review.declines):
        raise _stands(mine, "whom you declined stays declined")
    return ""


def may_review(caller: Caller, exchange: Exchange, threshold: Threshold) -> bool:
    """Whether this caller is one of those who have to approve."""
    try:
        permit(caller, exchange, threshold)
    except NotAllowed:
        return False
    return True


def permit(caller: Caller, exchange: Exchange, threshold: Threshold) -> None:
    """Raises NotAllowed where this caller is not one of those who have to approve."""
    if person_of(caller.mc_service_id).lower() in (exchange.asker.lower(), person_of(exchange.asker).lower()):
        raise NotAllowed("nobody reviews the own request", rule="own-request")
    people = threshold.approvals > 1 or threshold.side == "release"
    if people and caller.automatic:
        raise NotAllowed(f"people have to agree, and {caller.account} is none", rule="people")
    if threshold.named and not set(threshold.named) & set(caller.roles):
        raise NotAllowed(f"reviewed by {' or '.join(threshold.named)} only", rule="approvers")


def require_exchanged(tx: Tx, exchange: Exchange, given: Given) -> None:
    """Raises NotNow where somebody is approved whose kind of request the terms for the partner no longer list."""
    if given.approved and not terms.find(tx, exchange.partner).exchanges(exchange.kind or ""):
        raise NotNow(
            f"{exchange.kind} is no longer exchanged with {exchange.partner}, by our terms",
            state=exchange.state,
        )


def outcome_stands(exchange: Exchange) -> OutcomeStands:
    return OutcomeStands(
        f"{exchange.outcome or exchange.state} by {exchange.decided_by or exchange.rule or 'the primary system'}",
        state=exchange.state,
        outcome=exchange.outcome,
        decided_by=exchange.decided_by,
        rule=exchange.rule,
        reason=exchange.reason,
    )


def dotted(versions: Versions) -> str:
    return f"{versions[0]}.{versions[1]}"


def _stands(mine: Given, why: str) -> ReviewStands:
    return ReviewStands(why, seen=dotted(mine.versions), reason=mine.reason)
