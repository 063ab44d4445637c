"""Local policy (step 6): what is answered without a person, as Cedar on aggregated facts, parsed once.

It is asked twice, in this order: does a rule permit the action `decline`? does one permit `approve`? If neither
does, a person decides. A rule that fails on its facts never decides: a person does. The facts are the context of
`SCHEMA`; a rule's name is its `@id`.
"""

import json
from functools import lru_cache
from typing import Any, Literal

import cedarpy
from msgspec import Struct

from acmx.domain.errors import Fault, FaultyInput

SCHEMA = """
entity MCSystem;
entity Kind;
action "approve", "decline" appliesTo {
  principal: [MCSystem],
  resource: [Kind],
  context: {
    users: Long,
    realms: Set<String>,
    services: Set<String>,
    urgency: String,
    hour: Long,
    weekday: Long,
    referenced: Bool,
    addressed: Bool,
    valid_days?: Long,
  }
};
"""

Decision = Literal["approve", "decline"]
DECISIONS: tuple[Decision, ...] = ("decline", "approve")


class Ruling(Struct, frozen=True):
    """What policy decided, and the rule that did."""

    decision: Decision
    rule: str


class Policy:
    """A parsed policy text."""

    def __init__(self, text: str) -> None:
        """Raises FaultyInput where the text is no Cedar or uses facts that do not exist."""
        self.text = text
        try:
            self._rules = cedarpy.PolicySet.from_str(text)
            parsed = json.loads(cedarpy.policies_to_json_str(text))
        except ValueError as fault:
            raise FaultyInput([Fault("policy", "", str(fault))]) from None
        self._names = {
            id_: rule.get("annotations", {}).get("id") or id_
            for id_, rule in parsed["staticPolicies"].items()
        }
        checked = cedarpy.validate_policies(text, SCHEMA)
        if not checked.validation_passed:
            raise FaultyInput(
                [Fault(self._names.get(e.policy_id or "", "policy"), "", e.error) for e in checked.errors]
            )

    @property
    def rules(self) -> list[str]:
        return list(self._names.values())

    def decide(self, *, partner: str, kind: str, facts: dict[str, Any]) -> Ruling | None:
        """The ruling, or None where a person decides."""
        questions = [
            {
                "principal": {"type": "MCSystem", "id": partner},
                "action": {"type": "Action", "id": decision},
                "resource": {"type": "Kind", "id": kind},
                "context": facts,
            }
            for decision in DECISIONS
        ]
        answers = cedarpy.is_authorized_batch(questions, self._rules, [])
        for decision, answer in zip(DECISIONS, answers, strict=True):
            if answer.allowed and not answer.diagnostics.errors:
                names = sorted(self._names[id_] for id_ in answer.diagnostics.reasons)
                return Ruling(decision, ", ".join(names))
        return None


parsed = lru_cache(maxsize=4)(Policy)
