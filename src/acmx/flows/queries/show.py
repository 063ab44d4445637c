"""One exchange, whole: what was asked and answered, its 18 steps, what it waits for, its journal."""

import json
from datetime import datetime
from typing import Any

import msgspec

from acmx.domain import acm1
from acmx.domain.errors import Incomplete
from acmx.domain.exchange import UNDECIDED
from acmx.domain.messages import Refusal
from acmx.domain.moments import from_ms
from acmx.flows.exchange.conversation import remarks
from acmx.flows.exchange.find import find
from acmx.flows.exchange.grant import standing
from acmx.flows.exchange.held import current_catalogue, version_to_give
from acmx.flows.exchange.response import read_request
from acmx.flows.exchange.summary import summary
from acmx.flows.partnership.show_partner import standing as partnership_standing
from acmx.flows.provisioning import show_provisioning
from acmx.flows.queries import given_reviews
from acmx.flows.queries.access_log import LOOKS
from acmx.flows.queries.steps import steps_of
from acmx.kinds import GIVING, kind_named
from acmx.storage import journal
from acmx.storage.engine import Tx
from acmx.storage.exchange import contradictions, messages, outbox, step_times
from acmx.storage.exchange.contradictions import Contradicted
from acmx.storage.exchange.exchanges import Exchange
from acmx.storage.exchange.messages import Stored
from acmx.storage.exchange.outbox import Queued
from acmx.storage.journal import Entry
from acmx.storage.partnership import partners
from acmx.trust.roles import Caller


def show(tx: Tx, caller: Caller, name: str) -> acm1.Exchange:
    """Raises NotFound."""
    exchange = find(tx, caller, name)
    key = (exchange.primary_system, exchange.id)
    stored = messages.of_exchange(tx, *key)
    request = next((read_request(m) for m in stored if m.type == "request" and m.body), None)
    stands = standing(stored)
    entries = [entry for entry in journal.of_exchange(tx, *key) if entry.event not in LOOKS]
    waiting = outbox.of_exchange(tx, *key)
    disclosed: dict[str, Any] = {}
    if request is not None and exchange.role == "partner" and exchange.state in UNDECIDED:
        try:
            disclosed = kind_named(request.kind).disclosed(request, current_catalogue(tx))
        except Incomplete:
            disclosed = {}
    given = stands.content if stands else disclosed
    if request is not None and request.kind in GIVING:
        given = request.content
    return acm1.Exchange(
        **msgspec.structs.asdict(summary(exchange)),
        seen=f"{exchange.version}.{version_to_give(tx, exchange)}",
        users=request.users if request else (),
        content=request.content if request else {},
        steps=steps_of(exchange, entries, step_times.of_exchange(tx, *key), waiting),
        journal=[journal_entry(entry) for entry in entries],
        waiting=[_waiting(queued) for queued in waiting],
        conversation=remarks(stored),
        verdicts=stands.response.verdicts if stands else (),
        disclosed=given or None,
        missing=tuple(given.get("missing", ())),
        refusal=_refusal(stored),
        reviews=given_reviews.shown(tx, exchange),
        approvals_needed=given_reviews.needed(tx, exchange),
        contradictions=tuple(
            _contradiction(kept) for kept in contradictions.of_exchange(tx, *key) if kept.body
        ),
        partnership=_interrupted(tx, exchange),
        updates=stands.updates if stands else (),
        revocations=stands.revocations if stands else (),
        on_cms=show_provisioning.behind(tx, exchange, stands) if stands else None,
    )


def _interrupted(tx: Tx, exchange: Exchange) -> str | None:
    partner = partners.find(tx, exchange.partner)
    if partner is None or partner.established or exchange.ended_at is not None:
        return None
    return partnership_standing(partner)


def journal_entry(entry: Entry) -> acm1.JournalEntry:
    return acm1.JournalEntry(
        serial=entry.serial or 0,
        at=from_ms(entry.at),
        event=entry.event,
        actor=entry.actor,
        exchange=entry.id,
        primary=entry.primary_system,
        detail=json.loads(entry.detail),
    )


def _waiting(queued: Queued) -> acm1.Waiting:
    return acm1.Waiting(queued.type, queued.attempts, from_ms(queued.next_attempt_at), queued.last_error)


def _contradiction(kept: Contradicted) -> acm1.Contradiction:
    message = json.loads(kept.body)
    return acm1.Contradiction(
        sender=kept.sender,
        n=kept.n,
        type=kept.type,
        digest=kept.digest,
        created_at=datetime.fromisoformat(message["created_at"]),
        found_at=from_ms(kept.found_at),
        outcome=message.get("outcome"),
        decided_by=message.get("handler", {}).get("mc_service_id"),
        reason=message.get("reason"),
    )


def _refusal(stored: list[Stored]) -> dict[str, Any] | None:
    """The partner's final refusal of a message of ours."""
    for message in stored:
        if message.reply is not None and message.reply_signature is not None:
            reply = json.loads(message.reply)
            if reply["type"] != "receipt":
                refusal: dict[str, Any] = msgspec.to_builtins(msgspec.convert(reply, Refusal))
                return refusal
    return None
