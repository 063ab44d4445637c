"""The life of an exchange: its states at both systems, and the one table of transitions between them.

Guards, the diagram in docs/protocol/rules.md, the search over all states and the tests are made from `TABLE`. A
transition names the steps of the procedure (1 to 18) that it carries out and who is told of it.
"""

from enum import StrEnum
from typing import Literal

from msgspec import Struct

Role = Literal["primary", "partner"]
Audience = Literal["asker", "reviewers", "operators", "account-holders", "partner-administrators"]


class State(StrEnum):
    """Where an exchange stands, seen from one of the two systems."""

    AWAITING_RELEASE = "awaiting_release"
    REFUSED_HERE = "refused_here"
    QUEUED = "queued"
    STORED = "stored"
    MORE_INFORMATION = "more_information"
    OVERDUE = "overdue"
    WITHDRAWING = "withdrawing"
    ANSWERED = "answered"
    RETRIEVED = "retrieved"
    REFUSED_BY_PARTNER = "refused_by_partner"
    WITHDRAWN = "withdrawn"
    PENDING = "pending"
    DECIDED = "decided"
    DELIVERED = "delivered"


class Event(StrEnum):
    """What can happen to an exchange; the name of its journal row."""

    SUBMITTED = "submitted"
    NOT_AUTHORISED = "not-authorised"
    HELD = "held"
    RELEASE_APPROVED = "release-approved"
    RELEASED = "released"
    NOT_RELEASED = "not-released"
    INDICATED = "stored-indication"
    REFUSED_BY_PARTNER = "refused-by-partner"
    WITHDRAWN_UNSENT = "withdrawn-unsent"
    WITHDRAWAL_ASKED = "withdrawal-asked"
    WITHDRAWAL_CONFIRMED = "withdrawal-confirmed"
    WITHDRAWAL_TOO_LATE = "withdrawal-too-late"
    QUESTION = "question"
    ANSWER_SENT = "answer-sent"
    EARLIER_ANSWER_SENT = "earlier-answer-sent"
    RESPONSE = "response"
    RETRIEVED = "retrieved"
    UPDATE = "update"
    REVOCATION = "revocation"
    REQUEST = "request"
    WITHDRAWAL = "withdrawal"
    QUESTION_ASKED = "question-asked"
    ANSWER = "answer"
    EARLIER_ANSWER = "earlier-answer"
    REVIEW_STORED = "review-stored"
    REVIEWED = "reviewed"
    DECIDED_BY_RULE = "decided-by-rule"
    RESPONSE_DELIVERED = "response-delivered"
    RESPONSE_REFUSED = "response-refused"
    UPDATE_SENT = "update-sent"
    REVOKED = "revoked"
    UPDATE_REFUSED = "update-refused"
    EXPIRED = "expired"
    GRANT_ENDED = "grant-ended"
    UNDELIVERABLE = "undeliverable"
    RESTORED = "restored"
    RECONCILED = "reconciled"
    CONTRADICTED = "contradicted"
    WITHDRAWAL_STANDS = "withdrawal-stands"


class Transition(Struct, frozen=True):
    """One row of the table. `source` is None where the exchange does not exist yet."""

    role: Role
    source: State | None
    event: Event
    target: State
    steps: tuple[int, ...] = ()
    tells: tuple[Audience, ...] = ()


S, E = State, Event
UNANSWERED = (S.QUEUED, S.STORED, S.MORE_INFORMATION, S.OVERDUE)
UNDECIDED = (S.PENDING, S.MORE_INFORMATION)
ENDED_AT_PARTNER = (S.DECIDED, S.DELIVERED, S.WITHDRAWN)
SETTLED = frozenset((S.REFUSED_HERE, S.REFUSED_BY_PARTNER, S.WITHDRAWN, S.ANSWERED, S.RETRIEVED, S.DELIVERED))
"""Where the two systems owe each other nothing more, but for the end of a live grant."""


def _stays(
    role: Role, event: Event, *states: State, steps: tuple[int, ...] = (), tells: tuple[Audience, ...] = ()
) -> tuple[Transition, ...]:
    return tuple(Transition(role, state, event, state, steps, tells) for state in states)


TABLE: tuple[Transition, ...] = (
    # The primary system asks.
    Transition("primary", None, E.SUBMITTED, S.QUEUED, (1, 2)),
    Transition("primary", None, E.NOT_AUTHORISED, S.REFUSED_HERE, (1, 2), ("asker",)),
    # Where more than one pair of eyes is wanted, nothing leaves before it is released.
    Transition("primary", None, E.HELD, S.AWAITING_RELEASE, (1,), ("reviewers",)),
    *_stays("primary", E.RELEASE_APPROVED, S.AWAITING_RELEASE, tells=("reviewers",)),
    Transition("primary", S.AWAITING_RELEASE, E.RELEASED, S.QUEUED, (2,), ("reviewers",)),
    Transition("primary", S.AWAITING_RELEASE, E.NOT_RELEASED, S.REFUSED_HERE, (2,), ("asker", "reviewers")),
    Transition("primary", S.AWAITING_RELEASE, E.EXPIRED, S.REFUSED_HERE, (), ("asker", "reviewers")),
    Transition("primary", S.AWAITING_RELEASE, E.WITHDRAWN_UNSENT, S.WITHDRAWN, (), ("asker", "reviewers")),
    Transition("primary", S.QUEUED, E.INDICATED, S.STORED, (3, 4, 5)),
    *_stays(
        "primary",
        E.INDICATED,
        S.STORED,
        S.MORE_INFORMATION,
        S.OVERDUE,
        S.WITHDRAWING,
        S.ANSWERED,
        S.RETRIEVED,
        S.WITHDRAWN,
        steps=(3, 4, 5),
    ),
    *(
        Transition("primary", s, E.REFUSED_BY_PARTNER, S.REFUSED_BY_PARTNER, (3,), ("asker",))
        for s in UNANSWERED
    ),
    # The partner asks back, perhaps before its stored indication has come; an answer to its last question ends it.
    *(Transition("primary", s, E.QUESTION, S.MORE_INFORMATION, (), ("asker",)) for s in (S.QUEUED, S.STORED)),
    *_stays("primary", E.QUESTION, S.MORE_INFORMATION, tells=("asker",)),
    *_stays("primary", E.QUESTION, S.OVERDUE, S.WITHDRAWING, S.ANSWERED, S.RETRIEVED, S.WITHDRAWN),
    Transition("primary", S.MORE_INFORMATION, E.ANSWER_SENT, S.STORED),
    *_stays("primary", E.EARLIER_ANSWER_SENT, S.MORE_INFORMATION),
    # It withdraws: at once while nothing was ever sent, else when the partner says so.
    *(
        Transition("primary", s, E.WITHDRAWN_UNSENT, S.WITHDRAWN, (), ("asker",))
        for s in (S.QUEUED, S.OVERDUE)
    ),
    *(Transition("primary", s, E.WITHDRAWAL_ASKED, S.WITHDRAWING) for s in (S.AWAITING_RELEASE, *UNANSWERED)),
    Transition("primary", S.WITHDRAWING, E.WITHDRAWAL_CONFIRMED, S.WITHDRAWN, (), ("asker",)),
    *_stays("primary", E.WITHDRAWAL_CONFIRMED, S.WITHDRAWN, S.REFUSED_BY_PARTNER),
    *_stays("primary", E.WITHDRAWAL_TOO_LATE, S.WITHDRAWING, S.ANSWERED, S.RETRIEVED),
    # The answer comes, and is fetched.
    *(
        Transition("primary", s, E.RESPONSE, S.ANSWERED, (13, 14), ("asker",))
        for s in (*UNANSWERED, S.WITHDRAWING)
    ),
    Transition("primary", S.ANSWERED, E.RETRIEVED, S.RETRIEVED, (18,)),
    *(
        Transition("primary", s, E.EXPIRED, S.OVERDUE, (), ("asker",))
        for s in (S.QUEUED, S.STORED, S.MORE_INFORMATION)
    ),
    # What was granted changes, is taken back, or ends.
    *_stays("primary", E.UPDATE, S.ANSWERED, S.RETRIEVED, tells=("asker",)),
    *_stays("primary", E.REVOCATION, S.ANSWERED, S.RETRIEVED, tells=("asker",)),
    *_stays("primary", E.GRANT_ENDED, S.ANSWERED, S.RETRIEVED, tells=("asker",)),
    *_stays("primary", E.UNDELIVERABLE, S.OVERDUE, S.WITHDRAWING, tells=("asker",)),
    # The partner system alone decides the outcome.
    Transition("partner", None, E.REQUEST, S.PENDING, (3, 4, 5, 6), ("reviewers",)),
    Transition("partner", None, E.WITHDRAWAL, S.WITHDRAWN, (), ("reviewers",)),
    *(Transition("partner", s, E.WITHDRAWAL, S.WITHDRAWN, (), ("reviewers",)) for s in UNDECIDED),
    *_stays("partner", E.WITHDRAWAL, *ENDED_AT_PARTNER),
    *(Transition("partner", s, E.QUESTION_ASKED, S.MORE_INFORMATION) for s in UNDECIDED),
    Transition("partner", S.MORE_INFORMATION, E.ANSWER, S.PENDING, (), ("reviewers",)),
    *_stays("partner", E.ANSWER, S.PENDING, tells=("reviewers",)),
    *_stays("partner", E.ANSWER, *ENDED_AT_PARTNER),
    *_stays("partner", E.EARLIER_ANSWER, *UNDECIDED, tells=("reviewers",)),
    *_stays("partner", E.EARLIER_ANSWER, *ENDED_AT_PARTNER),
    *_stays("partner", E.REVIEW_STORED, *UNDECIDED, tells=("reviewers",)),
    *(Transition("partner", s, E.REVIEWED, S.DECIDED, (11, 12), ("reviewers",)) for s in UNDECIDED),
    Transition("partner", S.PENDING, E.DECIDED_BY_RULE, S.DECIDED, (6,), ("reviewers",)),
    *(Transition("partner", s, E.EXPIRED, S.DECIDED, (), ("reviewers",)) for s in UNDECIDED),
    Transition("partner", S.DECIDED, E.RESPONSE_DELIVERED, S.DELIVERED, (13, 14), ("reviewers",)),
    *_stays("partner", E.RESPONSE_DELIVERED, S.DELIVERED),
    *_stays("partner", E.RESPONSE_REFUSED, S.DECIDED, tells=("reviewers",)),
    *_stays("partner", E.UPDATE_SENT, S.DECIDED, S.DELIVERED),
    *_stays("partner", E.REVOKED, S.DECIDED, S.DELIVERED, tells=("reviewers",)),
    *_stays("partner", E.UPDATE_REFUSED, S.DECIDED, S.DELIVERED, tells=("reviewers",)),
    *_stays("partner", E.GRANT_ENDED, S.DECIDED, S.DELIVERED, tells=("reviewers",)),
    *_stays("partner", E.UNDELIVERABLE, S.DECIDED, S.DELIVERED, tells=("reviewers",)),
    # What a comparison brings to light (docs/decisions/0009-reconciliation.md).
    *_stays("primary", E.RESTORED, *UNANSWERED, S.WITHDRAWING, S.ANSWERED, S.RETRIEVED, S.WITHDRAWN),
    *_stays(
        "primary",
        E.CONTRADICTED,
        *UNANSWERED,
        S.WITHDRAWING,
        S.ANSWERED,
        S.RETRIEVED,
        S.WITHDRAWN,
        tells=("asker",),
    ),
    *(
        Transition("primary", s, E.RESTORED, S.QUEUED, (), ("asker",))
        for s in (S.AWAITING_RELEASE, S.REFUSED_HERE)
    ),
    *(Transition("primary", s, E.RECONCILED, S.ANSWERED, (), ("asker",)) for s in (S.ANSWERED, S.RETRIEVED)),
    *_stays("partner", E.RESTORED, *UNDECIDED, *ENDED_AT_PARTNER),
    *_stays("partner", E.CONTRADICTED, *UNDECIDED, *ENDED_AT_PARTNER, tells=("reviewers",)),
    *(Transition("partner", s, E.RECONCILED, S.DECIDED, (), ("reviewers",)) for s in ENDED_AT_PARTNER),
    Transition("primary", S.WITHDRAWING, E.WITHDRAWAL_STANDS, S.WITHDRAWN, (), ("asker",)),
    Transition("partner", S.DECIDED, E.WITHDRAWAL_STANDS, S.WITHDRAWN, (), ("reviewers",)),
)

STEPS_OF = {t.event: t.steps for t in TABLE if t.steps}
_BY_PLACE = {(t.role, t.source, t.event): t for t in TABLE}


def transition(role: Role, state: State | None, event: Event) -> Transition | None:
    """The row of the table for this event in this state, or None where the table does not admit it."""
    return _BY_PLACE.get((role, state, event))
