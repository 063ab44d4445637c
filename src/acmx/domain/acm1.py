"""What crosses ACM-1: the documents between an ACM client and its own ACM server (docs/protocol.md, section 8)."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from acmx.domain.exchange import Audience, Role
from acmx.domain.messages import Addressee, Line, Moment, Person, Short, Urgency, Verdict

Service = Literal["mcptt", "mcvideo", "mcdata"]


class Credentials(Struct, frozen=True, forbid_unknown_fields=True):
    """Log-on with a local account."""

    account: Short
    password: Annotated[str, Meta(max_length=1024)]


class Session(Struct, frozen=True):
    """A log-on: the bearer token, and who it stands for."""

    token: str
    account: str
    mc_service_id: str
    roles: list[str]
    system: str
    ends_at: Moment


class Submission(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Step 1: what a requester asks for. `content` belongs to the kind."""

    kind: Short
    partner: Short
    users: tuple[str, ...]
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
    """Step 12: one act over every user of the request. `seen` is EXCHANGE.CATALOGUE as the reviewer read them."""

    verdicts: tuple[VerdictInput, ...]
    reason: Line
    seen: Annotated[str, Meta(pattern=r"^[0-9]{1,18}\.[0-9]{1,18}$")]


class WithdrawalInput(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Why a request is taken back."""

    reason: Line | None = None


class TextInput(Struct, frozen=True, forbid_unknown_fields=True):
    """A question to the partner, or the answer to one."""

    text: Line


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


class Remark(Struct, frozen=True):
    """A question of the partner system, or an answer of the primary; `person` is an MC service ID."""

    type: Literal["question", "answer"]
    at: Moment
    person: str
    text: str


class JournalEntry(Struct, frozen=True, omit_defaults=True):
    """A row of the journal."""

    serial: int
    at: Moment
    event: str
    actor: str
    exchange: str | None = None
    primary: str | None = None
    detail: dict[str, Any] = {}


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
    """An exchange, whole. `seen` names the versions for a review, `disclosed` what an approval would give away."""

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
    contradictions: tuple[Contradiction, ...] = ()


class Accepted(Struct, frozen=True):
    """The exchange that a submission made."""

    id: str
    state: str


class Reviewed(Struct, frozen=True):
    """The outcome after a review."""

    id: str
    state: str
    outcome: str
    approved: int
    declined: int


class Answer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Step 18: the server identity information response, as the partner sent it."""

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


class Page(Struct, frozen=True, omit_defaults=True):
    """A page of exchanges; `next` is the `after` of the next page, absent on the last."""

    items: list[Summary]
    next: str | None = None


class Pending(Struct, frozen=True, omit_defaults=True):
    """The pending ACM data of one person: requests to decide, answers to fetch, questions to answer."""

    mc_service_id: str
    to_decide: list[Summary]
    to_fetch: list[Summary]
    to_answer: list[Summary]
    next: str | None = None


class AuditPage(Struct, frozen=True, omit_defaults=True):
    """A page of the journal, newest first."""

    items: list[JournalEntry]
    next: str | None = None


class Telling(Struct, frozen=True, omit_defaults=True):
    """What one recipient is told by one channel. States: waiting, sent, failed, dropped."""

    channel: str
    recipient: str
    state: str
    attempts: int
    sent_at: Moment | None = None
    next_attempt_at: Moment | None = None
    last_error: str | None = None
    parcel: str | None = None


class Notice(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An event of an exchange that people are to be told of, and what was sent of it."""

    serial: int
    at: Moment
    event: str
    audience: Audience
    exchange: str
    primary: str
    person: str | None = None
    tellings: list[Telling] = []


class NoticePage(Struct, frozen=True, omit_defaults=True):
    """A page of notices, newest first."""

    items: list[Notice]
    next: str | None = None


class NewAccount(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """An account to be added."""

    name: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
    mc_service_id: Short
    roles: tuple[str, ...]
    password: Annotated[str, Meta(min_length=12, max_length=1024)]
    functional_aliases: tuple[Short, ...] = ()
    automatic: bool = False
    mail: str | None = None


class Account(Struct, frozen=True, omit_defaults=True):
    """An account; its password never leaves the server."""

    name: str
    mc_service_id: str
    functional_aliases: list[str]
    roles: list[str]
    automatic: bool
    disabled: bool
    mail: str | None = None


class Accounts(Struct, frozen=True, omit_defaults=True):
    """A page of accounts by name."""

    items: list[Account]
    next: str | None = None


class NewIdentities(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Server identity information to be entered; `incomplete` admits missing required rows, visibly."""

    server_identity: dict[str, Any]
    incomplete: bool = False


class Identities(Struct, frozen=True, omit_defaults=True):
    """A version of the server identity information of this system; 0 means that none was entered."""

    version: int
    missing: list[str]
    server_identity: dict[str, Any]
    entered_at: Moment | None = None
    entered_by: str | None = None


class Partner(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A partner MC system: what is pinned of it, where the partnership stands, how the link is doing.

    `compared_at` is when the last completed comparison of the common exchanges began, `comparison_error` what was wrong
    in it, `comparison_due` why one is due.
    """

    id: str
    name: str
    state: str
    state_here: str
    state_there: str
    address: str
    contact: str
    thumbprints: list[str]
    spoken: list[str]
    hosts: list[str]
    phone_contexts: list[str]
    tel_prefixes: list[str]
    kinds: list[str]
    waiting: int
    last_success_at: Moment | None = None
    last_error: str | None = None
    next_attempt_at: Moment | None = None
    compared_at: Moment | None = None
    comparison_due: str | None = None
    comparison_error: str | None = None


class Partners(Struct, frozen=True):
    """Every partner."""

    items: list[Partner]


class QueuedMessage(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A message in the outbox: it waits for the partner's signed word, or was given up."""

    partner: str
    primary: str
    exchange: str
    n: int
    type: str
    queued_at: Moment
    attempts: int
    next_attempt_at: Moment
    give_up_at: Moment
    last_attempt_at: Moment | None = None
    last_error: str | None = None
    undeliverable: bool = False


class OutboxPage(Struct, frozen=True, omit_defaults=True):
    """A page of the outbox, oldest first."""

    items: list[QueuedMessage]
    next: str | None = None


class Retry(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What is to be sent again now: all that waits for a partner, or of an exchange; without members, everything."""

    partner: Short | None = None
    exchange: Short | None = None


class Retried(Struct, frozen=True):
    """How many messages are no longer put off, and to whom the links were woken."""

    messages: int
    partners: list[str]


class Finding(Struct, frozen=True):
    """One check, and what it found in plain words."""

    name: str
    status: Literal["ok", "warning", "failed"]
    text: str


class Findings(Struct, frozen=True):
    """Every check, in the order in which they were made."""

    items: list[Finding]


class ClockStanding(Struct, frozen=True, omit_defaults=True):
    """The server's clock; while it is held in doubt, nothing expires."""

    now: Moment
    held_since: Moment | None = None
    reason: str | None = None


class Component(Struct, frozen=True, omit_defaults=True):
    """A part of the server that has to go on; `of` names which one, where there are several."""

    name: str
    ok: bool
    of: str | None = None
    trouble: str | None = None


class Health(Struct, frozen=True, omit_defaults=True):
    """How the server is doing."""

    ok: bool
    version: str
    components: list[Component]
    clock: ClockStanding


class PolicyInput(Struct, frozen=True, forbid_unknown_fields=True):
    """A policy text (Cedar)."""

    text: Annotated[str, Meta(max_length=1_000_000)]


class Policy(Struct, frozen=True, omit_defaults=True):
    """The policy that holds, or the one that was checked; `rules` are its names in order."""

    version: int
    text: str
    rules: list[str]
    set_at: Moment | None = None
    set_by: str | None = None
