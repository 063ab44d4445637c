"""What crosses ACM-2: the bodies of messages and of the replies to them (docs/protocol.md, section 3).

Every struct here is part of the wire format. Times are RFC 3339 with an offset. `content` belongs to the kind of
the exchange and is read by `acmx.kinds`.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

VERSION = "1.0"
PROBLEM = "urn:acmx:problem:"

Moment = Annotated[datetime, Meta(tz=True)]
Line = Annotated[str, Meta(min_length=1, max_length=1000)]
Short = Annotated[str, Meta(min_length=1, max_length=255)]
Urgency = Literal["normal", "urgent"]
Outcome = Literal["approved", "partly-approved", "declined", "expired"]


class Person(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """An authorised user, by MC service ID; the functional alias is information beside it."""

    mc_service_id: Short
    functional_alias: Short | None = None


class Addressee(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Who shall decide at the partner: an MC service ID, a functional alias, or both; either names somebody."""

    mc_service_id: Short | None = None
    functional_alias: Short | None = None


class Automatic(Struct, frozen=True, forbid_unknown_fields=True, tag_field="by", tag="policy"):
    """The handler of an exchange that the partner's policy or its expiry decided."""


class Handler(
    Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, tag_field="by", tag="person"
):
    """The person who decided."""

    mc_service_id: Short
    functional_alias: Short | None = None


class Agent(Handler, frozen=True, kw_only=False, tag="agent"):
    """The service account, marked automatic, that decided in the place of a person."""


class Verdict(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What was decided for these users, and the public reason."""

    approved: bool
    users: tuple[str, ...]
    reason: Line | None = None


class Message(
    Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, tag_field="type"
):
    """What every message carries. `n` counts the messages of its sender within the exchange, from 1."""

    version: Annotated[str, Meta(max_length=16)]
    exchange: Annotated[str, Meta(min_length=36, max_length=36)]
    n: Annotated[int, Meta(ge=1, le=999_999)]
    sender: Short = field(name="from")
    receiver: Short = field(name="to")
    created_at: Moment
    critical: tuple[str, ...] = ()


class Request(Message, frozen=True, kw_only=True, tag="request"):
    """Steps 1 and 3: the primary asks."""

    kind: Short
    asker: Person
    expires_at: Moment
    users: tuple[str, ...]
    purpose: Line
    addressee: Addressee | None = None
    urgency: Urgency = "normal"
    reference: Short | None = None
    valid_from: Moment | None = None
    valid_until: Moment | None = None
    content: dict[str, Any] = {}


class Response(Message, frozen=True, kw_only=True, tag="response"):
    """Step 13: the partner's outcome. `answers` is the digest of the request it belongs to."""

    answers: str
    asker: Person
    outcome: Outcome
    handler: Handler | Agent | Automatic
    decided_at: Moment
    verdicts: tuple[Verdict, ...]
    reason: Line | None = None
    valid_from: Moment | None = None
    valid_until: Moment | None = None
    content: dict[str, Any] = {}


class Withdrawal(Message, frozen=True, kw_only=True, tag="withdrawal"):
    """The primary takes its request back; it may overtake the request."""

    asker: Person
    reason: Line | None = None


class Question(Message, frozen=True, kw_only=True, tag="question"):
    """The partner asks back before it decides."""

    handler: Person
    text: Line


class Answer(Message, frozen=True, kw_only=True, tag="answer"):
    """The primary answers. `answers` is the digest of the question."""

    asker: Person
    answers: str
    text: Line


class Update(Message, frozen=True, kw_only=True, tag="update"):
    """The partner gives something else now: `content` takes the place of what it gave before."""

    content: dict[str, Any]


class Revocation(Message, frozen=True, kw_only=True, tag="revocation"):
    """The partner takes back what it approved for these users; when it was the last of them, the grant ends."""

    handler: Handler | Agent
    users: tuple[str, ...]
    reason: Line


AnyMessage = Request | Response | Withdrawal | Question | Answer | Update | Revocation
Status = Literal["stored", "withdrawn", "decided"]


class Receipt(Struct, frozen=True, kw_only=True, tag_field="type", tag="receipt"):
    """The signed success reply; for a request it is the stored indication of step 5.

    `digest` is the SHA-256 (hex) of the body it answers, `n` that message's number. `status` is `stored`, or for a
    withdrawal `withdrawn` or `decided`.
    """

    version: str
    exchange: str
    n: int
    sender: str = field(name="from")
    receiver: str = field(name="to")
    created_at: Moment
    digest: str
    status: Status


class Refusal(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The signed refusal reply: an RFC 9457 problem that names the message it answers."""

    type: str
    title: str
    status: int
    detail: str = ""
    version: str
    exchange: str
    n: int
    sender: str = field(name="from")
    receiver: str = field(name="to")
    created_at: Moment
    digest: str
    final: bool = field()
    held: str | None = None
    signed_at: str | None = None
    received_at: str | None = None
    faults: list[dict[str, str]] = []
