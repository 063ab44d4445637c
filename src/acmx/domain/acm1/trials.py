"""What another policy would have said."""

from typing import Annotated, Any

from msgspec import Meta, Struct

from acmx.domain import meanings
from acmx.domain.acm1.explanations import Decider
from acmx.domain.acm1.policy import PolicyText, Ruled, RuleFailure
from acmx.domain.messages import Moment


class Trial(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A policy text to be tried on one exchange, or on those that have arrived."""

    text: Annotated[PolicyText, Meta(description="the policy text (Cedar, docs/policy.md)")]
    against: Annotated[
        Annotated[str, Meta(min_length=1, max_length=300)] | None,
        Meta(description="an exchange; absent: those that have arrived, newest first, page by page"),
    ] = None


class Tried(Struct, frozen=True, omit_defaults=True):
    """What happened to a request, and what would have happened."""

    id: Annotated[str, meanings.EXCHANGE]
    primary: Annotated[str, meanings.PRIMARY]
    at: Annotated[Moment, Meta(description="when the request arrived")]
    state: Annotated[str, meanings.STATE]
    outcome: Annotated[str | None, Meta(description="what happened: once decided")] = None
    by: Annotated[Decider | None, Meta(description="who decided, as in Explanation")] = None
    decided_by: Annotated[str | None, meanings.DECIDED_BY] = None
    rule: Annotated[str | None, Meta(description="rule of the policy that held")] = None
    was: Annotated[Ruled | None, Meta(description="what policy said then")] = None
    would: Annotated[
        Ruled | None, Meta(description="what this policy says; absent where the facts were not kept")
    ] = None
    rules: Annotated[tuple[str, ...], Meta(description="rules that decide")] = ()
    forbidden: Annotated[tuple[str, ...], Meta(description="rules that forbid it")] = ()
    failed: Annotated[tuple[RuleFailure, ...], Meta(description="rules that cannot be evaluated")] = ()
    facts: Annotated[dict[str, Any], Meta(description="on which it was asked")] = {}


class TrialPage(Struct, frozen=True, omit_defaults=True):
    """Newest first."""

    items: Annotated[list[Tried], meanings.NEWEST_FIRST]
    next: Annotated[str | None, meanings.NEXT] = None
