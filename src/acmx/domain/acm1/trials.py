"""What another policy would have said."""

from typing import Annotated, Any

from msgspec import Meta, Struct

from acmx.domain.acm1.explanations import Decider
from acmx.domain.acm1.policy import PolicyText, Ruled, RuleFailure
from acmx.domain.messages import Moment


class Trial(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A policy text to be tried on one exchange, or on those that have arrived."""

    text: PolicyText
    against: Annotated[str, Meta(min_length=1, max_length=300)] | None = None


class Tried(Struct, frozen=True, omit_defaults=True):
    """What happened to a request, and what would have happened. `would` is absent where no facts were kept."""

    id: str
    primary: str
    at: Moment
    state: str
    outcome: str | None = None
    by: Decider | None = None
    decided_by: str | None = None
    rule: str | None = None
    was: Ruled | None = None
    would: Ruled | None = None
    rules: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    failed: tuple[RuleFailure, ...] = ()
    facts: dict[str, Any] = {}


class TrialPage(Struct, frozen=True, omit_defaults=True):
    """Newest first."""

    items: list[Tried]
    next: str | None = None
