"""Exchanges as they are shown: in a list, whole, and those that wait for a person."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from acmx.domain import meanings
from acmx.domain.acm1.partners import FieldChange
from acmx.domain.exchange import Role
from acmx.domain.messages import Moment, Verdict


class Summary(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An exchange in a list."""

    id: Annotated[str, meanings.EXCHANGE]
    primary: Annotated[str, meanings.PRIMARY]
    partner: Annotated[
        str, Meta(description="MC system ID of the other system, whichever of the two this one is")
    ]
    role: Annotated[Role, meanings.ROLE]
    state: Annotated[str, meanings.STATE]
    kind: Annotated[str | None, Meta(description="`null` where only a withdrawal has arrived")]
    asker: Annotated[str, meanings.MC_SERVICE_ID]
    urgency: Annotated[str, Meta(description="`normal` or `urgent`")]
    purpose: Annotated[str, Meta(description="as asked")]
    user_count: Annotated[
        int, Meta(description="how many users were asked for; 0 where something is given unasked")
    ]
    created_at: Annotated[
        Moment, Meta(description="primary: when it was submitted; partner: when it arrived")
    ]
    expires_at: Annotated[Moment | None, Meta(description="as asked")] = None
    addressee: Annotated[
        str | None,
        Meta(
            description="MC service ID; of an exchange from before there was `addressee_alias`, it may be an alias"
        ),
    ] = None
    addressee_alias: Annotated[
        str | None, Meta(description="functional alias; it may stand beside the MC service ID")
    ] = None
    reference: Annotated[str | None, Meta(description="as asked")] = None
    outcome: Annotated[str | None, meanings.ONCE_DECIDED] = None
    reason: Annotated[str | None, meanings.PUBLIC_REASON] = None
    decided_by: Annotated[
        str | None, Meta(description="MC service ID of the person; absent if automatic")
    ] = None
    grant: Annotated[str | None, Meta(description="`live` or `ended`, once somebody is approved")] = None
    valid_from: Annotated[Moment | None, Meta(description="as asked, then as granted")] = None
    valid_until: Annotated[Moment | None, Meta(description="as asked, then as granted")] = None


class Step(Struct, frozen=True, omit_defaults=True):
    """One of the 18 steps, as far as this system knows."""

    n: Annotated[int, Meta(description="1 to 18")]
    status: Annotated[
        str,
        Meta(
            description="`done`, `waiting`, `not-taken`, `failed`, `elsewhere` (only the other system knows) or "
            "`ahead`"
        ),
    ]
    at: Annotated[Moment | None, Meta(description="when it was taken")] = None
    note: Annotated[str | None, Meta(description="rule, person or error")] = None


class Waiting(Struct, frozen=True, omit_defaults=True):
    """A message that waits for the partner's signed word."""

    type: Annotated[str, meanings.MESSAGE_TYPE]
    attempts: Annotated[int, meanings.ATTEMPTS]
    next_attempt_at: Annotated[Moment, meanings.NEXT_ATTEMPT_AT]
    last_error: Annotated[str | None, Meta(description="why it was not taken")] = None


class Remark(Struct, frozen=True, omit_defaults=True):
    """A question of the partner system, or an answer of the primary."""

    type: Annotated[Literal["question", "answer"], Meta(description="whether it is a question or an answer")]
    at: Annotated[Moment, Meta(description="when it was said, by the clock of the side that said it")]
    person: Annotated[str, meanings.MC_SERVICE_ID]
    text: Annotated[str, Meta(description="the words")]
    question: Annotated[
        int | None,
        Meta(
            description="number of the question that is asked or answered; absent where that is not here any more"
        ),
    ] = None


class JournalEntry(Struct, frozen=True, omit_defaults=True):
    """A row of the journal."""

    serial: Annotated[int, Meta(description="number of the row")]
    at: Annotated[Moment, Meta(description="when it happened")]
    event: Annotated[str, Meta(description="see docs/protocol/rules.md for those of exchanges")]
    actor: Annotated[str, Meta(description="MC service ID, MC system ID, `policy` or `clock`")]
    exchange: Annotated[str | None, meanings.EXCHANGE] = None
    primary: Annotated[str | None, meanings.PRIMARY] = None
    detail: Annotated[dict[str, Any], Meta(description="belongs to the event")] = {}


class GivenReview(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one person said of a request."""

    person: Annotated[str, Meta(description="MC service ID, in its canonical form")]
    at: Annotated[Moment, Meta(description="when it was given")]
    approved: Annotated[int, meanings.USERS_APPROVED]
    declined: Annotated[int, Meta(description="how many users are declined")]
    reason: Annotated[str, meanings.PUBLIC_REASON]
    counts: Annotated[
        bool,
        Meta(
            description="`false`: nothing is decided yet, and the exchange or the catalogue has changed since; it has"
            " to be given again, but whom it declines stays declined"
        ),
    ]
    note: Annotated[str | None, Meta(description="as it was given with the review")] = None


class UpdateShown(Struct, frozen=True):
    """The partner's later word on what it gives: what it changed, field by field."""

    n: Annotated[int, meanings.MESSAGE]
    created_at: Annotated[Moment, meanings.MINTED_AT]
    changes: Annotated[tuple[FieldChange, ...], Meta(description="what it changes, against what held before")]


class RevocationShown(Struct, frozen=True):
    """Who took an approval back for whom, and why."""

    n: Annotated[int, meanings.MESSAGE]
    created_at: Annotated[Moment, meanings.MINTED_AT]
    person: Annotated[str, Meta(description="MC service ID of who took it back")]
    users: Annotated[tuple[str, ...], Meta(description="for whom the approval was taken back")]
    reason: Annotated[str, meanings.PUBLIC_REASON]


class Contradiction(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A signed message that lost its place to an earlier one; the last three members are those of a response."""

    sender: Annotated[str, meanings.SENDER]
    n: Annotated[int, meanings.MESSAGE]
    type: Annotated[str, meanings.MESSAGE_TYPE]
    digest: Annotated[str, meanings.DIGEST_OF_BODY]
    created_at: Annotated[Moment, Meta(description="when it was minted: later than the one that stands")]
    found_at: Annotated[Moment, Meta(description="when this system saw both")]
    outcome: Annotated[str | None, Meta(description="outcome of a response")] = None
    decided_by: Annotated[
        str | None, Meta(description="of a response: who decided; absent: policy or the clock")
    ] = None
    reason: Annotated[str | None, Meta(description="public reason of a response")] = None


class Exchange(Summary, frozen=True, kw_only=True, omit_defaults=True):
    """An exchange, whole."""

    seen: Annotated[str, Meta(description="the versions that a review has to name")]
    users: Annotated[tuple[str, ...], Meta(description="as asked")]
    content: Annotated[dict[str, Any], Meta(description="as asked")]
    steps: Annotated[list[Step], Meta(description="the 18 steps")]
    journal: Annotated[list[JournalEntry], Meta(description="what happened here, oldest first")]
    waiting: Annotated[
        list[Waiting],
        Meta(description="messages of this system that the partner has not yet answered with its signature"),
    ]
    conversation: Annotated[
        tuple[Remark, ...],
        Meta(
            description="questions of the partner system in order, each with the answers of the primary to it"
        ),
    ] = ()
    verdicts: Annotated[tuple[Verdict, ...], Meta(description="the verdicts of the response")] = ()
    disclosed: Annotated[
        dict[str, Any] | None,
        Meta(
            description="what the response gives, or the last update; while pending: what an approval would give now"
        ),
    ] = None
    missing: Annotated[tuple[str, ...], Meta(description="required rows that are missing in it")] = ()
    refusal: Annotated[dict[str, Any] | None, Meta(description="the partner's final refusal, as it came")] = (
        None
    )
    reviews: Annotated[
        tuple[GivenReview, ...], Meta(description="who has reviewed it here, in that order")
    ] = ()
    approvals_needed: Annotated[
        int | None, Meta(description="while people here have to review or release it: how many")
    ] = None
    contradictions: Annotated[
        tuple[Contradiction, ...],
        Meta(description="signed messages that lost their place (docs/protocol/comparison.md)"),
    ] = ()
    partnership: Annotated[
        str | None,
        Meta(
            description="how the partnership stands (see Partner) while nothing can be exchanged in an open exchange"
        ),
    ] = None
    updates: Annotated[
        tuple[UpdateShown, ...], Meta(description="what the partner changed later, in that order")
    ] = ()
    revocations: Annotated[
        tuple[RevocationShown, ...], Meta(description="what it took back later, in that order")
    ] = ()
    on_cms: Annotated[
        Literal["older", "to-remove"] | None,
        Meta(
            description="what the own CMS holds though it should not: documents `older` than what the partner gives "
            "now, or entries `to-remove`"
        ),
    ] = None


class Page(Struct, frozen=True, omit_defaults=True):
    """A page of exchanges."""

    items: Annotated[list[Summary], meanings.NEWEST_FIRST]
    next: Annotated[str | None, meanings.NEXT] = None


class Pending(Struct, frozen=True, omit_defaults=True):
    """The pending ACM data of one person: what waits to be decided, fetched, answered or released."""

    mc_service_id: Annotated[str, Meta(description="whose list this is")]
    to_decide: Annotated[
        list[Summary], Meta(description="requests of partners that this person may review, oldest first")
    ]
    to_fetch: Annotated[
        list[Summary],
        Meta(description="answered requests of this person that were not retrieved yet, oldest first"),
    ]
    to_answer: Annotated[
        list[Summary],
        Meta(description="requests of this person about which the partner has asked, oldest first"),
    ]
    next: Annotated[str | None, meanings.NEXT] = None
    to_release: Annotated[
        list[Summary],
        Meta(description="requests of others of this system that this person may release, oldest first"),
    ] = []
