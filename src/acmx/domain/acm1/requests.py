"""Requests, reviews and what becomes of them."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from acmx.domain.acm1.partners import FieldChange
from acmx.domain.exchange import Role
from acmx.domain.messages import Addressee, Line, Moment, Person, Short, Urgency, Verdict

Service = Literal["mcptt", "mcvideo", "mcdata"]


class Submission(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Step 1: what a requester asks for, or an identity editor gives. `content` belongs to the kind."""

    kind: Short
    partner: Short
    users: tuple[str, ...] = ()
    purpose: Line
    reference: Short | None = None
    addressee: Addressee | None = None
    urgency: Urgency = "normal"
    valid_from: Moment | None = None
    valid_until: Moment | None = None
    expires_at: Moment | None = None
    content: dict[str, Any] = {}


class VerdictInput(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A verdict on these users, or on everyone whom no other verdict names."""

    approved: bool
    users: tuple[str, ...] | None = None


class Review(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Step 12: one act over every user of the request. `seen` is EXCHANGE.CATALOGUE as the reviewer read them.

    `note` is for the people of the own system and never leaves it.
    """

    verdicts: tuple[VerdictInput, ...]
    reason: Line
    seen: Annotated[str, Meta(pattern=r"^[0-9]{1,18}\.[0-9]{1,18}$")]
    note: Line | None = None


class WithdrawalInput(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Why a request is taken back."""

    reason: Line | None = None


class TextInput(Struct, frozen=True, forbid_unknown_fields=True):
    """A question to the partner."""

    text: Line


class AnswerInput(Struct, frozen=True, forbid_unknown_fields=True):
    """The answer to the question of this number, as the conversation of the exchange gives it."""

    question: int
    text: Line


class RevocationInput(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Why an approval is taken back, and for whom; without `users` for everybody."""

    reason: Line
    users: tuple[str, ...] | None = None


class Summary(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An exchange in a list."""

    id: str
    primary: str
    partner: str
    role: Role
    state: str
    kind: str | None
    asker: str
    urgency: str
    purpose: str
    user_count: int
    created_at: Moment
    expires_at: Moment | None = None
    addressee: str | None = None
    addressee_alias: str | None = None
    reference: str | None = None
    outcome: str | None = None
    reason: str | None = None
    decided_by: str | None = None
    grant: str | None = None
    valid_from: Moment | None = None
    valid_until: Moment | None = None


class Step(Struct, frozen=True, omit_defaults=True):
    """One of the 18 steps as far as this system knows: done, waiting, not-taken, failed, elsewhere or ahead."""

    n: int
    status: str
    at: Moment | None = None
    note: str | None = None


class Waiting(Struct, frozen=True, omit_defaults=True):
    """A message that waits for the partner's signed word."""

    type: str
    attempts: int
    next_attempt_at: Moment
    last_error: str | None = None


class Remark(Struct, frozen=True, omit_defaults=True):
    """A question of the partner system, or an answer of the primary; `person` is an MC service ID.

    `question` is the number of the question that is asked or answered; None where that is not here.
    """

    type: Literal["question", "answer"]
    at: Moment
    person: str
    text: str
    question: int | None = None


class JournalEntry(Struct, frozen=True, omit_defaults=True):
    """A row of the journal."""

    serial: int
    at: Moment
    event: str
    actor: str
    exchange: str | None = None
    primary: str | None = None
    detail: dict[str, Any] = {}


class GivenReview(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one person said of a request; `counts` unless it was said for earlier versions and nothing is decided."""

    person: str
    at: Moment
    approved: int
    declined: int
    reason: str
    counts: bool
    note: str | None = None


class UpdateShown(Struct, frozen=True):
    """The partner's later word on what it gives: what it changed, field by field."""

    n: int
    created_at: Moment
    changes: tuple[FieldChange, ...]


class RevocationShown(Struct, frozen=True):
    """Who took an approval back for whom, and why; `person` is an MC service ID."""

    n: int
    created_at: Moment
    person: str
    users: tuple[str, ...]
    reason: str


class Contradiction(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A signed message that lost its place to an earlier one; the last three members are those of a response."""

    sender: str
    n: int
    type: str
    digest: str
    created_at: Moment
    found_at: Moment
    outcome: str | None = None
    decided_by: str | None = None
    reason: str | None = None


class Exchange(Summary, frozen=True, kw_only=True, omit_defaults=True):
    """An exchange, whole. `seen` names the versions for a review, `disclosed` what was given away or what an approval
    would give away, as all `updates` have left it. `partnership` is how it stands while nothing can be exchanged.

    `on_cms` tells that the own CMS does not hold what it should: `older` documents, or some `to-remove`.
    """

    seen: str
    users: tuple[str, ...]
    content: dict[str, Any]
    steps: list[Step]
    journal: list[JournalEntry]
    waiting: list[Waiting]
    conversation: tuple[Remark, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    disclosed: dict[str, Any] | None = None
    missing: tuple[str, ...] = ()
    refusal: dict[str, Any] | None = None
    reviews: tuple[GivenReview, ...] = ()
    approvals_needed: int | None = None
    contradictions: tuple[Contradiction, ...] = ()
    partnership: str | None = None
    updates: tuple[UpdateShown, ...] = ()
    revocations: tuple[RevocationShown, ...] = ()
    on_cms: Literal["older", "to-remove"] | None = None


class Revoked(Struct, frozen=True):
    """What stands of an approval after a revocation: how many users it was of, and how many are approved still."""

    id: str
    grant: str
    revoked: int
    approved: int


class Accepted(Struct, frozen=True):
    """The exchange that a submission made."""

    id: str
    state: str


class Reviewed(Struct, frozen=True, omit_defaults=True):
    """What stands after a review; `undecided` with how many `approvals` there are of those `needed`."""

    id: str
    state: str
    outcome: str
    approved: int
    declined: int
    approvals: int | None = None
    needed: int | None = None


class Answer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Step 18: the server identity information response, as the partner sent it, with the `content` that holds now.

    `updated_at` is when the partner changed it last; for the `revoked` users it took the approval back.
    """

    id: str
    partner: str
    outcome: str
    handler: Person | None = None
    automatic: bool = False
    decided_at: Moment
    reason: str | None = None
    verdicts: tuple[Verdict, ...] = ()
    valid_from: Moment | None = None
    valid_until: Moment | None = None
    content: dict[str, Any] = {}
    updated_at: Moment | None = None
    revoked: tuple[str, ...] = ()


class Page(Struct, frozen=True, omit_defaults=True):
    """A page of exchanges; `next` is the `after` of the next page, absent on the last."""

    items: list[Summary]
    next: str | None = None


class Pending(Struct, frozen=True, omit_defaults=True):
    """The pending ACM data of one person: requests to decide, answers to fetch, questions to answer.

    `to_release` are requests of own users that must not leave before people have agreed.
    """

    mc_service_id: str
    to_decide: list[Summary]
    to_fetch: list[Summary]
    to_answer: list[Summary]
    next: str | None = None
    to_release: list[Summary] = []
