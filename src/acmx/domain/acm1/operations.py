"""How the server is, and what it did."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from acmx.domain import meanings
from acmx.domain.acm1.exchanges import JournalEntry
from acmx.domain.exchange import Audience
from acmx.domain.messages import Line, Moment


class AuditPage(Struct, frozen=True, omit_defaults=True):
    """A page of the journal, newest first."""

    items: Annotated[list[JournalEntry], meanings.NEWEST_FIRST]
    next: Annotated[str | None, meanings.NEXT] = None


class Telling(Struct, frozen=True, omit_defaults=True):
    """What one recipient is told by one channel."""

    channel: Annotated[str, Meta(description="`mail`, or `webhook:` and its name")]
    recipient: Annotated[str, Meta(description="mail address, or where the webhook's receiver is")]
    state: Annotated[
        str,
        Meta(
            description="`waiting`, `sent`, `failed`, or `dropped`: no longer needed when it was to be sent"
        ),
    ]
    attempts: Annotated[int, Meta(description="how often it was sent")]
    sent_at: Annotated[Moment | None, Meta(description="when it was taken")] = None
    next_attempt_at: Annotated[
        Moment | None, Meta(description="when it is sent, or sent again, at the earliest")
    ] = None
    last_error: Annotated[str | None, Meta(description="why it waits, failed or was dropped")] = None
    parcel: Annotated[
        str | None, Meta(description="the mail or post it is in: its Message-ID begins with it")
    ] = None


class Notice(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An event of an exchange or a partnership that people are to be told of, and what was sent of it."""

    serial: Annotated[int, Meta(description="number of the notice")]
    at: Annotated[Moment, Meta(description="when it happened")]
    event: Annotated[
        str,
        Meta(
            description="an event of 6.1, `reminder`, `escalation`; `partnership-` and what the partner says now; of "
            "operators `expiry`, `partner-change`, `account-change`, `account-change-decided` or "
            "`shared-mc-service-id`; `your-account`"
        ),
    ]
    audience: Annotated[
        Audience,
        Meta(
            description="`asker`, `reviewers`; where it is of no exchange `partner-administrators`, `operators` or "
            "`account-holders`"
        ),
    ]
    exchange: Annotated[
        str | None,
        Meta(
            description="the exchange; absent: the partnership; of operators and holders of accounts what it is about"
        ),
    ] = None
    primary: Annotated[
        str,
        Meta(
            description="its primary MC system; the partner; of operators and holders of accounts this system"
        ),
    ]
    person: Annotated[
        str | None,
        Meta(
            description="the person meant, by MC service ID or alias, or both and a space between; absent: whoever may"
            " review, or change partners"
        ),
    ] = None
    tellings: Annotated[
        list[Telling],
        Meta(description="what is sent of it (docs/notifications.md); absent: nothing"),
    ] = []


class NoticePage(Struct, frozen=True, omit_defaults=True):
    """A page of notices, newest first."""

    items: Annotated[list[Notice], meanings.NEWEST_FIRST]
    next: Annotated[str | None, meanings.NEXT] = None


class Finding(Struct, frozen=True):
    """One check, and what it found in plain words."""

    name: Annotated[str, Meta(description="what was checked")]
    status: Annotated[Literal["ok", "warning", "failed"], Meta(description="`ok`, `warning` or `failed`")]
    text: Annotated[str, Meta(description="what was found, for people")]


class Findings(Struct, frozen=True):
    """Every check, in the order in which they were made."""

    items: Annotated[list[Finding], Meta(description="in the order of the checks")]


class ClockStanding(Struct, frozen=True, omit_defaults=True):
    """The server's clock; while it is held in doubt, nothing expires."""

    now: Annotated[Moment, Meta(description="the server's time")]
    held_since: Annotated[
        Moment | None, Meta(description="since when nothing expires, as the clock is in doubt")
    ] = None
    reason: Annotated[str | None, Meta(description="why it is in doubt")] = None


class Acknowledgement(Struct, frozen=True, forbid_unknown_fields=True):
    """Why the database holds another history of the journal than the checkpoints that were shipped."""

    reason: Annotated[Line, Meta(description="why: it is journalled")]


class Acknowledged(Struct, frozen=True):
    """How many shipped checkpoints of another history were acknowledged by it."""

    checkpoints: Annotated[int, Meta(description="how many shipped checkpoints of another history were open")]


class Component(Struct, frozen=True, omit_defaults=True):
    """A part of the server that has to go on."""

    name: Annotated[
        str,
        Meta(
            description="`delivery`, `messenger`, `clockwork`, `notifications`, `partners`, `sealer` or `writer`"
        ),
    ]
    ok: Annotated[bool, Meta(description="whether it goes on")]
    of: Annotated[
        str | None,
        Meta(description="of `delivery`: MC system ID; of `messenger`: `mail`, or `webhook:` and its name"),
    ] = None
    trouble: Annotated[str | None, Meta(description="what is wrong with it")] = None


class Health(Struct, frozen=True, omit_defaults=True):
    """How the server is doing."""

    ok: Annotated[bool, Meta(description="all components are, and the clock is not in doubt")]
    version: Annotated[str, Meta(description="version of acmx")]
    components: Annotated[list[Component], Meta(description="what has to go on")]
    clock: Annotated[ClockStanding, Meta(description="how the clock stands")]
    expiring: Annotated[
        list[Finding],
        Meta(
            description="certificates and keys, this system's and its partners', that end within 30 days or have "
            "ended"
        ),
    ] = []
