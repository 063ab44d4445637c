"""Who or what decided an exchange, and on what: the checks of step 2 at A, policy and people at B."""

import json
from typing import Any

from acmx.domain.acm1 import CheckShown, Explanation, FactShown
from acmx.domain.acm1.explanations import Decider
from acmx.domain.exchange import Event, State
from acmx.domain.moments import from_ms
from acmx.flows.exchange.authorise import IN_WORDS
from acmx.flows.exchange.find import find, sees_facts
from acmx.flows.policy import consult
from acmx.flows.policy.set_policy import shown
from acmx.kinds import policy_facts
from acmx.storage import journal, policies
from acmx.storage.engine import Tx
from acmx.storage.exchange.exchanges import Exchange
from acmx.storage.journal import Entry
from acmx.trust.roles import Caller

SUBMITTED = (Event.SUBMITTED, Event.HELD, Event.NOT_AUTHORISED)
DECISIVE: dict[str, tuple[Event, ...]] = {
    "primary": (Event.NOT_AUTHORISED, Event.REFUSED_BY_PARTNER, Event.RESPONSE, Event.RECONCILED),
    "partner": (Event.REVIEWED, Event.DECIDED_BY_RULE, Event.EXPIRED, Event.RECONCILED),
}


def explain(tx: Tx, caller: Caller, name: str) -> Explanation:
    """Raises NotFound."""
    exchange = find(tx, caller, name, sees_facts)
    entries = journal.of_exchange(tx, exchange.primary_system, exchange.id)
    arrival = next((entry for entry in entries if entry.event == Event.REQUEST), None)
    asked = consult.kept(arrival)
    policy = policies.of_version(tx, asked.version) if asked and caller.may("policy-read") else None
    checks = _checks(entries)
    return Explanation(
        id=exchange.id,
        primary=exchange.primary_system,
        partner=exchange.partner,
        role=exchange.role,
        state=exchange.state,
        outcome=exchange.outcome,
        by=decider(exchange),
        decided_by=exchange.decided_by,
        rule=exchange.rule or next((check.rule for check in checks if not check.passed), None),
        reason=exchange.reason,
        decided_at=next(
            (from_ms(entry.at) for entry in reversed(entries) if entry.event in DECISIVE[exchange.role]), None
        ),
        checks=checks,
        asked_at=from_ms(arrival.at) if arrival and asked else None,
        consultation=asked,
        facts=_facts(asked.facts) if asked else [],
        policy=shown(policy) if policy else None,
    )


def decider(exchange: Exchange) -> Decider | None:
    """Whose word the outcome is; None while there is none."""
    if exchange.role == "primary":
        if exchange.state is State.REFUSED_HERE:
            return "check"
        return "partner" if exchange.outcome or exchange.state is State.REFUSED_BY_PARTNER else None
    if exchange.outcome is None:
        return None
    if exchange.decided_by:
        return "person"
    return "clock" if exchange.outcome == "expired" else "policy"


def _checks(entries: list[Entry]) -> list[CheckShown]:
    """What step 2 checked; nothing where that was not kept."""
    submitted = next((entry for entry in entries if entry.event in SUBMITTED), None)
    detail = json.loads(submitted.detail) if submitted else {}
    checks = [CheckShown(rule, True, IN_WORDS.get(rule, "")) for rule in detail.get("passed", ())]
    if rule := detail.get("rule"):
        checks.append(CheckShown(rule, False, IN_WORDS.get(rule, ""), detail.get("refusal")))
    return checks


def _facts(values: dict[str, Any]) -> list[FactShown]:
    """In the order of the table; last, those that were facts once."""
    known = {fact.name: fact for fact in policy_facts.every()}
    former = [FactShown(name, value, "", "") for name, value in values.items() if name not in known]
    return [
        FactShown(fact.name, values[fact.name], fact.meaning, fact.source, fact.unit)
        for fact in known.values()
        if fact.name in values
    ] + former
