"""Partner MC systems, and what waits for them."""

from typing import Annotated

from msgspec import Meta, Struct

from acmx.domain import meanings
from acmx.domain.acm1.approvals import Approvals
from acmx.domain.messages import Line, Moment, Short


class Terms(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What this system exchanges with a partner, who here may ask it, and how much is taken from it.

    `askers` are MC service IDs and roles; empty: everybody who may ask at all. What `kinds` does not list is not
    exchanged.
    """

    kinds: Annotated[
        tuple[Short, ...],
        Meta(
            description="what is exchanged with the partner, in either direction; a kind that is not listed is not"
        ),
    ] = ()
    askers: Annotated[
        tuple[Short, ...],
        Meta(description="MC service IDs and roles: who here may ask it; absent: whoever may ask"),
    ] = ()
    max_open: Annotated[
        int,
        Meta(
            ge=1,
            le=1_000_000,
            description="how many of its requests may wait for a decision; 1,000 until terms are set",
        ),
    ]
    max_users: Annotated[
        int, Meta(ge=1, le=10_000, description="how many users a request of it may name; 10,000 until then")
    ]
    max_per_hour: Annotated[
        int,
        Meta(
            ge=1,
            le=1_000_000,
            description="how many of its requests are taken: so many at once, and evenly as many an hour; 3,600 until"
            " then",
        ),
    ]
    note: Annotated[
        str, Meta(max_length=1000, description="for the people here; the partner does not see it")
    ] = ""
    reprovision: Annotated[
        bool,
        Meta(
            description="`true`: what was put on the own CMS follows by itself what the partner changes or takes back"
        ),
    ] = False


class PinnedCertificate(Struct, frozen=True):
    """A certificate by its SHA-256 fingerprint, and the end of its validity."""

    fingerprint: Annotated[str, Meta(description="SHA-256, 64 hexadecimal digits")]
    ends_at: Annotated[Moment, Meta(description="end of its validity")]


class Partner(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A partner MC system: what is pinned of it, where the partnership stands, how the link is doing."""

    id: Annotated[str, meanings.MC_SYSTEM_ID]
    name: Annotated[str, meanings.ORGANISATION]
    state: Annotated[
        str, Meta(description="`established`, `accepted here`, `offered`, `suspended` or `removed`")
    ]
    state_here: Annotated[
        str, Meta(description="what this system says: `offered`, `accepted`, `suspended` or `removed`")
    ]
    state_there: Annotated[str, Meta(description="what the partner said last")]
    reason_here: Annotated[str | None, Meta(description="why, as the partner was told")] = None
    reason_there: Annotated[str | None, Meta(description="why, as the partner said")] = None
    told: Annotated[bool, Meta(description="whether the partner has taken what this system says now")]
    seen: Annotated[str, Meta(description="digest of the pinned metadata: what an acceptance may name")]
    address: Annotated[str, Meta(description="base URL of its ACM-2 listener")]
    contact: Annotated[str, meanings.CONTACT]
    thumbprints: Annotated[list[str], Meta(description="`kid` of each pinned key")]
    spoken: Annotated[
        list[str],
        Meta(description="the same as 12 groups of 5 digits (docs/protocol/partnership.md#partner-file)"),
    ]
    certificates: Annotated[list[PinnedCertificate], Meta(description="the pinned leaf certificates")]
    hosts: Annotated[list[str], Meta(description="pinned realms: hosts of SIP URIs")]
    phone_contexts: Annotated[list[str], Meta(description="pinned realms: phone contexts of local numbers")]
    tel_prefixes: Annotated[
        list[str], Meta(description="pinned realms: first digits of global numbers, with `+`")
    ]
    kinds: Annotated[list[str], Meta(description="kinds the partner exchanges")]
    terms: Annotated[Terms, Meta(description="what this system admits")]
    waiting: Annotated[int, Meta(description="how many messages wait for it")]
    last_success_at: Annotated[Moment | None, Meta(description="when the link last worked")] = None
    last_error: Annotated[str | None, Meta(description="why the link does not work")] = None
    next_attempt_at: Annotated[Moment | None, Meta(description="when the link is tried again")] = None
    compared_at: Annotated[
        Moment | None,
        Meta(description="when the last completed comparison (docs/protocol/comparison.md) began"),
    ] = None
    comparison_due: Annotated[
        str | None,
        Meta(description="why a comparison is due: `start`, `silence`, `asked`, or the type of a refusal"),
    ] = None
    comparison_error: Annotated[str | None, Meta(description="what was wrong in the last one")] = None
    change_waits: Annotated[bool, Meta(description="`true`: see PartnerChange")] = False
    approvals: Annotated[
        tuple[Approvals, ...],
        Meta(description="how many people must approve, where that was set (Approvals)"),
    ] = ()


class FieldChange(Struct, frozen=True):
    """What a partner has changed in one field: as it is pinned, and as the partner has it now."""

    field: Annotated[
        str,
        Meta(
            description="`address`, `certificates`, `hosts`, `phone_contexts` or `tel_prefixes`; of an update the "
            "path of a member of `content`, such as `server_identity.kms`"
        ),
    ]
    old: Annotated[
        list[str],
        Meta(
            description="as pinned, or as it was; empty: absent. A certificate by its SHA-256 in 12 groups of 5 "
            "digits (docs/protocol/partnership.md#partner-file) and its end"
        ),
    ]
    new: Annotated[list[str], Meta(description="as the partner has it now")]


class PartnerChange(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a partner has changed of itself and waits for a person; or why it was not taken."""

    partner: Annotated[str, meanings.PARTNER]
    fields: Annotated[list[FieldChange], Meta(description="what waits for a person; empty: nothing")]
    seen: Annotated[str | None, Meta(description="names what was shown; absent: nothing waits")] = None
    found_at: Annotated[Moment | None, Meta(description="when it was found")] = None
    fault: Annotated[str | None, Meta(description="why the metadata that came last was not taken at all")] = (
        None
    )


class Confirmation(Struct, frozen=True, forbid_unknown_fields=True):
    """The change is taken as it was shown."""

    seen: Annotated[Short, Meta(description="as in the PartnerChange that was shown")]


class Partners(Struct, frozen=True):
    """Every partner."""

    items: Annotated[list[Partner], Meta(description="by MC system ID")]


class Acceptance(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """The thumbprints of all the partner's keys as people compared them, what is exchanged, and what they looked at."""

    thumbprints: Annotated[
        tuple[Short, ...],
        Meta(
            min_length=1,
            description="every key of the partner as people compared it: `kid`, or the digits of 4.3 with or without "
            "spaces",
        ),
    ]
    kinds: Annotated[
        tuple[Short, ...],
        Meta(
            description="what is exchanged with the partner from now on: the `kinds` of the terms; those of a partner"
            " that is accepted already stay"
        ),
    ]
    seen: Annotated[
        Short | None,
        Meta(description="`seen` of the Partner that they looked at; absent: the keys alone were compared"),
    ] = None


class Suspension(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Why, for the partner to read."""

    reason: Annotated[Line | None, meanings.REASON_FOR_PARTNER] = None


class Removal(Struct, frozen=True, forbid_unknown_fields=True):
    """Why, for the partner to read."""

    reason: Annotated[Line, meanings.REASON_FOR_PARTNER]


class QueuedMessage(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A message in the outbox: it waits for the partner's signed word, or was given up."""

    partner: Annotated[str, meanings.PARTNER]
    primary: Annotated[str, meanings.PRIMARY]
    exchange: Annotated[str, meanings.EXCHANGE]
    n: Annotated[int, meanings.MESSAGE]
    type: Annotated[str, meanings.MESSAGE_TYPE]
    queued_at: Annotated[Moment, Meta(description="when it began to wait")]
    attempts: Annotated[int, meanings.ATTEMPTS]
    next_attempt_at: Annotated[Moment, meanings.NEXT_ATTEMPT_AT]
    give_up_at: Annotated[Moment, Meta(description="until when it is sent")]
    last_attempt_at: Annotated[Moment | None, Meta(description="when it was last sent")] = None
    last_error: Annotated[
        str | None, Meta(description="why the partner cannot be reached, or did not take it")
    ] = None
    undeliverable: Annotated[bool, Meta(description="`true` once it is no longer sent")] = False


class OutboxPage(Struct, frozen=True, omit_defaults=True):
    """A page of the outbox, oldest first."""

    items: Annotated[list[QueuedMessage], meanings.OLDEST_FIRST]
    next: Annotated[str | None, meanings.NEXT] = None


class Retry(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What is to be sent again now: all that waits for a partner, or of an exchange; without members, everything."""

    partner: Annotated[Short | None, Meta(description="MC system ID: all that waits for it")] = None
    exchange: Annotated[
        Short | None, Meta(description="id, or PRIMARY:ID: all that waits of it. Not beside `partner`")
    ] = None


class Retried(Struct, frozen=True):
    """How many messages are no longer put off, and to whom the links were woken."""

    messages: Annotated[int, Meta(description="how many messages are sent as soon as the partner answers")]
    partners: Annotated[list[str], Meta(description="MC system IDs: whose back-off was lifted")]
