"""How many people must approve."""

from typing import Annotated

from msgspec import Meta, Struct

from acmx.domain.messages import Short


class Threshold(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """How many people must approve, and in which role."""

    approvals: Annotated[
        int,
        Meta(
            ge=0,
            le=20,
            description="how many people: for `review` at least 1, for `release` 0 means that nobody need release",
        ),
    ]
    roles: Annotated[
        tuple[Short, ...],
        Meta(description="each of them must have one of these besides the permission `review`"),
    ] = ()


class Approvals(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The thresholds for one kind; what is absent stays as it is."""

    kind: Annotated[Short, Meta(description="what is exchanged")]
    review: Annotated[
        Threshold | None, Meta(description="of the partner's requests; 1 where nothing was set")
    ] = None
    release: Annotated[
        Threshold | None,
        Meta(description="of requests to the partner, before they leave; 0 where nothing was set"),
    ] = None
