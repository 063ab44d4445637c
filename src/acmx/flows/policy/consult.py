"""Step 6 at B: policy is asked. What it was asked on and what it said stay in the journal row of the request."""

import json
from datetime import datetime

import msgspec

from acmx.domain.acm1 import Consultation, RuleFailure
from acmx.domain.acm1.policy import Why
from acmx.domain.errors import FaultyInput
from acmx.domain.exchange import Event
from acmx.domain.messages import Request
from acmx.flows.policy import read_policy
from acmx.flows.policy.facts import facts_of
from acmx.storage import journal, policies
from acmx.storage.engine import Tx
from acmx.storage.exchange.exchanges import Exchange
from acmx.storage.journal import Entry
from acmx.trust.policy import Ruling
from acmx.trust.signatures import body_digest

MEMBER = "policy"


def ask(tx: Tx, request: Request, now: datetime) -> Consultation:
    """A policy that cannot be read any more decides nothing."""
    held, facts = policies.current(tx), facts_of(request, now)
    try:
        ruling = read_policy.stored(held.text).decide(partner=request.sender, kind=request.kind, facts=facts)
        why = why_of(ruling)
    except FaultyInput as fault:
        ruling, why = Ruling("person", failed=(RuleFailure("", fault.detail[:500]),)), "unreadable"
    return Consultation(
        version=held.version,
        digest=body_digest(held.text.encode()),
        decision=ruling.decision,
        why=why,
        facts=facts,
        rules=ruling.rules,
        forbidden=ruling.forbidden,
        failed=ruling.failed,
    )


def why_of(ruling: Ruling) -> Why:
    if ruling.failed:
        return "rule-failed"
    if ruling.decision != "person":
        return "rule"
    return "forbidden" if ruling.forbidden else "no-rule"


def row(tx: Tx, exchange: Exchange) -> Entry | None:
    """The journal row of the request's arrival."""
    return journal.first(tx, exchange.primary_system, exchange.id, Event.REQUEST)


def kept(entry: Entry | None) -> Consultation | None:
    """None where policy was not asked, or the row is older than the keeping of facts."""
    found = None if entry is None else json.loads(entry.detail).get(MEMBER)
    return None if found is None else msgspec.convert(found, Consultation)
