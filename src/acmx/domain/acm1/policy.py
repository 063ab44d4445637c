"""What is answered automatically, on which facts, and why."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from acmx.domain import meanings
from acmx.domain.messages import Moment

Ruled = Literal["approve", "decline", "person"]
Why = Literal[
    "rule", "no-rule", "forbidden", "rule-failed", "unreadable", "nothing-to-disclose", "several-approvals"
]
PolicyText = Annotated[str, Meta(max_length=65_536)]
"""Some hundred rules: Cedar reads a text in one piece, and everything else waits meanwhile."""


class PolicyInput(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A policy text to be set or checked."""

    text: Annotated[PolicyText, Meta(description="the policy text (Cedar, docs/policy.md)")]
    replaces: Annotated[
        int | None, Meta(description="the version that it follows: `versions-differ` where another holds")
    ] = None


class Policy(Struct, frozen=True, omit_defaults=True):
    """The policy that holds, or the one that was checked."""

    version: Annotated[int, Meta(description="1, 2, ...; 0: only checked")]
    text: Annotated[str, Meta(description="the policy text (Cedar)")]
    rules: Annotated[list[str], Meta(description="names of the rules, in order")]
    set_at: Annotated[Moment | None, Meta(description="when it was set")] = None
    set_by: Annotated[str | None, Meta(description="MC service ID of who set it")] = None
    unreadable: Annotated[
        str | None,
        Meta(description="why this version of acmx cannot read it: a person decides everything then"),
    ] = None
    unnamed: Annotated[
        list[str],
        Meta(
            description="rules that approve and name no kind, as they were set before they had to: they count for"
            " `server-identity` and `server-identity-provision`"
        ),
    ] = []


class RuleFailure(Struct, frozen=True):
    """A rule that could not be evaluated on the facts."""

    rule: Annotated[str, meanings.RULE_NAME]
    error: Annotated[str, Meta(description="why it could not be evaluated")]


class Consultation(Struct, frozen=True, omit_defaults=True):
    """Step 6: what policy was asked on, and what it said."""

    version: Annotated[int, Meta(description="version of the policy")]
    digest: Annotated[str, Meta(description="SHA-256 of its text")]
    decision: Annotated[Ruled, Meta(description="what came of it")]
    why: Annotated[
        Why,
        Meta(
            description="`rule`: rules decided; `no-rule`: none permits an answer; `forbidden`: a rule forbids it; "
            "`rule-failed`: a rule failed on the facts; `unreadable`: the text could not be read; "
            "`several-approvals`: rules approve, but several people must; `nothing-to-disclose`: rules "
            "approve, but no server identities were fit to be given"
        ),
    ]
    facts: Annotated[dict[str, Any], Meta(description="name and value of each fact (docs/policy.md#facts)")]
    rules: Annotated[tuple[str, ...], Meta(description="those that decided, or would have")] = ()
    forbidden: Annotated[tuple[str, ...], Meta(description="rules that forbid it")] = ()
    failed: Annotated[tuple[RuleFailure, ...], Meta(description="rules that could not be evaluated")] = ()
