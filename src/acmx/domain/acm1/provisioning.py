"""From answer to device: templates, and the documents that are made of an answer."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from acmx.domain import meanings
from acmx.domain.acm1.requests import Service
from acmx.domain.messages import Moment

Mode = Literal["push", "preview", "remove"]
JobState = Literal["preparing", "running", "done", "cancelled", "failed"]
RowState = Literal["waiting", "written", "unchanged", "different", "failed"]


class NewTemplate(Struct, frozen=True, forbid_unknown_fields=True):
    """The values for the documents of one partner that its answers need not carry."""

    template: Annotated[
        dict[str, Any],
        Meta(
            description="timers, protection, networks and what else an answer need not carry: examples/templates/"
        ),
    ]


class Template(Struct, frozen=True, omit_defaults=True):
    """A version of the template for a partner; 0: none was entered, and the values are the defaults."""

    partner: Annotated[str, meanings.PARTNER]
    version: Annotated[int, Meta(description="its version; 0: none was entered")]
    template: Annotated[
        dict[str, Any],
        Meta(description="the values; `x509` and `key` are shown as `…`, and `…` given back keeps them"),
    ]
    entered_at: Annotated[Moment | None, meanings.ENTERED_AT] = None
    entered_by: Annotated[str | None, meanings.ENTERED_BY] = None


class Entry(Struct, frozen=True):
    """The user profile migration entry for one MC service: the same in the profile of every user."""

    service: Annotated[Service, Meta(description="`mcptt`, `mcvideo` or `mcdata`")]
    name: Annotated[str, Meta(description="file name")]
    xml: Annotated[
        str, Meta(description="the user profile migration entry: the partner's id and the whole document")
    ]


class Documents(Struct, frozen=True):
    """What was made of one answer: the UE initial configuration document, and the entries for these users."""

    id: Annotated[str, meanings.EXCHANGE]
    partner: Annotated[str, meanings.PARTNER]
    catalogue: Annotated[int, meanings.CATALOGUE]
    template: Annotated[int, meanings.TEMPLATE_VERSION]
    name: Annotated[str, Meta(description="file name of the UE initial configuration document")]
    xml: Annotated[str, Meta(description="that document (TS 24.484 clause 7.2)")]
    entries: Annotated[
        list[Entry], Meta(description="one for each MC service that was granted and is provisioned here")
    ]
    users: Annotated[
        list[str],
        Meta(description="MC service IDs of the approved users; empty where the partner gave unasked"),
    ]
    sources: Annotated[
        dict[str, Literal["answer", "template"]], Meta(description="for each value `answer` or `template`")
    ]


class NewProvisioning(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What is to be done at the CMS with the documents of an exchange."""

    mode: Annotated[
        Mode,
        Meta(
            description="`push`: put the documents on the CMS; `preview`: say what that would change; `remove`: take "
            "them out"
        ),
    ]
    rel13: Annotated[bool, Meta(description="leave out what readers of Release 13 do not know")] = False
    users: Annotated[
        tuple[str, ...],
        Meta(
            description="for whom, with `push` and `preview` of what a partner gave unasked: MC service IDs of own "
            "users; else absent"
        ),
    ] = ()


class Provisioning(Struct, frozen=True, omit_defaults=True):
    """A job at the CMS."""

    id: Annotated[str, Meta(description="id of the job")]
    exchange: Annotated[str, Meta(description="id of the exchange whose documents they are")]
    partner: Annotated[str, meanings.PARTNER]
    mode: Annotated[Mode, Meta(description="`push`, `preview` or `remove`")]
    state: Annotated[
        JobState,
        Meta(
            description="`done`: every document has ended, some may have failed; `failed`: nothing could be done"
        ),
    ]
    catalogue: Annotated[int, meanings.CATALOGUE]
    template: Annotated[int, meanings.TEMPLATE_VERSION]
    started_at: Annotated[Moment, Meta(description="when it was started")]
    started_by: Annotated[str, Meta(description="MC service ID of who started it")]
    total: Annotated[int, Meta(description="how many documents")]
    counts: Annotated[dict[RowState, int], Meta(description="how many of them are in which state")]
    ended_at: Annotated[Moment | None, Meta(description="when it ended")] = None
    next_attempt_at: Annotated[Moment | None, Meta(description="before it the CMS is left alone")] = None
    last_error: Annotated[
        str | None, Meta(description="why it is left alone, or why the job ended early")
    ] = None


class Provisionings(Struct, frozen=True):
    """The jobs of one exchange, newest first."""

    items: Annotated[list[Provisioning], meanings.NEWEST_FIRST]


class ProvisioningRow(Struct, frozen=True, omit_defaults=True):
    """One document: of a user and MC service, or (`ue`) the UE initial configuration document."""

    n: Annotated[int, Meta(description="its place in the job")]
    xui: Annotated[str, Meta(description="MC service ID; for `ue` whose directory the document lies in")]
    service: Annotated[
        Service | Literal["ue"],
        Meta(description="`mcptt`, `mcvideo`, `mcdata`; `ue`: the UE initial configuration document"),
    ]
    state: Annotated[
        RowState,
        Meta(description="`waiting`, `written` (or removed), `unchanged`, `different` (preview), `failed`"),
    ]
    attempts: Annotated[int, Meta(description="how often it was tried")]
    detail: Annotated[
        str, Meta(description="why it failed or waits; in a preview `path: old -> new`, one a line")
    ] = ""
    at: Annotated[Moment | None, Meta(description="when that came to be")] = None


class ProvisioningRows(Struct, frozen=True):
    """A page of the documents of a job."""

    items: Annotated[list[ProvisioningRow], Meta(description="in the order of the job")]
    next: Annotated[str | None, meanings.NEXT] = None
