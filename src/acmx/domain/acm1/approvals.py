"""How many people must approve."""

from typing import Annotated

from msgspec import Meta, Struct

from acmx.domain.messages import Short


class Threshold(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """`approvals` by as many people; `roles`: of which each must have one, any reviewer where it is empty."""

    approvals: Annotated[int, Meta(ge=0, le=20)]
    roles: tuple[Short, ...] = ()


class Approvals(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Of one kind: `review` of what the partner asks for, `release` of what is asked of it; absent: as it is."""

    kind: Short
    review: Threshold | None = None
    release: Threshold | None = None
