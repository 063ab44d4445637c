"""How the server is, and what it did."""

from typing import Literal

from msgspec import Struct

from acmx.domain.acm1.requests import JournalEntry
from acmx.domain.exchange import Audience
from acmx.domain.messages import Line, Moment


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
    """An event of an exchange or a partnership that people are to be told of, and what was sent of it."""

    serial: int
    at: Moment
    event: str
    audience: Audience
    exchange: str | None = None
    primary: str
    person: str | None = None
    tellings: list[Telling] = []


class NoticePage(Struct, frozen=True, omit_defaults=True):
    """A page of notices, newest first."""

    items: list[Notice]
    next: str | None = None


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


class Acknowledgement(Struct, frozen=True, forbid_unknown_fields=True):
    """Why the database holds another history of the journal than the checkpoints that were shipped."""

    reason: Line


class Acknowledged(Struct, frozen=True):
    """How many shipped checkpoints of another history were acknowledged by it."""

    checkpoints: int


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
    expiring: list[Finding] = []
