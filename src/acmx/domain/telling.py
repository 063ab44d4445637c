"""What people can be told of, and what each audience is told unless the configuration says otherwise."""

import re
from typing import get_args

from acmx.domain.exchange import TABLE, Audience, Event
from acmx.domain.partnership import Standing

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9][A-Za-z0-9.-]{0,252}")
REMINDER = "reminder"
ESCALATION = "escalation"
EXPIRY = "expiry"
PARTNER_CHANGE = "partner-change"
DATABASE = "database-changed"
JOURNAL_FORKED = "journal-forked"
ACCOUNT_CHANGE = "account-change"
ACCOUNT_CHANGE_DECIDED = "account-change-decided"
SHARED = "shared-mc-service-id"
YOUR_ACCOUNT = "your-account"
PROVISIONED = "provisioned"
PARTLY_PROVISIONED = "partly-provisioned"
NOT_PROVISIONED = "not-provisioned"
PARTNERSHIP = "partnership-"
"""An event of the partner administrators is this and what the partner says now."""
_ORDINARY = (
    Event.RELEASED,
    Event.REVIEWED,
    Event.DECIDED_BY_RULE,
    Event.RESPONSE_DELIVERED,
    Event.REVOKED,
    Event.GRANT_ENDED,
)


def _told(audience: Audience) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(row.event) for row in TABLE if audience in row.tells))


TOLD: dict[Audience, tuple[str, ...]] = {
    "asker": (*_told("asker"), REMINDER, PROVISIONED, PARTLY_PROVISIONED, NOT_PROVISIONED),
    "reviewers": (*_told("reviewers"), REMINDER, ESCALATION),
    "operators": (
        EXPIRY,
        PARTNER_CHANGE,
        DATABASE,
        JOURNAL_FORKED,
        ACCOUNT_CHANGE,
        ACCOUNT_CHANGE_DECIDED,
        SHARED,
    ),
    "account-holders": (YOUR_ACCOUNT,),
    "partner-administrators": tuple(PARTNERSHIP + standing for standing in get_args(Standing)),
}
"""The events of the table that each audience is told of, what the clockwork and jobs add, and what partners say."""

BY_DEFAULT: dict[Audience, tuple[str, ...]] = {
    "asker": TOLD["asker"],
    "reviewers": tuple(event for event in TOLD["reviewers"] if event not in _ORDINARY),
    "partner-administrators": TOLD["partner-administrators"],
}
"""Reviewers are not sent what they did themselves and what took its ordinary course; it is on record all the same."""

IN_WORDS: dict[str, str] = {
    Event.NOT_AUTHORISED: "refused here",
    Event.HELD: "new request to release",
    Event.RELEASE_APPROVED: "one approval more to release it",
    Event.RELEASED: "released",
    Event.NOT_RELEASED: "not released",
    Event.REFUSED_BY_PARTNER: "refused by the partner's system",
    Event.WITHDRAWN_UNSENT: "withdrawn",
    Event.WITHDRAWAL_CONFIRMED: "withdrawn",
    Event.QUESTION: "the partner asks something",
    Event.RESPONSE: "answered",
    Event.EXPIRED: "expired without a decision",
    Event.UPDATE: "what the partner gives has changed",
    Event.REVOCATION: "the partner has taken an approval back",
    Event.REVOKED: "an approval was taken back",
    Event.UPDATE_REFUSED: "a change or the end of an approval refused by the partner's system",
    Event.GRANT_ENDED: "what was granted has ended",
    Event.UNDELIVERABLE: "could not be delivered",
    Event.REQUEST: "new request",
    Event.ANSWER: "question answered",
    Event.EARLIER_ANSWER: "earlier question answered",
    Event.WITHDRAWAL: "withdrawn by the partner",
    Event.REVIEW_STORED: "reviewed, and waits for others",
    Event.REVIEWED: "decided by a person",
    Event.DECIDED_BY_RULE: "decided by policy",
    Event.RESPONSE_DELIVERED: "answer delivered",
    Event.RESPONSE_REFUSED: "answer refused by the partner's system",
    Event.RESTORED: "released and sent before this system was restored",
    Event.RECONCILED: "an earlier answer stands now",
    Event.CONTRADICTED: "two versions of one message: look at both",
    Event.WITHDRAWAL_STANDS: "withdrawn, as the other system holds it",
    REMINDER: "request waits and will expire",
    ESCALATION: "request waits without a review",
    PROVISIONED: "the documents on the CMS are as they should be",
    PARTLY_PROVISIONED: "some documents on the CMS are not as they should be",
    NOT_PROVISIONED: "the documents on the CMS are not as they should be",
    EXPIRY: "a certificate or key ends soon",
    JOURNAL_FORKED: "the journal is another than the one whose checkpoints were shipped",
    PARTNER_CHANGE: "a partner has changed something: look at it and confirm it",
    DATABASE: "the database has failed over or was put back",
    ACCOUNT_CHANGE: "a change of an account waits for a second operator",
    ACCOUNT_CHANGE_DECIDED: "a change of an account was approved or refused",
    SHARED: "several accounts have one MC service ID: none acts in its name until one is chosen",
    YOUR_ACCOUNT: "an operator has changed your account",
    "partnership-offered": "the partner has not accepted, or no longer",
    "partnership-accepted": "the partner accepts, or resumes",
    "partnership-suspended": "the partner has suspended the partnership",
    "partnership-removed": "the partner has ended the partnership",
}


def is_mail_address(text: str) -> bool:
    """One address in ASCII without quotes, spaces or line ends: nothing that could become another header."""
    return _ADDRESS.fullmatch(text) is not None
