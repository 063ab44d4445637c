"""From answer to device: templates, and the documents that are made of an answer."""

from typing import Any, Literal

from msgspec import Struct

from acmx.domain.acm1.requests import Service
from acmx.domain.messages import Moment

Mode = Literal["push", "preview", "remove"]
JobState = Literal["preparing", "running", "done", "cancelled", "failed"]
RowState = Literal["waiting", "written", "unchanged", "different", "failed"]


class NewTemplate(Struct, frozen=True, forbid_unknown_fields=True):
    """The values for the documents of one partner that its answers need not carry."""

    template: dict[str, Any]


class Template(Struct, frozen=True, omit_defaults=True):
    """A version of the template for a partner; 0: none was entered, and the values are the defaults."""

    partner: str
    version: int
    template: dict[str, Any]
    entered_at: Moment | None = None
    entered_by: str | None = None


class Entry(Struct, frozen=True):
    """The user profile migration entry for one MC service: the same in the profile of every user."""

    service: Service
    name: str
    xml: str


class Documents(Struct, frozen=True):
    """What was made of one answer: the UE initial configuration document, and the entries for these users.

    Where the partner gave unasked, `users` is empty: the own people name them. `sources` tells of each value whether it
    is from the partner's answer or from the template of that version.
    """

    id: str
    partner: str
    catalogue: int
    template: int
    name: str
    xml: str
    entries: list[Entry]
    users: list[str]
    sources: dict[str, Literal["answer", "template"]]


class NewProvisioning(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What is to be done at the CMS with the documents of an exchange.

    `users`: for whom, where the partner gave unasked; else they are known.
    """

    mode: Mode
    rel13: bool = False
    users: tuple[str, ...] = ()


class Provisioning(Struct, frozen=True, omit_defaults=True):
    """A job at the CMS. `counts` tells how many of its `total` documents are in which state."""

    id: str
    exchange: str
    partner: str
    mode: Mode
    state: JobState
    catalogue: int
    template: int
    started_at: Moment
    started_by: str
    total: int
    counts: dict[RowState, int]
    ended_at: Moment | None = None
    next_attempt_at: Moment | None = None
    last_error: str | None = None


class Provisionings(Struct, frozen=True):
    """The jobs of one exchange, newest first."""

    items: list[Provisioning]


class ProvisioningRow(Struct, frozen=True, omit_defaults=True):
    """One document: of a user and MC service, or (`ue`) the UE initial configuration document."""

    n: int
    xui: str
    service: Service | Literal["ue"]
    state: RowState
    attempts: int
    detail: str = ""
    at: Moment | None = None


class ProvisioningRows(Struct, frozen=True):
    """A page of the documents of a job; `next` is the `after` of the next page."""

    items: list[ProvisioningRow]
    next: str | None = None
