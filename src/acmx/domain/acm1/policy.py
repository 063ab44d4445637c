"""What is answered automatically, on which facts, and why."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from acmx.domain.messages import Moment

Ruled = Literal["approve", "decline", "person"]
Why = Literal[
    "rule", "no-rule", "forbidden", "rule-failed", "unreadable", "nothing-to-disclose", "several-approvals"
]
PolicyText = Annotated[str, Meta(max_length=65_536)]
"""Some hundred rules: Cedar reads a text in one piece, and everything else waits meanwhile."""


class PolicyInput(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A policy text (Cedar); with `replaces` it is set only while that version holds."""

    text: PolicyText
    replaces: int | None = None


class Policy(Struct, frozen=True, omit_defaults=True):
    """The policy that holds, or the one that was checked; `rules` are its names in order.

    `unnamed`: those that approve and name no kind, as they were set before they had to.
    """

    version: int
    text: str
    rules: list[str]
    set_at: Moment | None = None
    set_by: str | None = None
    unreadable: str | None = None
    unnamed: list[str] = []


class RuleFailure(Struct, frozen=True):
    """A rule that could not be evaluated on the facts."""

    rule: str
    error: str


class Consultation(Struct, frozen=True, omit_defaults=True):
    """Step 6: what policy was asked on, and what it said."""

    version: int
    digest: str
    decision: Ruled
    why: Why
    facts: dict[str, Any]
    rules: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    failed: tuple[RuleFailure, ...] = ()
