"""Local policy (step 6): what is answered without a person, as Cedar on aggregated facts, parsed once.

It is asked twice, in this order: does a rule permit the action `decline`? does one permit `approve`? If neither
does, a person decides. Where any rule fails on the facts, policy never decides: a person does. Of what somebody here
wants to give unasked it is asked whether a rule permits to `withhold` it. The facts are those of `policy_facts`; a
rule's name is its `@id`.
"""

import json
import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal

import cedarpy
from msgspec import Struct

from acmx.domain.acm1.policy import Ruled, RuleFailure
from acmx.domain.errors import FaultyInput
from acmx.domain.faults import Fault
from acmx.trust.policy_facts import SCHEMA
from acmx.trust.policy_lines import line_of, line_of_first

DECISIONS: tuple[Literal["decline", "approve"], ...] = ("decline", "approve")
WITHHOLD = "withhold"
_OF_POLICY = re.compile(r"(?:for|error while evaluating) policy `(\w+)`[,:] ")
_ATTRIBUTE = re.compile(r"attribute `(\w+)`")


class Ruling(Struct, frozen=True):
    """What policy decided and the rules that did, or why a person decides: rules that forbid, rules that failed."""

    decision: Ruled
    rules: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    failed: tuple[RuleFailure, ...] = ()


class Policy:
    """A parsed policy text."""

    def __init__(self, text: str) -> None:
        """Raises FaultyInput, with lines, where the text is no Cedar or uses facts that do not exist."""
        self.text = text
        try:
            self._rules = cedarpy.PolicySet.from_str(text)
            parsed = json.loads(cedarpy.policies_to_json_str(text))
        except ValueError as fault:
            line = line_of_first(text, _is_broken)
            raise FaultyInput([Fault("policy", "", f"line {line}: {fault}")]) from None
        self._names = {
            id_: rule.get("annotations", {}).get("id") or id_
            for id_, rule in parsed["staticPolicies"].items()
        }
        if templates := parsed["templates"]:
            raise FaultyInput([self._fault(id_, "a template decides nothing") for id_ in templates])
        if faults := [*self._validated(), *self._ambiguous()]:
            raise FaultyInput(faults)

    @property
    def rules(self) -> list[str]:
        return list(self._names.values())

    def decide(self, *, partner: str, kind: str, facts: dict[str, Any]) -> Ruling:
        forbidden: list[str] = []
        answers = self._answers(DECISIONS, partner, kind, facts)
        for decision, answer in zip(DECISIONS, answers, strict=False):
            if answer.diagnostics.errors:
                return Ruling("person", failed=tuple(map(self._failure, answer.diagnostics.errors)))
            reasons = sorted(self._names[id_] for id_ in answer.diagnostics.reasons)
            if answer.allowed:
                return Ruling(decision, tuple(reasons))
            forbidden += reasons
        return Ruling("person", forbidden=tuple(dict.fromkeys(forbidden)))

    def withheld_by(self, *, partner: str, kind: str, facts: dict[str, Any]) -> list[str]:
        """The rules by which nothing is given to the partner: those that permit `withhold`, or that fail."""
        for answer in self._answers((WITHHOLD,), partner, kind, facts):
            if answer.diagnostics.errors:
                return [self._failure(error).rule for error in answer.diagnostics.errors]
            if answer.allowed:
                return sorted(self._names[id_] for id_ in answer.diagnostics.reasons)
        return []

    def _answers(
        self, actions: Sequence[str], partner: str, kind: str, facts: dict[str, Any]
    ) -> Sequence[Any]:
        questions = [
            {
                "principal": {"type": "MCSystem", "id": partner},
                "action": {"type": "Action", "id": action},
                "resource": {"type": "Kind", "id": kind},
                "context": facts,
            }
            for action in actions
        ]
        return cedarpy.is_authorized_batch(questions, self._rules, []) if self._names else ()

    def _validated(self) -> list[Fault]:
        errors = cedarpy.validate_policies(self.text, SCHEMA).errors
        return [self._fault(found.policy_id, found.error) for found in errors]

    def _fault(self, id_: str | None, error: str) -> Fault:
        if id_ is None:
            return Fault("policy", "", error)
        attribute = _ATTRIBUTE.search(error)
        rule = int(id_.removeprefix("policy"))
        line = line_of(self.text, rule, attribute[1] if attribute else None)
        return Fault(self._names.get(id_, "policy"), "", f"line {line}: {_OF_POLICY.sub('', error)}")

    def _ambiguous(self) -> list[Fault]:
        counted = Counter(self._names.values())
        return [Fault(name, "", "names more than one rule") for name, count in counted.items() if count > 1]

    def _failure(self, error: str) -> RuleFailure:
        named = _OF_POLICY.search(error)
        rule = self._names.get(named[1]) if named else None
        return RuleFailure(rule or "policy", _OF_POLICY.sub("", error)[:500])


def _is_broken(rule: str) -> bool:
    try:
        cedarpy.PolicySet.from_str(rule)
    except ValueError:
        return True
    return False


parsed = lru_cache(maxsize=4)(Policy)
