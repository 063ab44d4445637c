"""Partner MC systems, and what waits for them."""

from typing import Annotated

from msgspec import Meta, Struct

from acmx.domain.acm1.approvals import Approvals
from acmx.domain.messages import Line, Moment, Short


class Terms(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What this system exchanges with a partner, who here may ask it, and how much is taken from it.

    `askers` are MC service IDs and roles; empty: everybody who may ask at all. What `kinds` does not list is not
    exchanged.
    """

    kinds: tuple[Short, ...] = ()
    askers: tuple[Short, ...] = ()
    max_open: Annotated[int, Meta(ge=1, le=1_000_000)]
    max_users: Annotated[int, Meta(ge=1, le=10_000)]
    max_per_hour: Annotated[int, Meta(ge=1, le=1_000_000)]
    note: Annotated[str, Meta(max_length=1000)] = ""
    reprovision: bool = False


class PinnedCertificate(Struct, frozen=True):
    """A certificate by its SHA-256 fingerprint, and the end of its validity."""

    fingerprint: str
    ends_at: Moment


class Partner(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A partner MC system: what is pinned of it, where the partnership stands, how the link is doing.

    `compared_at` is when the last completed comparison of the common exchanges began, `comparison_error` what was wrong
    in it, `comparison_due` why one is due; `change_waits`: see PartnerChange; `approvals` holds what was set.
    """

    id: str
    name: str
    state: str
    state_here: str
    state_there: str
    reason_here: str | None = None
    reason_there: str | None = None
    told: bool
    seen: str
    address: str
    contact: str
    thumbprints: list[str]
    spoken: list[str]
    certificates: list[PinnedCertificate]
    hosts: list[str]
    phone_contexts: list[str]
    tel_prefixes: list[str]
    kinds: list[str]
    terms: Terms
    waiting: int
    last_success_at: Moment | None = None
    last_error: str | None = None
    next_attempt_at: Moment | None = None
    compared_at: Moment | None = None
    comparison_due: str | None = None
    comparison_error: str | None = None
    change_waits: bool = False
    approvals: tuple[Approvals, ...] = ()


class FieldChange(Struct, frozen=True):
    """What a partner has changed in one field: as it is pinned, and as the partner has it now."""

    field: str
    old: list[str]
    new: list[str]


class PartnerChange(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a partner has changed of itself and waits for a person, to be confirmed as `seen`; or why it was not taken.

    `fault` is what was wrong with the metadata that came last.
    """

    partner: str
    fields: list[FieldChange]
    seen: str | None = None
    found_at: Moment | None = None
    fault: str | None = None


class Confirmation(Struct, frozen=True, forbid_unknown_fields=True):
    """The change is taken as it was shown."""

    seen: Short


class Partners(Struct, frozen=True):
    """Every partner."""

    items: list[Partner]


class Acceptance(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """The thumbprints of all the partner's keys as people compared them, what is exchanged, and what they looked at."""

    thumbprints: Annotated[tuple[Short, ...], Meta(min_length=1)]
    kinds: tuple[Short, ...]
    seen: Short | None = None


class Suspension(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Why, for the partner to read."""

    reason: Line | None = None


class Removal(Struct, frozen=True, forbid_unknown_fields=True):
    """Why, for the partner to read."""

    reason: Line


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
