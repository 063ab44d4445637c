"""An exchange in words: in a list, and as the facts above its diagram."""

from collections.abc import Iterable, Iterator, Sequence

from rich.table import Table

from acmx.cli.terminal import cell, facts, people, table, time
from acmx.domain.acm1 import (
    Contradiction,
    Exchange,
    GivenReview,
    Partner,
    Remark,
    RevocationShown,
    Summary,
    Threshold,
    UpdateShown,
    Waiting,
)
from acmx.domain.exchange import UNDECIDED, State
from acmx.domain.messages import Verdict
from acmx.kinds import GIVING

SHOWN_USERS = 20
_WAITS_FOR = {
    State.AWAITING_RELEASE: "being released: acmx review {id}",
    State.QUEUED: "the partner's word that the request is stored",
    State.STORED: "the partner's decision",
    State.MORE_INFORMATION: "your answer: acmx answer {id}",
    State.OVERDUE: "the partner's word; the time to decide is over",
    State.WITHDRAWING: "the partner's word that the request is withdrawn",
    State.ANSWERED: "being fetched: acmx fetch {id}",
    State.PENDING: "a decision: acmx review {id}",
    State.DECIDED: "the partner's receipt of the response",
}
_ON_CMS = {
    "older": "what the partner has changed since: acmx provision {id} --push",
    "to-remove": "entries of an approval that does not hold: acmx provision {id} --remove",
}
_ASKED_BACK = "the asker's answer, or a decision without it: acmx review {id}"


def summary_table(summaries: Iterable[Summary]) -> Table:
    rows = table("exchange", "state", "with, and what for")
    rows.columns[0].no_wrap = True
    for summary in summaries:
        urgent = "URGENT" if summary.urgency == "urgent" else None
        direction = "to" if summary.role == "primary" else "from"
        rows.add_row(
            cell(f"{summary.id}\n  {time(summary.created_at)}  {whom(summary)}"),
            cell("\n".join(filter(None, (_spaced(summary.state), summary.outcome, urgent)))),
            cell(f"{direction} {summary.partner}\n{summary.purpose}"),
        )
    return rows


def whom(summary: Summary) -> str:
    return "gives, names no users" if summary.kind in GIVING else people(summary.user_count)


def exchange_facts(exchange: Exchange) -> Table:
    pending = exchange.role == "partner" and exchange.state in UNDECIDED
    gives = exchange.kind in GIVING
    validity = " until ".join(filter(None, (time(exchange.valid_from), time(exchange.valid_until))))
    return facts(
        {
            "exchange": exchange.id,
            "state": _spaced(exchange.state),
            "kind": exchange.kind,
            "given by" if gives else "asked by": f"{exchange.asker} of {exchange.primary}",
            "addressed to": exchange.addressee,
            "addressed to the alias": exchange.addressee_alias,
            "urgency": exchange.urgency if exchange.urgency != "normal" else None,
            "purpose": exchange.purpose,
            "reference": exchange.reference,
            "services": ", ".join(map(str, exchange.content.get("services", ()))),
            f"users ({exchange.user_count:,})": "" if exchange.verdicts or gives else _users(exchange.users),
            "valid": validity,
            "created": time(exchange.created_at),
            "to be decided by": time(exchange.expires_at),
            "outcome": exchange.outcome,
            "decided by": exchange.decided_by,
            "reason": exchange.reason,
            "grant": exchange.grant,
            "would disclose" if pending and not gives else "disclosed": ", ".join(disclosed_rows(exchange)),
            "missing in it": ", ".join(exchange.missing),
            "refusal": _refusal(exchange),
            "approvals so far": approvals_so_far(exchange),
            "contradicted by": "\n".join(map(_contradiction, exchange.contradictions)),
            "partnership": exchange.partnership,
            "on the own CMS": _ON_CMS[exchange.on_cms].format(id=exchange.id) if exchange.on_cms else None,
            "seen": exchange.seen,
        },
        *remark_rows(exchange.conversation),
        *review_rows(exchange.reviews),
        *verdict_rows(exchange.verdicts),
        *update_rows(exchange.updates),
        *revocation_rows(exchange.revocations),
    )


def disclosed_rows(exchange: Exchange) -> list[str]:
    """The rows of the server identity information that are given away, or would be by an approval."""
    identity = (exchange.disclosed or {}).get("server_identity", {})
    return [name for name, value in identity.items() if value not in (None, [], ())]


def remark_rows(conversation: Sequence[Remark]) -> Iterator[tuple[str, str]]:
    """Questions and answers, as facts."""
    for remark in conversation:
        number = "" if remark.question is None else f" {remark.question}"
        name = (
            f"question{number}" if remark.type == "question" else f"answer to{number or ' a lost question'}"
        )
        yield name, f"{remark.text}\n{remark.person}, {time(remark.at)}"


def review_rows(reviews: Sequence[GivenReview]) -> Iterator[tuple[str, str]]:
    """Who has reviewed, as facts."""
    for review in reviews:
        said = (
            f"{review.approved:,} approved, {review.declined:,} declined, {time(review.at)}: {review.reason}"
        )
        stale = "" if review.counts else "for an earlier version: must be given again"
        note = f"note: {review.note}" if review.note else ""
        yield "reviewed by", "\n".join(filter(None, (review.person, said, note, stale)))


def approvals_in_words(partner: Partner) -> str:
    """A line for each kind and side that something was set for."""
    lines = [
        f"{held.kind}: {threshold.approvals} to {side}{_of(threshold)}"
        for held in partner.approvals
        for side, threshold in (("review", held.review), ("release", held.release))
        if threshold is not None
    ]
    return "\n".join(lines) or "1 to review, none to release"


def verdict_rows(verdicts: Sequence[Verdict]) -> Iterator[tuple[str, str]]:
    """Who was approved and who declined, as facts."""
    for verdict in verdicts:
        word = "approved" if verdict.approved else "declined"
        yield (
            f"{word} ({len(verdict.users):,})" if verdict.users else word,
            "\n".join(filter(None, (verdict.reason, _users(verdict.users)))),
        )


def update_rows(updates: Sequence[UpdateShown]) -> Iterator[tuple[str, str]]:
    """What the partner has changed, as facts."""
    for update in updates:
        lines = [
            f"{change.field}: {', '.join(change.old) or '-'} -> {', '.join(change.new) or '-'}"
            for change in update.changes
        ]
        yield f"updated {update.n}", "\n".join([time(update.created_at), *lines])


def revocation_rows(revocations: Sequence[RevocationShown]) -> Iterator[tuple[str, str]]:
    """What was taken back, as facts."""
    for revocation in revocations:
        who = f"{revocation.person}, {time(revocation.created_at)}: {revocation.reason}"
        yield f"revoked ({len(revocation.users):,})", "\n".join((who, _users(revocation.users)))


def waits_for(exchange: Exchange) -> str:
    """What has to happen next, in words."""
    words = next((words for state, words in _WAITS_FOR.items() if state == exchange.state), None)
    if exchange.role == "partner" and exchange.state == State.MORE_INFORMATION:
        words = _ASKED_BACK
    if words is None:
        return "nothing, it has ended"
    if exchange.partnership:
        words += ". The partnership is {partnership}: nothing is sent or taken"
    return words.format(id=exchange.id, partnership=exchange.partnership)


def links(waiting: Sequence[Waiting]) -> Iterator[str]:
    """How the messages that wait for the partner's word are doing."""
    for message in waiting:
        yield f"{message.type}: {message.attempts} attempts, the next at {time(message.next_attempt_at)}"
        if message.last_error:
            yield f"  last error: {message.last_error}"


def _users(users: Sequence[str]) -> str:
    more = len(users) - SHOWN_USERS
    shown = ", ".join(users[:SHOWN_USERS])
    return f"{shown} and {more:,} more (--json has all)" if more > 0 else shown


def _spaced(state: str) -> str:
    return state.replace("_", " ")


def _contradiction(other: Contradiction) -> str:
    said = " by ".join(filter(None, (other.outcome, other.decided_by)))
    what = ": ".join(filter(None, (said, other.reason)))
    return f"{other.type} {other.n} of {other.sender}, {time(other.created_at)}, not in force {what}".strip()


def approvals_so_far(exchange: Exchange) -> str | None:
    """How many of how many, where more than one is needed or somebody has reviewed."""
    if exchange.approvals_needed is None or (exchange.approvals_needed == 1 and not exchange.reviews):
        return None
    return f"{sum(review.counts for review in exchange.reviews)} of {exchange.approvals_needed}"


def _of(threshold: Threshold) -> str:
    return f" ({' or '.join(threshold.roles)})" if threshold.roles else ""


def _refusal(exchange: Exchange) -> str:
    refusal = exchange.refusal or {}
    return " ".join(str(refusal[name]) for name in ("title", "detail", "rule") if refusal.get(name))
