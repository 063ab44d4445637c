"""Local policy (step 6): what is answered without a person, as Cedar on aggregated facts, parsed once.

It is asked twice, in this order: does a rule permit the action `decline`? does one permit `approve`? If neither
does, a person decides. Where any rule fails on the facts, policy never decides: a person does. Of what a request of
ours would disclose it is asked whether a rule permits to `withhold` it. A rule approves only the kind that its head
names, and is checked against the facts of that kind. A rule's name is its `@id`.
Why it is as it is: docs/decisions/0023-kinds-are-named.md.
"""

import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Literal

import cedarpy
import msgspec
from msgspec import Struct

from acmx.domain.acm1.policy import Ruled, RuleFailure
from acmx.domain.errors import FaultyInput
from acmx.domain.faults import Fault
from acmx.domain.policy_facts import PolicyFact
from acmx.trust.policy_facts import schema
from acmx.trust.policy_heads import APPROVE, head_of
from acmx.trust.policy_lines import line_of, line_of_first

DECISIONS: tuple[Literal["decline", "approve"], ...] = ("decline", APPROVE)
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

    def __init__(
        self, text: str, kinds: Mapping[str, Sequence[PolicyFact]], former: Collection[str] = ()
    ) -> None:
        """`kinds` that a rule may name, with the facts of each; `former`: those for which rules that name none approve.

        Raises FaultyInput, with lines, where the text is no Cedar or uses facts that do not exist; where there are no
        `former` kinds, also where it names an unknown one or approves without naming one.
        """
        self.text = text
        self._kinds = kinds
        self._former = former
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
        self._heads = {id_: head_of(rule) for id_, rule in parsed["staticPolicies"].items()}
        self._unnamed = {id_ for id_, head in self._heads.items() if head.approves and head.kind is None}
        faults = [] if former else [*self._faults_in_heads()]
        if faults := [*faults, *self._validated(), *self._ambiguous()]:
            raise FaultyInput(faults)

    @property
    def rules(self) -> list[str]:
        return list(self._names.values())

    @property
    def unnamed(self) -> list[str]:
        """The rules that approve and name no kind."""
        return [name for id_, name in self._names.items() if id_ in self._unnamed]

    def decide(self, *, partner: str, kind: str, facts: dict[str, Any]) -> Ruling:
        forbidden: list[str] = []
        answers = self._answers(DECISIONS, partner, kind, facts)
        for decision, answer in zip(DECISIONS, answers, strict=False):
            if answer.diagnostics.errors:
                return Ruling("person", failed=tuple(map(self._failure, answer.diagnostics.errors)))
            reasons = set(answer.diagnostics.reasons)
            if not answer.allowed:
                forbidden += self._named(reasons)
                continue
            if decision == APPROVE and kind not in self._former:
                reasons -= self._unnamed
            if reasons:
                return Ruling(decision, tuple(self._named(reasons)))
        return Ruling("person", forbidden=tuple(dict.fromkeys(forbidden)))

    def withheld_by(self, *, partner: str, kind: str, facts: dict[str, Any]) -> list[str]:
        """The rules by which nothing is given to the partner: those that permit `withhold`, or that fail."""
        for answer in self._answers((WITHHOLD,), partner, kind, facts):
            if answer.diagnostics.errors:
                return [self._failure(error).rule for error in answer.diagnostics.errors]
            if answer.allowed:
                return self._named(answer.diagnostics.reasons)
        return []

    def _named(self, ids: Collection[str]) -> list[str]:
        return sorted(self._names[id_] for id_ in ids)

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

    def _faults_in_heads(self) -> Iterator[Fault]:
        for id_, head in self._heads.items():
            if head.kind is not None and head.kind not in self._kinds:
                error = (
                    f"{head.kind!r} is no kind that is exchanged here; there are: {', '.join(self._kinds)}"
                )
                yield self._fault(id_, error, "resource")
            if id_ in self._unnamed:
                lines = " or ".join(f'resource == Kind::"{kind}"' for kind in self._kinds)
                yield self._fault(id_, f"names no kind, and may approve: write {lines}", "resource")

    def _validated(self) -> Iterator[Fault]:
        """Each rule against the facts of the kind that it names; one that names none asks whether they are there."""
        for kind in dict.fromkeys(head.kind or "" for head in self._heads.values()):
            own = self._kinds[kind] if kind in self._kinds else self._facts_of_any()
            named = schema(() if self._former else self._kinds, own)
            for found in cedarpy.validate_policies(self.text, named).errors:
                if found.policy_id is None or (self._heads[found.policy_id].kind or "") == kind:
                    yield self._fault(found.policy_id, found.error)

    def _facts_of_any(self) -> list[PolicyFact]:
        """Each may be absent, but those that all the `former` kinds have: a rule of then knows no other kinds."""
        own = {fact.name: fact for facts in self._kinds.values() for fact in facts}
        sure = [{fact.name for fact in self._kinds.get(kind, ())} for kind in self._former]
        always = set.intersection(*sure) if sure else set()
        return [
            fact if name in always else msgspec.structs.replace(fact, optional=True)
            for name, fact in own.items()
        ]

    def _fault(self, id_: str | None, error: str, at: str | None = None) -> Fault:
        """`at`: the word at which it is, where it is at no fact."""
        if id_ is None:
            return Fault("policy", "", error)
        attribute = _ATTRIBUTE.search(error)
        rule = int(id_.removeprefix("policy"))
        line = line_of(self.text, rule, attribute[1] if attribute else at)
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
