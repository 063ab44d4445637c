"""What crosses ACM-2: the bodies of messages and of the replies to them (docs/protocol/messages.md).

Every struct here is part of the wire format. Times are RFC 3339 with an offset. `content` belongs to the kind of
the exchange and is read by `acmx.kinds`.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from acmx.domain import meanings

VERSION = "1.0"
PROBLEM = "urn:acmx:problem:"

Moment = Annotated[datetime, Meta(tz=True)]
Line = Annotated[str, Meta(min_length=1, max_length=1000)]
Short = Annotated[str, Meta(min_length=1, max_length=255)]
Urgency = Literal["normal", "urgent"]
Outcome = Literal["approved", "partly-approved", "declined", "expired"]


class Person(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """An authorised user, by MC service ID; the functional alias is information beside it."""

    mc_service_id: Annotated[Short, meanings.MC_SERVICE_ID]
    functional_alias: Annotated[Short | None, Meta(description="the role the person acts in")] = None


class Addressee(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Who shall decide at the partner: an MC service ID, a functional alias, or both; either names somebody."""

    mc_service_id: Annotated[Short | None, Meta(description="a person")] = None
    functional_alias: Annotated[
        Short | None,
        Meta(
            description="a role. One of the two is there, or both: then either names somebody who may decide"
        ),
    ] = None


class Automatic(Struct, frozen=True, forbid_unknown_fields=True, tag_field="by", tag="policy"):
    """Local policy decided, or the clock (outcome `expired`)."""


class Handler(
    Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, tag_field="by", tag="person"
):
    """The person who decided."""

    mc_service_id: Annotated[Short, meanings.MC_SERVICE_ID]
    functional_alias: Annotated[
        Short | None,
        Meta(
            description="the alias that the request was addressed to, if that is how the person came to decide"
        ),
    ] = None


class Agent(Handler, frozen=True, kw_only=False, tag="agent"):
    """The service account, marked automatic, that decided in the place of a person."""


class Verdict(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What was decided for these users, and the public reason."""

    approved: Annotated[bool, Meta(description="whether these users may migrate")]
    users: Annotated[tuple[str, ...], Meta(description="some users of the request, as written there")]
    reason: Annotated[Line | None, meanings.PUBLIC_REASON] = None


class Message(
    Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, tag_field="type"
):
    """What every message carries."""

    version: Annotated[str, Meta(max_length=16, description="`1.0`; see docs/protocol/messages.md#versions")]
    exchange: Annotated[
        str,
        Meta(
            min_length=36,
            max_length=36,
            description="UUID of version 7 in lower case, minted by the primary's ACM server; the one in the path",
        ),
    ]
    n: Annotated[
        int,
        Meta(
            ge=1,
            le=999_999,
            description="number of this message among those of its sender in this exchange; the one in the path",
        ),
    ]
    sender: Annotated[Short, meanings.SENDER] = field(name="from")
    receiver: Annotated[Short, meanings.RECEIVER] = field(name="to")
    created_at: Annotated[Moment, Meta(description="when the body was minted")]
    critical: Annotated[
        tuple[str, ...],
        Meta(description="members that the receiver has to understand (docs/protocol/messages.md#versions)"),
    ] = ()


class Request(Message, frozen=True, kw_only=True, tag="request"):
    """Steps 1 and 3: the primary asks."""

    kind: Annotated[
        Short,
        Meta(description="what is asked for, `server-identity`, or given, `server-identity-provision`"),
    ]
    asker: Annotated[Person, Meta(description="the authorised user who asks")]
    expires_at: Annotated[
        Moment, Meta(description="until when the partner may decide; not until when it may deliver")
    ]
    users: Annotated[tuple[str, ...], meanings.USERS]
    purpose: Annotated[Line, meanings.PURPOSE]
    addressee: Annotated[Addressee | None, meanings.ADDRESSEE] = None
    urgency: Annotated[Urgency, meanings.URGENCY] = "normal"
    reference: Annotated[Short | None, meanings.REFERENCE] = None
    valid_from: Annotated[Moment | None, meanings.ADMITTED_FROM] = None
    valid_until: Annotated[Moment | None, meanings.ADMITTED_UNTIL] = None
    content: Annotated[
        dict[str, Any], Meta(description="belongs to the kind (docs/protocol/messages.md#content-of-a-kind)")
    ] = {}


class Response(Message, frozen=True, kw_only=True, tag="response"):
    """Step 13: the partner's outcome."""

    answers: Annotated[str, Meta(description="SHA-256 of the body of the request, 64 hexadecimal digits")]
    asker: Annotated[Person, Meta(description="as in the request, member by member")]
    outcome: Annotated[Outcome, meanings.OUTCOME]
    handler: Annotated[
        Handler | Agent | Automatic, Meta(description="who decided; see Person who decided and Automatic")
    ]
    decided_at: Annotated[Moment, meanings.DECIDED_AT]
    verdicts: Annotated[tuple[Verdict, ...], meanings.VERDICTS]
    reason: Annotated[Line | None, meanings.PUBLIC_REASON] = None
    valid_from: Annotated[Moment | None, meanings.GRANTED_FROM] = None
    valid_until: Annotated[Moment | None, meanings.GRANTED_UNTIL] = None
    content: Annotated[
        dict[str, Any],
        Meta(description="belongs to the kind. Empty or absent unless somebody is approved"),
    ] = {}


class Withdrawal(Message, frozen=True, kw_only=True, tag="withdrawal"):
    """The primary takes its request back; it may overtake the request."""

    asker: Annotated[Person, meanings.ASKER]
    reason: Annotated[Line | None, meanings.PUBLIC_REASON] = None


class Question(Message, frozen=True, kw_only=True, tag="question"):
    """The partner asks back before it decides."""

    handler: Annotated[Person, Meta(description="who asks, and may decide")]
    text: Annotated[Line, Meta(description="the question")]


class Answer(Message, frozen=True, kw_only=True, tag="answer"):
    """The primary answers."""

    asker: Annotated[Person, meanings.ASKER]
    answers: Annotated[str, Meta(description="SHA-256 of the body of the question, 64 hexadecimal digits")]
    text: Annotated[Line, Meta(description="the answer")]


class Update(Message, frozen=True, kw_only=True, tag="update"):
    """The partner gives something else now."""

    content: Annotated[
        dict[str, Any],
        Meta(description="what the kind gives now, whole: it takes the place of the content of the response"),
    ]


class Revocation(Message, frozen=True, kw_only=True, tag="revocation"):
    """The partner takes back what it approved for these users; when it was the last of them, the grant ends."""

    handler: Annotated[Handler | Agent, Meta(description="who took it back; see Person who decided")]
    users: Annotated[
        tuple[str, ...],
        Meta(description="whose approval ends: some of those whom the response approved, as written there"),
    ]
    reason: Annotated[Line, meanings.PUBLIC_REASON]


AnyMessage = Request | Response | Withdrawal | Question | Answer | Update | Revocation
Status = Literal["stored", "withdrawn", "decided"]


class Receipt(Struct, frozen=True, kw_only=True, tag_field="type", tag="receipt"):
    """The signed success reply; for a request it is the stored indication of step 5."""

    version: Annotated[str, meanings.VERSION]
    exchange: Annotated[str, Meta(description="as in the message")]
    n: Annotated[int, Meta(description="as in the message")]
    sender: Annotated[str, meanings.SPEAKER] = field(name="from")
    receiver: Annotated[str, meanings.SPOKEN_TO] = field(name="to")
    created_at: Annotated[Moment, Meta(description="when the message was stored")]
    digest: Annotated[str, Meta(description="SHA-256 of the body of the message, 64 hexadecimal digits")]
    status: Annotated[Status, Meta(description="`withdrawn` or `decided` for a withdrawal, else `stored`")]


class Refusal(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The signed refusal reply: an RFC 9457 problem that names the message it answers."""

    type: Annotated[str, Meta(description="`urn:acmx:problem:` and a type of docs/protocol/errors.md")]
    title: Annotated[str, Meta(description="one sentence, the same for each type")]
    status: Annotated[int, Meta(description="the HTTP status")]
    detail: Annotated[
        str, Meta(description="what was wrong this time, at most 500 characters, for people")
    ] = ""
    version: Annotated[str, meanings.VERSION]
    exchange: Annotated[str, Meta(description="the exchange that the path names")]
    n: Annotated[int, Meta(description="the number that the path names")]
    sender: Annotated[str, meanings.SPEAKER] = field(name="from")
    receiver: Annotated[str, meanings.SPOKEN_TO] = field(name="to")
    created_at: Annotated[Moment, Meta(description="when it was refused")]
    digest: Annotated[str, Meta(description="SHA-256 of the body that arrived, 64 hexadecimal digits")]
    final: Annotated[
        bool, Meta(description="`true`: this message will never be taken; `false`: send it again later")
    ] = field()
    held: Annotated[
        str | None, Meta(description="`place-taken`: the digest of the body that stands at this place")
    ] = None
    signed_at: Annotated[
        str | None, Meta(description="`clock-ahead`: the `iat` of the signature, as a time")
    ] = None
    received_at: Annotated[str | None, Meta(description="`clock-ahead`: the receiver's time")] = None
    faults: Annotated[
        list[dict[str, str]],
        Meta(
            description="`invalid-message`: at most 20 objects with `field` (path), `value` (as given, cut) and "
            "`rule`"
        ),
    ] = []
