"""Who or what decided an exchange, and on what."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from acmx.domain import meanings
from acmx.domain.acm1.policy import Consultation, Policy
from acmx.domain.messages import Moment

Decider = Literal["person", "policy", "clock", "check", "partner"]


class FactShown(Struct, frozen=True, omit_defaults=True):
    """A fact as it was, and where it came from."""

    name: Annotated[str, Meta(description="name of the fact")]
    value: Annotated[Any, Meta(description="its value, as it was")]
    meaning: Annotated[str, Meta(description="what it is")]
    source: Annotated[str, Meta(description="where it came from")]
    unit: Annotated[str, Meta(description="unit of a number")] = ""


class CheckShown(Struct, frozen=True, omit_defaults=True):
    """A check of step 2, and how it ended."""

    rule: Annotated[str, meanings.RULE_NAME]
    passed: Annotated[bool, Meta(description="whether it let the request pass")]
    meaning: Annotated[str, Meta(description="what it asks")]
    detail: Annotated[str | None, Meta(description="why it refused")] = None


class Explanation(Struct, frozen=True, omit_defaults=True):
    """Who or what decided an exchange, and on what."""

    id: Annotated[str, meanings.EXCHANGE]
    primary: Annotated[str, meanings.PRIMARY]
    partner: Annotated[str, Meta(description="MC system ID of the other system")]
    role: Annotated[Literal["primary", "partner"], meanings.ROLE]
    state: Annotated[str, meanings.STATE]
    outcome: Annotated[str | None, meanings.ONCE_DECIDED] = None
    by: Annotated[
        Decider | None,
        Meta(
            description="who decided: a `person` (or service account), `policy`, the `clock`; at the primary a "
            "`check` of step 2, or the `partner`; absent while nobody has"
        ),
    ] = None
    decided_by: Annotated[str | None, meanings.DECIDED_BY] = None
    rule: Annotated[str | None, Meta(description="of the policy, or the check that refused")] = None
    reason: Annotated[str | None, meanings.PUBLIC_REASON] = None
    decided_at: Annotated[Moment | None, Meta(description="when; at the primary, when the answer came")] = (
        None
    )
    checks: Annotated[
        list[CheckShown],
        Meta(
            description="at the primary: step 2, in order, up to the first refusal; empty where they were not kept"
        ),
    ] = []
    consultation: Annotated[
        Consultation | None,
        Meta(description="at the partner: step 6; absent where policy was not asked, or it was not kept"),
    ] = None
    asked_at: Annotated[Moment | None, Meta(description="when policy was asked")] = None
    facts: Annotated[list[FactShown], Meta(description="the facts of the consultation")] = []
    policy: Annotated[
        Policy | None, Meta(description="that version of the policy; only with `policy-read`")
    ] = None
