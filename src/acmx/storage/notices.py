"""Who is to be told of what. The bell only says «look again»; these rows say why, and outlive every connection."""

import msgspec

from acmx.domain.exchange import Audience
from acmx.storage.engine import Tx


class Notice(msgspec.Struct, frozen=True):
    """Signal, and row without its time: `person` is the MC service ID or alias meant, None for all reviewers."""

    audience: Audience
    person: str | None


def put(tx: Tx, at: int, primary: str, id_: str, event: str, notice: Notice) -> None:
    tx.execute(
        "INSERT INTO notice (at, primary_system, id, event, audience, person) "
        "VALUES (:at, :primary, :id, :event, :audience, :person)",
        {
            "at": at,
            "primary": primary,
            "id": id_,
            "event": event,
            "audience": notice.audience,
            "person": notice.person,
        },
    )
    tx.signal(notice)
