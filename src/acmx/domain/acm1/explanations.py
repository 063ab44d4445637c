"""Who or what decided an exchange, and on what."""

from typing import Any, Literal

from msgspec import Struct

from acmx.domain.acm1.policy import Consultation, Policy
from acmx.domain.messages import Moment

Decider = Literal["person", "policy", "clock", "check", "partner"]


class FactShown(Struct, frozen=True, omit_defaults=True):
    """A fact as it was, and where it came from."""

    name: str
    value: Any
    meaning: str
    source: str
    unit: str = ""


class CheckShown(Struct, frozen=True, omit_defaults=True):
    """A check of step 2, and how it ended."""

    rule: str
    passed: bool
    meaning: str
    detail: str | None = None


class Explanation(Struct, frozen=True, omit_defaults=True):
    """Who or what decided an exchange, and on what."""

    id: str
    primary: str
    partner: str
    role: Literal["primary", "partner"]
    state: str
    outcome: str | None = None
    by: Decider | None = None
    decided_by: str | None = None
    rule: str | None = None
    reason: str | None = None
    decided_at: Moment | None = None
    checks: list[CheckShown] = []
    consultation: Consultation | None = None
    asked_at: Moment | None = None
    facts: list[FactShown] = []
    policy: Policy | None = None
