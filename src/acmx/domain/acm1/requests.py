"""What people do about an exchange: submission, review, question, answer and taking back; and what they are told."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from acmx.domain import meanings
from acmx.domain.messages import Addressee, Line, Moment, Person, Short, Urgency, Verdict

Service = Literal["mcptt", "mcvideo", "mcdata"]


class Submission(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Step 1: what a requester asks for, or an identity editor gives."""

    kind: Annotated[
        Short, Meta(description="`server-identity`, or `server-identity-provision` to give unasked")
    ]
    partner: Annotated[Short, Meta(description="MC system ID of an established partner")]
    users: Annotated[tuple[str, ...], meanings.USERS] = ()
    purpose: Annotated[Line, meanings.PURPOSE]
    reference: Annotated[Short | None, meanings.REFERENCE] = None
    addressee: Annotated[Addressee | None, meanings.ADDRESSEE] = None
    urgency: Annotated[Urgency, meanings.URGENCY] = "normal"
    valid_from: Annotated[Moment | None, meanings.ADMITTED_FROM] = None
    valid_until: Annotated[Moment | None, meanings.ADMITTED_UNTIL] = None
    expires_at: Annotated[
        Moment | None,
        Meta(description="as in a request; absent: after the days that the server is configured for (30)"),
    ] = None
    content: Annotated[
        dict[str, Any],
        Meta(
            description="Wanted (docs/protocol/kinds/server-identity.md), whatever the kind: "
            "where something is given, the server adds the rows"
        ),
    ] = {}


class VerdictInput(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A verdict on these users, or on everyone whom no other verdict names."""

    approved: Annotated[bool, Meta(description="whether these users are approved")]
    users: Annotated[
        tuple[str, ...] | None,
        Meta(
            description="some users of the request; absent: everybody whom no other verdict names, or what was given "
            "unasked"
        ),
    ] = None


class Review(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Step 12: one act over every user of the request."""

    verdicts: Annotated[
        tuple[VerdictInput, ...],
        Meta(description="one or two; every user of the request is named by exactly one"),
    ]
    reason: Annotated[Line, Meta(description="public reason: it goes to the partner")]
    seen: Annotated[
        str,
        Meta(
            pattern=r"^[0-9]{1,18}\.[0-9]{1,18}$",
            description="as `seen` of the exchange says: version of the exchange, dot, version of the server identity"
            " information",
        ),
    ]
    note: Annotated[Line | None, Meta(description="for the people of the own system; it never leaves it")] = (
        None
    )


class WithdrawalInput(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Why a request is taken back."""

    reason: Annotated[Line | None, meanings.PUBLIC_REASON] = None


class TextInput(Struct, frozen=True, forbid_unknown_fields=True):
    """A question to the partner."""

    text: Annotated[Line, meanings.TEXT_FOR_PARTNER]


class AnswerInput(Struct, frozen=True, forbid_unknown_fields=True):
    """The answer to the question of this number, as the conversation of the exchange gives it."""

    question: Annotated[
        int, Meta(description="number of the question, as the `conversation` of the exchange gives it")
    ]
    text: Annotated[Line, meanings.TEXT_FOR_PARTNER]


class RevocationInput(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Why an approval is taken back, and for whom."""

    reason: Annotated[Line, meanings.REASON_FOR_PARTNER]
    users: Annotated[
        tuple[str, ...] | None,
        Meta(description="whose approval is taken back, each once; absent: everybody's"),
    ] = None


class Revoked(Struct, frozen=True):
    """What stands of an approval after a revocation."""

    id: Annotated[str, meanings.EXCHANGE]
    grant: Annotated[str, Meta(description="`live`, or `revoked` once nobody is approved any more")]
    revoked: Annotated[int, Meta(description="how many users it was of")]
    approved: Annotated[int, Meta(description="how many are approved still")]


class Accepted(Struct, frozen=True):
    """The exchange that a submission made."""

    id: Annotated[str, meanings.EXCHANGE]
    state: Annotated[str, meanings.STATE_NOW]


class Reviewed(Struct, frozen=True, omit_defaults=True):
    """What stands after a review."""

    id: Annotated[str, meanings.EXCHANGE]
    state: Annotated[str, meanings.STATE_NOW]
    outcome: Annotated[
        str,
        Meta(
            description="as in the response, or `undecided` while others have to review; at the primary system "
            "`released`, `refused` or `undecided`"
        ),
    ]
    approved: Annotated[int, meanings.USERS_APPROVED]
    declined: Annotated[int, Meta(description="how many users, whoever declined them")]
    approvals: Annotated[
        int | None, Meta(description="while it is `undecided`: how many people's reviews count so far")
    ] = None
    needed: Annotated[int | None, Meta(description="while it is `undecided`: how many have to")] = None


class Answer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Step 18: the response as the partner sent it, with the content that holds now."""

    id: Annotated[str, meanings.EXCHANGE]
    partner: Annotated[str, meanings.PARTNER]
    outcome: Annotated[str, meanings.OUTCOME]
    handler: Annotated[Person | None, Meta(description="the person who decided")] = None
    automatic: Annotated[bool, Meta(description="`true` if policy or the clock decided")] = False
    decided_at: Annotated[Moment, meanings.DECIDED_AT]
    reason: Annotated[str | None, meanings.PUBLIC_REASON] = None
    verdicts: Annotated[tuple[Verdict, ...], meanings.VERDICTS] = ()
    valid_from: Annotated[Moment | None, meanings.GRANTED_FROM] = None
    valid_until: Annotated[Moment | None, meanings.GRANTED_UNTIL] = None
    content: Annotated[dict[str, Any], Meta(description="as in the response, or in the last update")] = {}
    updated_at: Annotated[Moment | None, Meta(description="when the partner changed it last")] = None
    revoked: Annotated[tuple[str, ...], Meta(description="for whom the approval was taken back")] = ()
