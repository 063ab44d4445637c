"""The database has failed over or was put back under this server: what it now holds is compared with every partner."""

from collections import Counter

from acmx.domain.moments import from_ms, text, to_ms
from acmx.domain.telling import DATABASE
from acmx.flows.house import House
from acmx.storage import journal, notices
from acmx.storage.engine import NewHistory, Tx
from acmx.storage.partnership import partners

MOST_NAMED = 1_000


def apply(house: House, tx: Tx, change: NewHistory) -> None:
    """Once for the database all partners are compared with; each server names what it had acknowledged and is gone."""
    now = to_ms(house.clock())
    gone, acts = sorted(change.exchanges), sorted(change.acts)
    if change.first:
        partners.compare_all(tx, now)
    if change.first or change.lost:
        journal.write(
            tx,
            now,
            "database-changed",
            "database",
            timeline=change.timeline,
            timeline_before=change.before,
            lost=change.lost,
            exchanges=len(gone),
            acts=len(acts),
        )
        subject = f"timeline {change.timeline}: {_words(change)}"
        notices.put_for_operators(tx, now, house.system, subject, DATABASE, now)
    for primary, id_ in gone[:MOST_NAMED]:
        journal.write(tx, now, "acknowledged-and-gone", "database", primary=primary, id_=id_)
    for act in acts[:MOST_NAMED]:
        journal.write(
            tx,
            now,
            "acknowledged-and-gone",
            "database",
            act=act.event,
            person=act.actor,
            subject=act.subject or None,
            done_at=text(from_ms(act.at)),
        )


def _words(change: NewHistory) -> str:
    if not change.lost:
        return "nothing that this server acknowledged is missing"
    known = [f"{len(change.exchanges)} exchanges"]
    known += [
        f"{count} {event}" for event, count in sorted(Counter(act.event for act in change.acts).items())
    ]
    return f"what was acknowledged last is missing, of {', '.join(known)} at least"
