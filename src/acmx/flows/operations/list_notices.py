"""Who was told what, when, by which channel, or what failed: newest first, page by page (law 13).

Everybody may read what is meant for them; how it was sent to others is for auditors.
"""

from collections import defaultdict

from acmx.domain import acm1
from acmx.domain.acm1 import NoticePage
from acmx.domain.exchange import Audience
from acmx.domain.moments import from_ms
from acmx.storage import deliveries, notices
from acmx.storage.deliveries import Telling
from acmx.storage.engine import Tx
from acmx.storage.notices import Entry
from acmx.trust.roles import Caller, Permission

WHO_MAY: dict[Audience, Permission] = {
    "asker": "submit",
    "reviewers": "review",
    "partner-administrators": "partners",
    "operators": "health",
    "account-holders": "accounts",
}
"""Who hears of what is told to nobody by name."""
LOOKED_AT = 1000


def page(tx: Tx, *, after: int | None, limit: int) -> NoticePage:
    """`after` is the `next` of the page before."""
    found = notices.page(tx, before=after, limit=limit + 1)
    shown = found[:limit]
    told: dict[int, list[acm1.Telling]] = defaultdict(list)
    if shown:
        for telling in deliveries.of_notices(tx, shown[-1].serial or 0, shown[0].serial or 0):
            told[telling.notice].append(_telling(telling))
    following = str(shown[-1].serial) if len(found) > limit else None
    return NoticePage([_notice(entry, told[entry.serial or 0]) for entry in shown], following)


def meant(caller: Caller, audience: Audience, person: str | None) -> bool:
    """Whether a notice is for this caller: by name, or as one of those who may do something about it."""
    if person is not None:
        return not set(person.split()).isdisjoint(caller.names)
    return caller.may(WHO_MAY[audience])


def news(tx: Tx, caller: Caller, *, after: int | None, limit: int) -> NoticePage:
    """What is meant for the caller. A page may hold fewer rows than `limit` and still have a next."""
    found = notices.page(tx, before=after, limit=LOOKED_AT + 1)
    taken: list[Entry] = []
    for looked_at, entry in enumerate(found):
        if len(taken) == limit or looked_at == LOOKED_AT:
            last = found[looked_at - 1].serial
            return NoticePage([_notice(one, []) for one in taken], str(last))
        if meant(caller, entry.audience, entry.person):
            taken.append(entry)
    return NoticePage([_notice(one, []) for one in taken])


def _notice(entry: Entry, told: list[acm1.Telling]) -> acm1.Notice:
    return acm1.Notice(
        serial=entry.serial or 0,
        at=from_ms(entry.at),
        event=entry.event,
        audience=entry.audience,
        exchange=entry.id or None,
        primary=entry.primary_system,
        person=entry.person,
        tellings=told,
    )


def _telling(telling: Telling) -> acm1.Telling:
    waiting = telling.state == "waiting"
    return acm1.Telling(
        channel=telling.channel,
        recipient=telling.recipient,
        state=telling.state,
        attempts=telling.attempts,
        sent_at=None if telling.sent_at is None else from_ms(telling.sent_at),
        next_attempt_at=from_ms(telling.next_attempt_at) if waiting else None,
        last_error=telling.last_error,
        parcel=telling.parcel,
    )
