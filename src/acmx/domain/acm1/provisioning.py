"""From answer to device: templates, and the documents that are made of an answer."""

from typing import Any, Literal

from msgspec import Struct

from acmx.domain.acm1.requests import Service
from acmx.domain.messages import Moment


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

    `sources` tells of each value whether it is from the partner's answer or from the template of that version.
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
